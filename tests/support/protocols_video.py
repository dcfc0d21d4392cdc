"""What each provider's API for clips says on the wire: a job is taken, looked at, fetched and called off."""

from __future__ import annotations

import base64
from collections.abc import Callable
from dataclasses import dataclass, field
from functools import cache
from typing import Any

from PIL import Image

from shared.video.encoding import encode
from tests.support.fake_server import Act, Asked, FakeServer

FRAMES, FPS, SIDES = 12, 8.0, (96, 64)


@cache
def clip() -> bytes:
    """A clip of a second and a half, as an MP4 file."""
    return encode((Image.new("RGB", SIDES, (20 * n, 40, 200)) for n in range(FRAMES)), FPS)


@cache
def picture() -> bytes:
    """A picture to begin with."""
    import io

    file = io.BytesIO()
    Image.new("RGB", (160, 90), "orange").save(file, "PNG")
    return file.getvalue()


WORKING, DONE, FAILED, REFUSED, CANCELLED = "working", "done", "failed", "refused", "cancelled"


@dataclass
class Provider:
    """One provider's server. `states`: what it says at each look, the last of them for ever; an `Act` is said as it is.

    `sending`: what it answers to a job that is sent, None: it takes it. `file`: what it gives out.
    """

    dialect: Any
    fake: FakeServer
    states: list[Any] = field(default_factory=lambda: [WORKING, DONE])
    sending: list[Act | None] = field(default_factory=list)
    file: list[Act] = field(default_factory=list)
    file_url: str = ""
    sent: list[Asked] = field(default_factory=list)
    looks: list[Asked] = field(default_factory=list)
    fetched: list[Asked] = field(default_factory=list)
    called_off: list[Asked] = field(default_factory=list)
    uploads: list[Asked] = field(default_factory=list)
    job: str = "job-1"

    def __post_init__(self) -> None:
        self.file_url = self.file_url or f"{self.fake.url}/files/clip.mp4"
        self.fake.routes["/files/"] = self.give
        self.fake.routes["/"] = self._answer

    def take(self, asked: Asked, answer: Callable[[], Act]) -> Act:
        """A job is sent."""
        self.sent.append(asked)
        return (self.sending.pop(0) if self.sending else None) or answer()

    def look(self, asked: Asked) -> Any:
        """The state to tell."""
        self.looks.append(asked)
        return self.states.pop(0) if len(self.states) > 1 else self.states[0]

    def give(self, asked: Asked) -> Act:
        self.fetched.append(asked)
        return self.file.pop(0) if self.file else Act(body=clip(), headers={"Content-Type": "video/mp4"})

    def _answer(self, asked: Asked) -> Act:
        self.fake.asked.append(asked)
        act: Act = self.dialect.answer(asked, self)
        return act


@dataclass(frozen=True)
class Runway:
    """https://docs.dev.runwayml.com/api"""

    model: str = "runway:gen4.5"
    backend: str = "runway_video"
    url_name: str = "runway"
    env_var: str = "RUNWAYML_API_SECRET"
    seconds: float = 5.0
    cost: float | None = 0.6

    def base_url(self, root: str) -> str:
        return root

    def answer(self, asked: Asked, provider: Provider) -> Act:
        assert asked.headers["x-runway-version"] == "2024-11-06"
        if asked.method == "POST":
            return provider.take(asked, lambda: Act(body={"id": provider.job, "estimatedCost": {"credits": 60}}))
        if asked.path != f"/v1/tasks/{provider.job}":
            return Act(status=404, body={"error": "no such task"})
        if asked.method == "DELETE":
            provider.called_off.append(asked)
            return Act(status=204, body="")
        state = provider.look(asked)
        if isinstance(state, Act):
            return state
        told: dict[str, Any] = {
            WORKING: {"status": "RUNNING", "progress": 0.4, "estimatedCost": {"credits": 60}},
            DONE: {"status": "SUCCEEDED", "output": [provider.file_url], "cost": {"credits": 60}},
            FAILED: {"status": "FAILED", "failure": "the oven was cold", "failureCode": "INTERNAL.BAD_OUTPUT.CODE01",
                     "cost": {"credits": 0}},
            REFUSED: {"status": "FAILED", "failure": "not allowed", "failureCode": "SAFETY.INPUT.TEXT",
                      "cost": {"credits": 0}},
            CANCELLED: {"status": "CANCELLED", "cost": {"credits": 0}},
        }[state]  # fmt: skip
        return Act(body={"id": provider.job, "createdAt": "2026-11-25T00:00:00Z", **told})

    def key_in(self, asked: Asked) -> str:
        return asked.headers.get("authorization", "").removeprefix("Bearer ")

    def prompt_in(self, asked: Asked) -> str:
        return str(asked.body["promptText"])

    def picture_in(self, asked: Asked) -> bytes:
        return base64.b64decode(asked.body["promptImage"][0]["uri"].partition(",")[2])


@dataclass(frozen=True)
class Omni:
    """Google's interactions, in the background: https://ai.google.dev/api/interactions-api"""

    model: str = "google:gemini-omni-1.1-flash"
    backend: str = "google_video"
    url_name: str = "google"
    env_var: str = "GEMINI_API_KEY"
    seconds: float = 5.0
    cost: float | None = 0.507
    tokens: int = 28_960

    def base_url(self, root: str) -> str:
        return root

    def answer(self, asked: Asked, provider: Provider) -> Act:
        path = asked.path.partition("?")[0]
        if path == "/v1beta/interactions":
            assert asked.body["background"] is True
            return provider.take(asked, lambda: Act(body=self._told(provider, "in_progress")))
        if not path.startswith(f"/v1beta/interactions/{provider.job}"):
            return Act(status=404, body={"error": {"code": 404, "message": "none", "status": "NOT_FOUND"}})
        if asked.method == "POST":
            assert path.endswith("cancel")
            provider.called_off.append(asked)
            return Act(body=self._told(provider, "cancelled"))
        state = provider.look(asked)
        if isinstance(state, Act):
            return state
        if state == DONE:
            content = {"type": "video", "uri": provider.file_url, "mime_type": "video/mp4"}
            usage = {
                "total_input_tokens": 10, "total_output_tokens": self.tokens,
                "output_tokens_by_modality": [{"modality": "video", "tokens": self.tokens}],
            }  # fmt: skip
            steps = [{"type": "model_output", "content": [content]}]
            return Act(body={**self._told(provider, "completed"), "steps": steps, "usage": usage})
        words = {FAILED: "the oven was cold", REFUSED: "blocked by a safety policy"}.get(state, "")
        name = {WORKING: "in_progress", FAILED: "failed", REFUSED: "failed", CANCELLED: "cancelled"}[state]
        more = {"errors": [{"code": "error", "message": words}]} if words else {}
        return Act(body={**self._told(provider, name), **more})

    def _told(self, provider: Provider, status: str) -> dict[str, Any]:
        now = "2026-11-25T00:00:00Z"
        return {"id": provider.job, "status": status, "model": self.model[7:], "created": now, "updated": now}

    def key_in(self, asked: Asked) -> str:
        return asked.headers.get("x-goog-api-key", "")

    def prompt_in(self, asked: Asked) -> str:
        given = asked.body["input"]
        return given if isinstance(given, str) else str(self._content(asked)[1]["text"])

    def picture_in(self, asked: Asked) -> bytes:
        return base64.b64decode(self._content(asked)[0]["data"])

    def _content(self, asked: Asked) -> Any:
        """The SDK puts a list of parts into a turn of the user's."""
        return asked.body["input"][0]["content"]


@dataclass(frozen=True)
class Vllm:
    """OpenAI's form as vLLM-Omni serves it."""

    model: str = "vllm:wan"
    backend: str = "openai_compatible_video"
    url_name: str = "vllm"
    env_var: str | None = None
    seconds: float = 5.0
    cost: float | None = None
    charged: bool = False

    def base_url(self, root: str) -> str:
        return f"{root}/v1"

    def answer(self, asked: Asked, provider: Provider) -> Act:
        if asked.method == "POST":
            assert asked.path == "/v1/videos" and asked.headers["content-type"].startswith("multipart/form-data")
            return provider.take(asked, lambda: Act(body={"id": provider.job, "status": "queued", "created_at": 1}))
        if asked.path == f"/v1/videos/{provider.job}/content":
            if provider.file_url.startswith(provider.fake.url):
                return provider.give(asked)
            return Act(status=302, headers={"Location": provider.file_url})
        if asked.path != f"/v1/videos/{provider.job}":
            return Act(status=404, body={"detail": "Video not found"})
        if asked.method == "DELETE":
            provider.called_off.append(asked)
            return Act(body={"id": provider.job, "deleted": True})
        state = provider.look(asked)
        if isinstance(state, Act):
            return state
        status = {WORKING: "in_progress", DONE: "completed"}.get(state, "failed")
        words = {FAILED: "the oven was cold", REFUSED: "blocked by the safety system"}.get(state)
        error = {"error": {"code": "failed", "message": words}} if words else {}
        return Act(body={"id": provider.job, "status": status, "progress": 40, "model": "wan", **error})

    def key_in(self, asked: Asked) -> str:
        return asked.headers["authorization"].removeprefix("Bearer ")

    def prompt_in(self, asked: Asked) -> str:
        return self.part(asked, "prompt").decode()

    def picture_in(self, asked: Asked) -> bytes:
        return self.part(asked, "input_reference")

    def part(self, asked: Asked, name: str) -> bytes:
        """A field of the form."""
        boundary = b"--" + asked.headers["content-type"].partition("boundary=")[2].encode()
        (part,) = [each for each in asked.raw.split(boundary) if f'name="{name}"'.encode() in each]
        return part.partition(b"\r\n\r\n")[2].removesuffix(b"\r\n")


class _FalQueue:
    """fal's queue. `root`: how the paths of its jobs begin; `ours`: what stands before them here."""

    root = ""
    ours = ""

    def queue(self, asked: Asked, provider: Provider) -> Act:
        job = f"{self.root}/requests/{provider.job}"
        path = asked.path.partition("?")[0].removeprefix(self.ours)
        if asked.method == "POST":
            urls = {"response_url": f"https://queue.fal.run{job}"}
            return provider.take(asked, lambda: Act(body={"request_id": provider.job, "status": "IN_QUEUE", **urls}))
        if asked.method == "PUT" and path == f"{job}/cancel":
            provider.called_off.append(asked)
            return Act(status=202, body={"status": "CANCELLATION_REQUESTED"})
        if path == job:
            failed = {REFUSED: "flagged as nsfw", FAILED: "the oven was cold"}.get(provider.states[0])
            if failed:
                return Act(status=422, body={"detail": [{"msg": failed, "type": "value_error"}]})
            return Act(body={"video": {"url": provider.file_url, "content_type": "video/mp4"}, "seed": 3})
        if path != f"{job}/status":
            return Act(status=404, body={"detail": "not found"})
        state = provider.look(asked)
        if isinstance(state, Act):
            return state
        return Act(body={"status": "IN_QUEUE", "queue_position": 2} if state == WORKING else {"status": "COMPLETED"})


@dataclass(frozen=True)
class Fal(_FalQueue):
    """https://fal.ai/docs/inference-api/queue"""

    model: str = "fal:fal-ai/pika/v2.2/text-to-video"
    backend: str = "fal_video"
    url_name: str = "fal"
    env_var: str = "FAL_KEY"
    seconds: float = 5.0
    cost: float | None = None
    root: str = "/fal-ai/pika"

    def base_url(self, root: str) -> str:
        return root

    def answer(self, asked: Asked, provider: Provider) -> Act:
        if asked.method == "POST":
            kind = "image-to-video" if "image_url" in asked.body else "text-to-video"
            assert asked.path == f"/fal-ai/pika/v2.2/{kind}"
        return self.queue(asked, provider)

    def key_in(self, asked: Asked) -> str:
        return asked.headers["authorization"].removeprefix("Key ")

    def prompt_in(self, asked: Asked) -> str:
        return str(asked.body["prompt"])

    def picture_in(self, asked: Asked) -> bytes:
        return base64.b64decode(asked.body["image_url"].partition(",")[2])


class _Predictions:
    """Replicate's predictions."""

    version = ""

    def predictions(self, asked: Asked, provider: Provider) -> Act:
        job = f"/v1/predictions/{provider.job}"
        if asked.method == "POST" and asked.path == f"{job}/cancel":
            provider.called_off.append(asked)
            return Act(body={"id": provider.job, "status": "canceled"})
        if asked.method == "POST":
            assert asked.path == "/v1/predictions" and set(asked.body) == {"version", "input"}
            assert asked.body["version"] == self.version and "prefer" not in asked.headers
            return provider.take(asked, lambda: Act(status=201, body={"id": provider.job, "status": "starting"}))
        if asked.path != job:
            return Act(status=404, body={"detail": "The requested resource could not be found."})
        state = provider.look(asked)
        if isinstance(state, Act):
            return state
        names = {WORKING: "processing", DONE: "succeeded", CANCELLED: "canceled"}
        words = {FAILED: "the oven was cold", REFUSED: "NSFW content detected in output"}.get(state)
        output = self.output(provider) if state == DONE else None
        return Act(body={"id": provider.job, "status": names.get(state, "failed"), "output": output, "error": words})

    def output(self, provider: Provider) -> Any:
        return provider.file_url


@dataclass(frozen=True)
class Replicate(_Predictions):
    """https://replicate.com/docs/reference/http"""

    model: str = "replicate:google/veo-3.1-fast"
    version: str = "google/veo-3.1-fast"
    backend: str = "replicate_video"
    url_name: str = "replicate"
    env_var: str = "REPLICATE_API_TOKEN"
    seconds: float = 4.0
    cost: float | None = None

    def base_url(self, root: str) -> str:
        return root

    def answer(self, asked: Asked, provider: Provider) -> Act:
        return self.predictions(asked, provider)

    def key_in(self, asked: Asked) -> str:
        return asked.headers["authorization"].removeprefix("Bearer ")

    def prompt_in(self, asked: Asked) -> str:
        return str(asked.body["input"]["prompt"])

    def picture_in(self, asked: Asked) -> bytes:
        return base64.b64decode(asked.body["input"]["image"].partition(",")[2])


@dataclass(frozen=True)
class Hub(_FalQueue):
    """One of the providers behind Hugging Face's router."""

    provider: str = "fal-ai"
    provider_id: str = "fal-ai/wan/v2.2"
    backend: str = "huggingface_video"
    url_name: str = "huggingface"
    env_var: str = "HF_TOKEN"
    seconds: float | None = None
    cost: float | None = None
    cancels: bool = False
    root: str = "/fal-ai/wan"
    ours: str = "/fal-ai"
    model: str = "huggingface:Wan-AI/Wan2.2"

    def base_url(self, root: str) -> str:
        return f"{root}/v1"

    def urls(self, root: str) -> dict[str, str]:
        return {"huggingface_hub": root}

    def answer(self, asked: Asked, provider: Provider) -> Act:
        if asked.path.startswith("/api/models/Wan-AI/Wan2.2"):
            row = {"status": "live", "providerId": self.provider_id, "provider": self.provider}
            rows = [{"task": f"{kind}-to-video", **row} for kind in ("text", "image")]
            return Act(body={"inferenceProviderMapping": rows})
        if self.provider == "fal-ai":
            assert "_subdomain=queue" in asked.path
            return self.queue(asked, provider)
        act: Act = getattr(self, f"_{self.provider}")(asked, provider)
        return act

    def _novita(self, asked: Asked, provider: Provider) -> Act:
        return provider.take(asked, lambda: Act(body={"video": {"video_url": provider.file_url}}))

    def _replicate(self, asked: Asked, provider: Provider) -> Act:
        if asked.method == "POST":
            return provider.take(asked, lambda: Act(status=201, body={"id": provider.job, "status": "starting"}))
        assert asked.path == f"/replicate/v1/predictions/{provider.job}"
        names = {WORKING: "processing", DONE: "succeeded", FAILED: "failed", REFUSED: "failed"}
        state = provider.look(asked)
        words = {FAILED: "the oven was cold", REFUSED: "NSFW content detected"}.get(state)
        output = [provider.file_url] if state == DONE else None
        return Act(body={"id": provider.job, "status": names[state], "output": output, "error": words})

    def _together(self, asked: Asked, provider: Provider) -> Act:
        if asked.method == "POST":
            return provider.take(asked, lambda: Act(body={"id": provider.job, "status": "queued"}))
        assert asked.path == f"/together/v2/videos/{provider.job}"
        names = {WORKING: "in_progress", DONE: "completed", FAILED: "failed", REFUSED: "failed"}
        state = provider.look(asked)
        words = {FAILED: "the oven was cold", REFUSED: "content policy violation"}.get(state)
        outputs = {"video_url": provider.file_url} if state == DONE else None
        return Act(body={"id": provider.job, "status": names[state], "outputs": outputs, "error": {"message": words}})

    def _wavespeed(self, asked: Asked, provider: Provider) -> Act:
        where = f"/api/v3/predictions/{provider.job}/result"
        if asked.method == "POST":
            told = {"data": {"status": "created", "urls": {"get": f"https://api.wavespeed.ai{where}"}}}
            return provider.take(asked, lambda: Act(body=told))
        assert asked.path == f"/wavespeed{where}"
        names = {WORKING: "processing", DONE: "completed", FAILED: "failed", REFUSED: "failed"}
        state = provider.look(asked)
        words = {FAILED: "the oven was cold", REFUSED: "sensitive content"}.get(state)
        outputs = [provider.file_url] if state == DONE else []
        return Act(body={"data": {"status": names[state], "outputs": outputs, "error": words}})

    def key_in(self, asked: Asked) -> str:
        return asked.headers["authorization"].removeprefix("Bearer ")

    def prompt_in(self, asked: Asked) -> str:
        return str(asked.body.get("input", asked.body)["prompt"])

    def picture_in(self, asked: Asked) -> bytes:
        return base64.b64decode(asked.body["image_url"].partition(",")[2])


VIDEO_DIALECTS: tuple[Any, ...] = (Runway(), Omni(), Vllm(), Fal(), Replicate(), Hub())
OTHER_HUB_PROVIDERS = tuple(
    Hub(provider=name, provider_id=f"wan-{name}") for name in ("novita", "replicate", "together", "wavespeed")
)
