"""Solids by fal's models (TRELLIS, Hunyuan3D and their like), as jobs in its queue.

https://fal.ai/docs/inference-api/queue
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING, Any, ClassVar
from urllib.parse import urlsplit

from shared import pricing
from shared.backends.base import Outcome, Usage
from shared.backends.hosted.account import Account, account_at
from shared.backends.hosted.clip_model import ClipPiece
from shared.backends.hosted.clips import PROVIDERS
from shared.backends.hosted.download import fetch
from shared.backends.hosted.frame import Gathering
from shared.backends.hosted.job_frame import CameToNothing, JobCall, JobFrame, Seen, Sent
from shared.backends.hosted.limits import MIB
from shared.backends.hosted.redaction import redact
from shared.backends.hosted.solids import SolidProfile, profile_of
from shared.errors import ContentFiltered, InferenceError, InvalidRequest, ProviderError
from shared.events import Progress
from shared.outputs import SolidOutput
from shared.pricing import Cost
from shared.requests import Request, SolidRequest

if TYPE_CHECKING:
    from shared.catalog import Variant
    from shared.settings import Settings
    from shared.solid.mesh import Solid
    from shared.streaming import Emit

MAX_SOLID = 60 * MIB  # bytes: what is opened of anybody's meshes
SIZE_MM = 60.0
_UNSAFE = ("nsfw", "safety", "content policy", "content_policy", "moderation", "sensitive")
_PLACES = ("model_glb", "model_mesh", "glb", "mesh", "model_urls")  # where fal's models put the mesh
_KEPT = "Of the provider's materials the colours are kept; how it shines is set by the material that is chosen here."


class FalSolid(JobFrame[SolidRequest, SolidProfile, ClipPiece]):
    """Models by their endpoint's name at fal in `variant.repo_id`, for example `fal-ai/trellis`."""

    package = distribution = "httpx2"
    call_class: ClassVar[Any] = JobCall
    largest_reply: ClassVar[int | None] = MAX_SOLID
    cancels = True

    def account(self, variant: Variant, settings: Settings) -> Account:
        """Raises `MissingCredentials` without a key."""
        return account_at(PROVIDERS["fal"], settings)

    def profile(self, variant: Variant) -> SolidProfile:
        """What `solids.toml` says of the model."""
        return profile_of("fal", variant.repo_id)

    def patience(self, settings: Settings) -> float | None:
        """A look is quick, but a large file takes its time."""
        return settings.picture_timeout

    def every(self, call: Any) -> float:
        """As the table says, where the server's settings say nothing."""
        seconds: float = call.profile.every if call.settings.job_poll is None else call.settings.job_poll
        return seconds

    def possible(
        self, account: Account, profile: SolidProfile, request: Request
    ) -> tuple[SolidRequest, dict[str, str]]:
        """All of it."""
        assert isinstance(request, SolidRequest)
        return request, {}

    async def prepared(self, call: Any) -> Any:
        """Raises `InvalidRequest` where the model lacks what it starts from."""
        _complete(call.profile, call.request)

    async def submit(self, call: Any, prepared: Any) -> Sent:
        """Into the queue."""
        answer = await call.http.post(f"{_root(call)}/{call.variant.repo_id}", json=_body(call), headers=_headers(call))
        answer.raise_for_status()
        return Sent(upstream=urlsplit(str(answer.json()["response_url"])).path)

    async def look(self, call: Any, upstream: str) -> Seen:
        """Only the path is taken from what fal said."""
        answer = await call.http.get(f"{_root(call)}{upstream}/status", headers=_headers(call))
        answer.raise_for_status()
        told = answer.json()
        status = told["status"]
        if status in {"IN_QUEUE", "IN_PROGRESS"}:
            place = told.get("queue_position")
            waits = isinstance(place, int) and not isinstance(place, bool)
            return Seen(words=f"Waiting at {call.name}, place {place + 1} in the queue" if waits else "")
        if status != "COMPLETED":
            raise _refused(call.name, told.get("error") or status)
        answer = await call.http.get(f"{_root(call)}{upstream}", headers=_headers(call))
        if answer.status_code in {400, 422}:  # what the model itself said of the request
            raise _refused(call.name, _detail(answer.json()))
        answer.raise_for_status()
        return Seen(ready=_address(answer.json(), call.name))

    def waiting(self, seen: Seen) -> ClipPiece:
        """How far it is."""
        return ClipPiece(words=seen.words, progress=seen.progress)

    async def fetch(self, call: Any, seen: Seen) -> ClipPiece:
        """The mesh, looked at before it is taken."""
        data = await fetch(str(seen.ready), call, "solid", MAX_SOLID, again=True)
        _opened(data, call.name)
        return ClipPiece(data=data, facts={"cost": _price(call.account, call.variant)})

    async def stop(self, call: Any, upstream: str) -> None:
        """A job in the queue is taken out; one that runs is told to stop."""
        answer = await call.http.put(f"{_root(call)}{upstream}/cancel", headers=_headers(call))
        answer.raise_for_status()

    def gather(
        self, account: Account, profile: SolidProfile, request: SolidRequest, emit: Emit
    ) -> Gathering[ClipPiece]:
        """The mesh, once it is there."""
        return _Mesh(account.name, request, emit)

    def quote(self, variant: Variant, settings: Settings, request: Request) -> Cost:
        """What it will cost by the list. Raises `InvalidRequest` for what can't be made."""
        account = self.account(variant, settings)
        assert isinstance(request, SolidRequest)
        _complete(self.profile(variant), request)
        return _price(account, variant)


def _complete(profile: SolidProfile, request: SolidRequest) -> None:
    if profile.needs_picture and request.image is None:
        raise InvalidRequest("This model starts from a picture. Add one, or choose a model that reads words.")
    if profile.words and not request.prompt.strip():
        raise InvalidRequest("This model reads words. Write what it should be, or choose one that reads pictures.")


def _price(account: Account, variant: Variant) -> Cost:
    return pricing.OWN_SERVER if account.chosen else pricing.by_the_run("fal", variant.repo_id)


class _Mesh(Gathering[ClipPiece]):
    def __init__(self, provider: str, request: SolidRequest, emit: Emit) -> None:
        self._provider, self._request, self._emit = provider, request, emit
        self._data = b""
        self._facts: dict[str, Any] = {}

    @property
    def began(self) -> bool:
        """Whether the file is there."""
        return bool(self._data)

    def add(self, piece: ClipPiece) -> None:
        """Take it in."""
        self._facts.update(piece.facts)
        if piece.data:
            self._data, self.finish = piece.data, "stop"
            return
        self._emit(Progress(piece.words or f"{self._provider} is at work; you may leave, it is kept under “Jobs”"))

    def outcome(self, facts: Mapping[str, Any]) -> Outcome:
        """The solid in the size that was asked for."""
        solid = _opened(self._data, self._provider).scaled_to(self._request.size_mm or SIZE_MM)
        told = {**self._facts, "notes": (_KEPT,), **facts}
        return Outcome(output=SolidOutput(solid=solid, picture=self._request.image), usage=Usage(), facts=told)


def _opened(data: bytes, provider: str) -> Solid:
    from shared.solid.opening import read_solid

    try:
        return read_solid(data, ".glb", f"{provider}'s file")
    except InvalidRequest as error:
        raise ProviderError(provider, f"{provider} sent something that is no whole mesh: {error}") from None


def _root(call: Any) -> str:
    address: str = call.account.base_url.rstrip("/")
    return address


def _headers(call: Any) -> dict[str, str]:
    return {"Authorization": f"Key {call.account.reveal()}"}


def _body(call: Any) -> dict[str, Any]:
    request, profile = call.request, call.profile
    body: dict[str, Any] = {"prompt": request.prompt} if profile.words else {}
    if request.image is not None:
        body[profile.picture] = request.image.data_url
    for ours, theirs in profile.sent_as.items():
        if (value := getattr(request, ours)) is not None:
            body[theirs] = value
    return body


def _address(body: Mapping[str, Any], name: str) -> str:
    """The GLB's address, wherever the model puts it."""
    for place in _PLACES:
        found = body.get(place)
        if isinstance(found, dict):
            found = found.get("url") or found.get("glb")
            found = found.get("url") if isinstance(found, dict) else found
        if isinstance(found, str) and found:
            return found
    raise CameToNothing(ProviderError(name, f"{name} gave no mesh that is known here. Choose another model."))


def _refused(name: str, words: Any) -> CameToNothing:
    said = redact(str(words or "it gave no reason"))
    error: InferenceError = ProviderError(name, f"{name} failed to make the solid: {said}. Try again.")
    if any(mark in said.lower() for mark in _UNSAFE):
        error = ContentFiltered(name, said)
    return CameToNothing(error)


def _detail(body: Any) -> str:
    detail = body.get("detail", body) if isinstance(body, dict) else body
    if isinstance(detail, list):
        return "; ".join(str(each.get("msg") or each.get("type")) for each in detail if isinstance(each, dict))
    return str(detail)
