"""What providers' queues say of a job, whether they are asked themselves or through Hugging Face's router."""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Mapping
from dataclasses import dataclass
from typing import Any
from urllib.parse import urlsplit

from shared.backends.hosted.job_frame import CameToNothing, Seen
from shared.backends.hosted.redaction import redact
from shared.errors import ContentFiltered, InferenceError, ProviderError

Ask = Callable[[str], Awaitable[Any]]  # a path -> the answer, whatever its status
_UNSAFE = ("nsfw", "safety", "content policy", "content_policy", "moderation", "sensitive")


@dataclass(frozen=True)
class Wanted:
    """What a job brings: `thing` as a person calls it, and the `places` where providers' answers have its address."""

    thing: str
    places: tuple[str, ...]

    def at(self, body: Mapping[str, Any], name: str) -> str:
        """Its address in the answer. Raises `CameToNothing` where there is none."""
        if found := _found(body, self.places):
            return found
        words = f"{name} gave no {self.thing} that is known here. Choose another model."
        raise CameToNothing(ProviderError(name, words))


CLIP = Wanted("clip", ("video", "videos", "output", "outputs", "video_url"))
SOLID = Wanted(
    "solid",
    ("model_glb", "model_mesh", "glb", "mesh", "model_urls", "model_file", "textured_mesh", "pbr_model", "output"),
)
SOUND = Wanted("sound", ("audio", "audio_file", "audio_url", "output"))


@dataclass(frozen=True)
class Queue:
    """`path` of a job by what the provider answered to it; `look` asks there for what is wanted of the one with that
    name. Raise `KeyError` and its like, or `CameToNothing`."""

    path: Callable[[Mapping[str, Any]], str]
    look: Callable[[Ask, str, str, Wanted], Awaitable[Seen]]


def refused(name: str, words: Any, thing: str = "clip") -> CameToNothing:
    """The job ended with these words of the provider's."""
    said = redact(str(words or "it gave no reason")).rstrip(".")
    error: InferenceError = ProviderError(name, f"{name} failed to make the {thing}: {said}. Try again.")
    if any(mark in said.lower() for mark in _UNSAFE):
        error = ContentFiltered(name, said)
    return CameToNothing(error)


async def _fal(ask: Ask, path: str, name: str, wanted: Wanted) -> Seen:
    told = _good(await ask(f"{path}/status"))
    status = told["status"]
    if status in {"IN_QUEUE", "IN_PROGRESS"}:
        place = told.get("queue_position")
        waits = isinstance(place, int) and not isinstance(place, bool)
        return Seen(words=f"Waiting at {name}, place {place + 1} in the queue" if waits else "")
    if status != "COMPLETED":
        raise refused(name, told.get("error") or status, wanted.thing)
    answer = await ask(path)
    if answer.status_code in {400, 422}:  # what the model itself said of the request
        raise refused(name, _detail(answer.json()), wanted.thing)
    return Seen(ready=wanted.at(_good(answer), name))


async def _wavespeed(ask: Ask, path: str, name: str, wanted: Wanted) -> Seen:
    data = _good(await ask(path))["data"]
    if data["status"] in {"created", "processing"}:
        return Seen()
    if data["status"] != "completed":
        raise refused(name, data.get("error"), wanted.thing)
    return Seen(ready=wanted.at({"output": data["outputs"]}, name))


async def _replicate(ask: Ask, path: str, name: str, wanted: Wanted) -> Seen:
    told = _good(await ask(path))
    status = told["status"]
    if status in {"starting", "processing", "queued"}:
        return Seen(words=f"Waiting for {name} to start the model" if status == "starting" else "")
    if status not in {"succeeded", "successful"}:
        raise refused(name, told.get("error") or status, wanted.thing)
    if told.get("data_removed"):
        words = f"{name} made the {wanted.thing}, and has thrown it away since: it keeps what it makes for an hour."
        raise CameToNothing(ProviderError(name, words))
    facts = {"request_id": str(told["id"])}
    if told.get("version"):  # "hidden" of official models
        facts["served_model"] = f"{told.get('model', '')}:{told['version']}"
    return Seen(ready=wanted.at({"output": told.get("output")}, name), facts=facts)


async def _together(ask: Ask, path: str, name: str, wanted: Wanted) -> Seen:
    told = _good(await ask(path))
    if told.get("status") in {None, "queued", "in_progress"}:
        return Seen()
    if told["status"] != "completed":
        raise refused(name, (told.get("error") or {}).get("message"), wanted.thing)
    return Seen(ready=wanted.at(told.get("outputs") or {}, name))


QUEUES: Mapping[str, Queue] = {
    "fal-ai": Queue(lambda body: urlsplit(str(body["response_url"])).path, _fal),
    "wavespeed": Queue(lambda body: urlsplit(str(body["data"]["urls"]["get"])).path, _wavespeed),
    "replicate": Queue(lambda body: f"/v1/predictions/{body['id']}", _replicate),
    "together": Queue(lambda body: f"/v2/videos/{body['id']}", _together),
}


def at_once(body: Mapping[str, Any], name: str, wanted: Wanted = CLIP) -> Seen:
    """What a provider without a queue has made by the time it answers."""
    return Seen(ready=wanted.at(body, name))


def _good(answer: Any) -> Any:
    answer.raise_for_status()
    return answer.json()


def _found(body: Mapping[str, Any], places: tuple[str, ...]) -> str | None:
    """The address in the first of the places that has one, however deep it lies there."""
    for place in places:
        value = body.get(place)
        value = value[0] if isinstance(value, list) and value else value
        if isinstance(value, dict):
            value = value.get("url") or _found(value, places)
        if isinstance(value, str) and value:
            return value
    return None


def _detail(body: Any) -> str:
    detail = body.get("detail", body) if isinstance(body, dict) else body
    if isinstance(detail, list):
        return "; ".join(str(each.get("msg") or each.get("type")) for each in detail if isinstance(each, dict))
    return str(detail)
