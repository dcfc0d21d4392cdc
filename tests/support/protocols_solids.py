"""What providers of solids say on the wire, besides fal."""

from __future__ import annotations

import base64
from dataclasses import dataclass
from typing import Any

from tests.support.fake_server import Act, Asked
from tests.support.protocols_video import CANCELLED, DONE, FAILED, REFUSED, WORKING, Provider, Replicate


@dataclass(frozen=True)
class ReplicateMeshes(Replicate):
    """TRELLIS at Replicate, which gives several files."""

    model: str = "replicate:firtoz/trellis:4876f2a8"
    version: str = "firtoz/trellis:4876f2a8"
    backend: str = "replicate_solid"

    def output(self, provider: Provider) -> Any:
        return {"color_video": None, "model_file": provider.file_url, "no_background_images": None}

    def pictures_in(self, asked: Asked) -> list[bytes]:
        return [base64.b64decode(url.partition(",")[2]) for url in asked.body["input"]["images"]]


@dataclass(frozen=True)
class Tripo:
    """https://platform.tripo3d.ai/docs"""

    model: str = "tripo:v2.5-20250123"
    backend: str = "tripo_solid"
    url_name: str = "tripo"
    env_var: str = "TRIPO_API_KEY"
    cost: float | None = None

    def base_url(self, root: str) -> str:
        return root

    def answer(self, asked: Asked, provider: Provider) -> Act:
        if asked.path == "/v2/openapi/upload":
            assert asked.method == "POST" and asked.headers["content-type"].startswith("multipart/form-data")
            provider.uploads.append(asked)
            return self._told({"image_token": f"token-{len(provider.uploads)}"})
        if asked.method == "POST":
            assert asked.path == "/v2/openapi/task"
            return provider.take(asked, lambda: self._told({"task_id": provider.job}))
        if asked.path != f"/v2/openapi/task/{provider.job}":
            return Act(status=404, body={"code": 2001, "message": "Task not found"})
        state = provider.look(asked)
        if isinstance(state, Act):
            return state
        names = {WORKING: "running", DONE: "success", FAILED: "failed", REFUSED: "banned", CANCELLED: "cancelled"}
        words = {FAILED: "the oven was cold", REFUSED: "not allowed"}.get(state)
        output = {"pbr_model": provider.file_url, "rendered_image": "https://x/y.webp"} if state == DONE else {}
        task = {"task_id": provider.job, "status": names[state], "progress": 40, "output": output, "error_msg": words}
        return self._told(task)

    def _told(self, data: dict[str, Any]) -> Act:
        return Act(body={"code": 0, "data": data})

    def key_in(self, asked: Asked) -> str:
        return asked.headers["authorization"].removeprefix("Bearer ")

    def pictures_in(self, asked: Asked) -> list[Any]:
        """The tokens of the pictures, "" for a side without one."""
        files = asked.body.get("files") or [asked.body["file"]]
        return [each.get("file_token", "") for each in files]
