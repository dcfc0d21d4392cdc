"""What the backends share that have solids made: what must be there first, and how a mesh becomes an output."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING, Any, ClassVar

from shared import pricing
from shared.backends.base import Outcome, Usage
from shared.backends.hosted.account import Account
from shared.backends.hosted.clip_model import ClipPiece, OneFile
from shared.backends.hosted.download import fetch
from shared.backends.hosted.frame import Gathering
from shared.backends.hosted.job_frame import JobCall, JobFrame, Seen
from shared.backends.hosted.limits import MIB
from shared.backends.hosted.solids import SolidProfile, profile_of
from shared.errors import InvalidRequest, ProviderError
from shared.outputs import SolidOutput
from shared.pricing import Cost
from shared.requests import Request, SolidRequest
from shared.requests.solid import VIEWS

if TYPE_CHECKING:
    from shared.catalog import Variant
    from shared.settings import Settings
    from shared.solid.mesh import Solid
    from shared.streaming import Emit

MAX_SOLID = 60 * MIB  # bytes: what is opened of anybody's meshes
SIZE_MM = 60.0
_KEPT = "Of the provider's materials the colours are kept; how it shines is set by the material that is chosen here."


class HostedSolids(JobFrame[SolidRequest, SolidProfile, ClipPiece]):
    """The frame: a provider's backend adds its account, and how its jobs are sent and looked at."""

    call_class: ClassVar[Any] = JobCall
    largest_reply: ClassVar[int | None] = MAX_SOLID
    provider: ClassVar[str]  # its id in solids.toml and prices.toml

    def profile(self, variant: Variant) -> SolidProfile:
        """What `solids.toml` says of the model."""
        return profile_of(self.provider, variant.repo_id)

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

    def waiting(self, seen: Seen) -> ClipPiece:
        """How far it is."""
        return ClipPiece(words=seen.words, progress=seen.progress, facts=seen.facts)

    async def fetch(self, call: Any, seen: Seen) -> ClipPiece:
        """The mesh, looked at before it is taken."""
        data = await fetch(str(seen.ready), call, "solid", MAX_SOLID, again=True)
        _opened(data, call.name)
        return ClipPiece(data=data, facts={"cost": self._price(call.account, call.variant), **seen.facts})

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
        return self._price(account, variant)

    def _price(self, account: Account, variant: Variant) -> Cost:
        return pricing.OWN_SERVER if account.chosen else pricing.by_the_run(self.provider, variant.repo_id)


def _complete(profile: SolidProfile, request: SolidRequest) -> None:
    if profile.needs_picture and request.image is None:
        raise InvalidRequest("This model starts from a picture. Add one, or choose a model that reads words.")
    if profile.words and not request.prompt.strip() and (request.image is None or not profile.either):
        raise InvalidRequest("This model reads words. Write what it should be, or choose one that reads pictures.")
    missing = [VIEWS[name] for name in profile.needs_views if getattr(request, name) is None]
    if missing:
        raise InvalidRequest(f"This model also needs a picture of each of these sides: {', '.join(missing)}. Add them.")
    if request.image is None and any(getattr(request, name) is not None for name in VIEWS):
        raise InvalidRequest("Pictures from other sides go with one of the front. Add that too.")


class _Mesh(OneFile):
    def __init__(self, provider: str, request: SolidRequest, emit: Emit) -> None:
        super().__init__(provider, emit)
        self._request = request

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
