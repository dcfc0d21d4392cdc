"""What providers' queues say of a job, whether they are asked themselves or through Hugging Face's router."""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Mapping
from dataclasses import dataclass
from typing import Any
from urllib.parse import urlsplit

from shared.backends.hosted.clip_files import no_clip
from shared.backends.hosted.job_frame import CameToNothing, Seen
from shared.backends.hosted.redaction import redact
from shared.errors import ContentFiltered, InferenceError, ProviderError

Ask = Callable[[str], Awaitable[Any]]  # a path -> the answer, whatever its status
_UNSAFE = ("nsfw", "safety", "content policy", "content_policy", "moderation", "sensitive")


@dataclass(frozen=True)
class Queue:
    """`path` of a job by what the provider answered to it; `look` asks there. Raise `KeyError` and its like, or
    `CameToNothing`."""

    path: Callable[[Mapping[str, Any]], str]
    look: Callable[[Ask, str, str], Awaitable[Seen]]


def refused(name: str, words: Any) -> CameToNothing:
    """The job ended with these words of the provider's."""
    said = redact(str(words or "it gave no reason"))
    error: InferenceError = ProviderError(name, f"{name} failed to make the clip: {said}. Try again.")
    if any(mark in said.lower() for mark in _UNSAFE):
        error = ContentFiltered(name, said)
    return CameToNothing(error)


async def _fal(ask: Ask, path: str, name: str) -> Seen:
    told = _good(await ask(f"{path}/status"))
    status = told["status"]
    if status in {"IN_QUEUE", "IN_PROGRESS"}:
        place = told.get("queue_position")
        return Seen(words=f"Waiting at {name}, place {place + 1} in the queue" if isinstance(place, int) else "")
    if status != "COMPLETED":
        raise refused(name, told.get("error") or status)
    answer = await ask(path)
    if answer.status_code in {400, 422}:  # what the model itself said of the request
        raise refused(name, _detail(answer.json()))
    return Seen(ready=_address(_good(answer), name))


async def _wavespeed(ask: Ask, path: str, name: str) -> Seen:
    data = _good(await ask(path))["data"]
    if data["status"] in {"created", "processing"}:
        return Seen()
    if data["status"] != "completed":
        raise refused(name, data.get("error"))
    return Seen(ready=_address({"output": data["outputs"]}, name))


async def _replicate(ask: Ask, path: str, name: str) -> Seen:
    told = _good(await ask(path))
    if told["status"] in {"starting", "processing", "queued"}:
        return Seen()
    if told["status"] not in {"succeeded", "successful"}:
        raise refused(name, told.get("error") or told["status"])
    return Seen(ready=_address(told, name))


async def _together(ask: Ask, path: str, name: str) -> Seen:
    told = _good(await ask(path))
    if told.get("status") in {None, "queued", "in_progress"}:
        return Seen()
    if told["status"] != "completed":
        raise refused(name, (told.get("error") or {}).get("message"))
    return Seen(ready=_address(told.get("outputs") or {}, name))


QUEUES: Mapping[str, Queue] = {
    "fal-ai": Queue(lambda body: urlsplit(str(body["response_url"])).path, _fal),
    "wavespeed": Queue(lambda body: urlsplit(str(body["data"]["urls"]["get"])).path, _wavespeed),
    "replicate": Queue(lambda body: f"/v1/predictions/{body['id']}", _replicate),
    "together": Queue(lambda body: f"/v2/videos/{body['id']}", _together),
}


def at_once(body: Mapping[str, Any], name: str) -> Seen:
    """What a provider without a queue has made by the time it answers."""
    return Seen(ready=_address(body, name))


def _good(answer: Any) -> Any:
    answer.raise_for_status()
    return answer.json()


def _address(body: Mapping[str, Any], name: str) -> str:
    """The clip's address, wherever a provider puts it."""
    for place in ("video", "videos", "output", "outputs", "video_url"):
        found = body.get(place)
        found = found[0] if isinstance(found, list) and found else found
        if isinstance(found, dict):
            found = found.get("url") or found.get("video_url")
        if isinstance(found, str) and found:
            return found
    raise CameToNothing(no_clip(name))


def _detail(body: Any) -> str:
    detail = body.get("detail", body) if isinstance(body, dict) else body
    if isinstance(detail, list):
        return "; ".join(str(each.get("msg") or each.get("type")) for each in detail if isinstance(each, dict))
    return str(detail)
