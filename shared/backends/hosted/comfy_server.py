"""ComfyUI's HTTP API: what one job needs of it."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

from shared.backends.hosted.comfy_graph import SHOW
from shared.backends.hosted.image_model import ImageCall
from shared.backends.hosted.pictures import no_picture
from shared.backends.hosted.redaction import redact
from shared.errors import InvalidRequest, OutOfMemory, ProviderError, UnknownModel
from shared.requests import ImagePart

if TYPE_CHECKING:
    import httpx2

_NAMES = {"image/png": "png", "image/jpeg": "jpg", "image/webp": "webp"}


class ComfyServer:
    """Asks the server of one run. Errors are the network's own, or ours."""

    def __init__(self, call: ImageCall) -> None:
        self._call, self._http, self._name = call, call.http, call.account.name
        self._root = call.account.root

    async def first_checkpoint(self) -> str:
        """The first of the models that it has. Raises `UnknownModel` where it has none."""
        body = await self._json("/object_info/CheckpointLoaderSimple")
        try:
            names = body["CheckpointLoaderSimple"]["input"]["required"]["ckpt_name"][0]
            return str(names[0])
        except (KeyError, IndexError, TypeError):
            raise UnknownModel(f"{self._name} has no model yet. Put one into its folder models/checkpoints.") from None

    async def upload(self, part: ImagePart, name: str) -> str:
        """Give it a picture; its own name for the file."""
        file = (f"{name}.{_NAMES.get(part.media_type, 'png')}", part.data, part.media_type)
        answer = await self._http.post(f"{self._root}/upload/image", files={"image": file}, data={"type": "input"})
        answer.raise_for_status()
        body = answer.json()
        if not isinstance(body, dict) or not body.get("name"):
            raise ProviderError(self._name, f"{self._name} took no picture to begin with. Check its log.")
        return str(body["name"])

    async def submit(self, graph: Mapping[str, Any], client: str) -> str:
        """Put the job in the line; its id. Raises `UnknownModel` or `InvalidRequest` for what a node can't take."""
        # It makes previews only where it was started so, or where a job asks for them.
        wanted = {"prompt": graph, "client_id": client, "extra_data": {"preview_method": "auto"}}
        answer = await self._http.post(f"{self._root}/prompt", json=wanted)
        if answer.status_code == 400 and (words := _node_errors(answer)):
            if "ckpt_name" in words:
                raise UnknownModel(f"{self._name} has no model called {self._call.variant.repo_id!r}.")
            raise InvalidRequest(f"{self._name} can't draw this: {redact(words)}")
        answer.raise_for_status()
        body = answer.json()
        job = body.get("prompt_id") if isinstance(body, dict) else None
        if not isinstance(job, str) or not job.replace("-", "").isalnum():
            raise no_picture(self._name)
        return job

    async def finished(self, job: str) -> Mapping[str, Any] | None:
        """The picture's file once it is drawn. Raises `OutOfMemory` or `ProviderError` for a job that failed."""
        entry = (await self._json(f"/history/{job}")).get(job)
        if entry is None:
            return None
        status = _within(entry, "status")
        if status.get("status_str") == "error":
            raise self._failure(status)
        images = _within(entry, "outputs", SHOW).get("images")
        if not isinstance(images, list) or not images or not isinstance(images[0], dict):
            raise no_picture(self._name)
        return dict(images[0])

    def _failure(self, status: Mapping[str, Any]) -> Exception:
        told = [
            dict(m[1]) for m in _rows(status.get("messages")) if m[0] == "execution_error" and isinstance(m[1], dict)
        ]
        words = f"{told[0].get('exception_type', '')} {told[0].get('exception_message', '')}" if told else ""
        if "outofmemory" in words.lower().replace(" ", ""):
            return OutOfMemory(advice=f"That is {self._name}'s memory: lower the size, or choose a smaller model.")
        return ProviderError(self._name, f"{self._name} failed to draw this: {redact(words) or 'it gave no reason'}")

    async def before(self, job: str) -> int | None:
        """How many jobs are before this one: 0 while it is drawn, None where it isn't in the line."""
        body = await self._json("/queue")
        running = [row[1] for row in _rows(body.get("queue_running"))]
        pending = [row for row in _rows(body.get("queue_pending")) if isinstance(row[0], int | float)]
        waiting = [row[1] for row in sorted(pending, key=lambda row: row[0])]
        if job in running:
            return 0
        return len(running) + waiting.index(job) if job in waiting else None

    async def drop(self, job: str, running: bool) -> None:
        """Take the job out of the line, and stop it where it is the one that is drawn."""
        await self._http.post(f"{self._root}/queue", json={"delete": [job]})
        if running:
            await self._http.post(f"{self._root}/interrupt", json={"prompt_id": job})

    async def view(self, file: Mapping[str, Any]) -> bytes:
        """The picture's bytes."""
        names = {name: str(file.get(name, "")) for name in ("filename", "subfolder", "type")}
        answer = await self._http.get(f"{self._root}/view", params=names)
        answer.raise_for_status()
        content: bytes = answer.content
        return content

    async def _json(self, path: str) -> dict[str, Any]:
        answer = await self._http.get(f"{self._root}{path}")
        answer.raise_for_status()
        body = answer.json()
        if not isinstance(body, dict):
            raise no_picture(self._name)
        return body


def _rows(listed: Any) -> list[list[Any]]:
    """The lists of two or more in a list: jobs, or messages."""
    return [row for row in listed if isinstance(row, list) and len(row) > 1] if isinstance(listed, list) else []


def _within(thing: Any, *names: str) -> Mapping[str, Any]:
    """The object at that place, or an empty one."""
    for name in names:
        thing = thing.get(name) if isinstance(thing, dict) else None
    return thing if isinstance(thing, dict) else {}


def _node_errors(answer: httpx2.Response) -> str:
    """What the nodes say against the graph."""
    try:
        nodes = answer.json().get("node_errors") or {}
        return " ".join(f"{e.get('message')}: {e.get('details')}" for n in nodes.values() for e in n["errors"])
    except (ValueError, AttributeError, KeyError, TypeError):
        return ""
