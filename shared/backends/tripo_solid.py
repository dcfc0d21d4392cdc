"""Solids by Tripo's own API, from words, a picture or pictures of several sides: https://platform.tripo3d.ai/docs."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from shared.backends.hosted.account import Account, account_at
from shared.backends.hosted.clips import PROVIDERS
from shared.backends.hosted.job_frame import Seen, Sent
from shared.backends.hosted.queues import Wanted, refused
from shared.backends.hosted.solid_model import HostedSolids
from shared.errors import ContentFiltered, ProviderError

if TYPE_CHECKING:
    from shared.catalog import Variant
    from shared.requests import ImagePart
    from shared.settings import Settings

_MESH = Wanted("solid", ("pbr_model", "model", "base_model"))
_SIDES = ("image", "left_image", "back_image", "right_image")  # the order of Tripo's four places
_UNDER_WAY = frozenset({"queued", "running"})


class TripoSolid(HostedSolids):
    """Tripo's model versions in `variant.repo_id`, for example `v2.5-20250123`."""

    package = distribution = "httpx2"
    provider = "tripo"

    def account(self, variant: Variant, settings: Settings) -> Account:
        """Raises `MissingCredentials` without a key."""
        return account_at(PROVIDERS["tripo"], settings)

    async def prepared(self, call: Any) -> Any:
        """The pictures, which go up first: that costs nothing. Each as Tripo names it, {} for a side without one."""
        await super().prepared(call)
        parts = [getattr(call.request, name) for name in _SIDES]
        return [await _uploaded(call, part) if part is not None else {} for part in parts]

    async def submit(self, call: Any, prepared: Any) -> Sent:
        """A task of the kind that the request is."""
        task: dict[str, Any] = {"model_version": call.variant.repo_id, "texture": True, "pbr": True}
        if call.request.seed is not None:
            task["model_seed"] = call.request.seed % 2**31
        if not prepared[0]:
            task |= {"type": "text_to_model", "prompt": call.request.prompt}
        elif any(prepared[1:]):
            task |= {"type": "multiview_to_model", "files": prepared}
        else:
            task |= {"type": "image_to_model", "file": prepared[0]}
        answer = await call.http.post(_url(call, "task"), json=task, headers=call.account.headers())
        answer.raise_for_status()
        return Sent(upstream=str(_data(answer, call.name)["task_id"]))

    async def look(self, call: Any, upstream: str) -> Seen:
        """What the task says of itself. Its progress is in hundredths."""
        answer = await call.http.get(_url(call, f"task/{upstream}"), headers=call.account.headers())
        answer.raise_for_status()
        task = _data(answer, call.name)
        status = task["status"]
        if status in _UNDER_WAY:
            words = "Waiting in Tripo's queue; you may leave, it is kept under “Jobs”" if status == "queued" else ""
            return Seen(progress=int(task.get("progress") or 0) / 100, words=words)
        if status == "success":
            return Seen(ready=_MESH.at(task.get("output") or {}, call.name), facts={"request_id": upstream})
        ended = refused(call.name, task.get("error_msg") or f"it says that the task is {status}", "solid")
        if status == "banned":
            ended.error = ContentFiltered(call.name, str(task.get("error_msg") or ""))
        raise ended


async def _uploaded(call: Any, part: ImagePart) -> dict[str, str]:
    kind = part.media_type.rpartition("/")[2]
    files = {"file": (f"picture.{kind}", part.data, part.media_type)}
    answer = await call.http.post(_url(call, "upload"), files=files, headers=call.account.headers())
    answer.raise_for_status()
    return {"type": kind, "file_token": str(_data(answer, call.name)["image_token"])}


def _data(answer: Any, name: str) -> Any:
    """What Tripo's envelope holds; a code other than 0 is an error, whatever the status."""
    told = answer.json()
    if told.get("code"):
        raise ProviderError(name, f"{name} refused: {told.get('message') or told['code']}. Change that, and try again.")
    return told["data"]


def _url(call: Any, path: str) -> str:
    return f"{call.account.root}/v2/openapi/{path}"
