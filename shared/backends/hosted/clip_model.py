"""What the backends share that make clips: how a job is told of, and how its file becomes an output."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any, ClassVar

from shared import pricing
from shared.backends.base import Outcome, Usage
from shared.backends.hosted.account import Account
from shared.backends.hosted.clip_files import MAX_CLIP, measured
from shared.backends.hosted.clips import ClipProfile
from shared.backends.hosted.download import fetch, given_out
from shared.backends.hosted.frame import Gathering
from shared.backends.hosted.job_frame import JobCall, JobFrame, Seen
from shared.backends.hosted.sizes import Size
from shared.errors import InvalidRequest
from shared.events import Progress
from shared.outputs import VideoOutput
from shared.pricing import Cost
from shared.requests import Request, VideoRequest
from shared.video.camera import camera
from shared.video.reading import measure

if TYPE_CHECKING:
    from shared.catalog import Variant
    from shared.settings import Settings
    from shared.streaming import Emit


@dataclass(frozen=True, kw_only=True)
class ClipPiece:
    """What a look told, or the whole file at the end."""

    data: bytes = b""
    words: str = ""
    progress: float | None = None
    usage: Usage | None = None
    facts: Mapping[str, Any] = field(default_factory=dict)


@dataclass(frozen=True, kw_only=True)
class ClipCall(JobCall[VideoRequest, ClipProfile]):
    """One clip as a provider's dialect needs it."""

    @property
    def prompt(self) -> str:
        """What is to be seen, and in words what the camera does."""
        words = camera(self.request.camera).words if self.request.camera else ""
        return f"{self.request.prompt.rstrip(' .')}. {words}" if words else self.request.prompt

    @property
    def size(self) -> Size | None:
        """What to ask for, or None for the model's own."""
        return self.profile.size(self.request)

    @property
    def seconds(self) -> float | None:
        """How long it is to be, or None where the model decides."""
        return self.profile.seconds(self.request)

    @property
    def given(self) -> dict[str, Any]:
        """The settings that go by a name of the provider's own: field of the body to value."""
        named = self.profile.sent_as.items()
        return {theirs: value for ours, theirs in named if (value := getattr(self.request, ours, None)) is not None}


class HostedClips(JobFrame[VideoRequest, ClipProfile, ClipPiece]):
    """The frame: a provider's backend adds its account, its profiles and how its jobs are sent and looked at."""

    call_class: ClassVar[Any] = ClipCall
    largest_reply: ClassVar[int | None] = MAX_CLIP
    provider: ClassVar[str]  # its id in prices.toml

    def patience(self, settings: Settings) -> float | None:
        """A look is quick, but a large file takes its time."""
        return settings.picture_timeout

    def every(self, call: ClipCall) -> float:
        """As the provider likes, where the server's settings say nothing."""
        return call.profile.every if call.settings.job_poll is None else call.settings.job_poll

    def waiting(self, seen: Seen) -> ClipPiece:
        """How far it is."""
        return ClipPiece(words=seen.words, progress=seen.progress, facts=seen.facts)

    async def fetch(self, call: ClipCall, seen: Seen) -> ClipPiece:
        """The file: `seen.ready` is its bytes or its address."""
        data = seen.ready
        if isinstance(data, str):
            data = await fetch(data, call, "clip", MAX_CLIP, again=True)
        return self.whole(call, data, seen)

    async def with_key(self, call: ClipCall, seen: Seen, headers: Mapping[str, str]) -> ClipPiece:
        """The file from the server that was asked, which wants the key for it. It may send on to where the file lies;
        that place gets no key."""
        answer = await call.http.get(seen.ready, headers=dict(headers))
        if answer.status_code in {301, 302, 303, 307, 308}:
            data = await fetch(answer.headers.get("location", ""), call, "clip", MAX_CLIP, again=True)
        else:
            data = given_out(answer, call.name, "clip", again=True)
        return self.whole(call, data, seen)

    def whole(self, call: ClipCall, data: bytes, seen: Seen) -> ClipPiece:
        """The last piece. Raises `ProviderError` for what is no clip."""
        measured(data, call.name)
        facts = dict(seen.facts)
        usage = facts.pop("usage", None)
        if usage is None:  # no tokens are counted
            facts.setdefault("cost", self.cost(call.account, call.variant, call.profile, call.request))
        return ClipPiece(data=data, usage=usage, facts=facts)

    def gather(self, account: Account, profile: ClipProfile, request: VideoRequest, emit: Emit) -> Gathering[ClipPiece]:
        """The file, once it is there."""
        size = profile.size(request)
        if size and request.width and (request.width, request.height) != (size.width, size.height):
            emit(Progress(f"{account.name} offers {size.width} × {size.height} as the nearest size"))
        return _Clip(account.name, emit)

    def possible(self, account: Account, profile: ClipProfile, request: Request) -> tuple[VideoRequest, dict[str, str]]:
        """Raises `InvalidRequest` for a length that isn't made, or a prompt that is too long."""
        assert isinstance(request, VideoRequest)
        profile.seconds(request)
        length = len(request.prompt.encode("utf-16-le")) // 2
        if profile.prompt and length > profile.prompt:
            raise InvalidRequest(
                f"{account.name} takes prompts of {profile.prompt:,} characters; this one has {length:,}. Shorten it."
            )
        return request, {}

    async def prepared(self, call: ClipCall) -> Any:
        """Raises `InvalidRequest` where a picture is missing that the model needs."""
        _complete(call.profile, call.request)

    def cost(self, account: Account, variant: Variant, profile: ClipProfile, request: VideoRequest) -> Cost:
        """What it will cost by the list, as far as that is known."""
        if account.endpoint.local or account.chosen:
            return pricing.OWN_SERVER
        size = profile.size(request)
        scale = size.scale if size else next((name for name, times in profile.scales.items() if times == 1), "")
        return pricing.by_the_second(self.provider, variant.repo_id, profile.seconds(request), scale)

    def quote(self, variant: Variant, settings: Settings, request: Request) -> Cost:
        """The same before anything is sent. Raises `InvalidRequest` for what can't be made."""
        account, profile = self.account(variant, settings), self.profile(variant)
        possible, _ = self.possible(account, profile, request)
        _complete(profile, possible)
        return self.cost(account, variant, profile, possible)


def _complete(profile: ClipProfile, request: VideoRequest) -> None:
    if profile.needs_start and request.image is None:
        raise InvalidRequest("This model moves a picture: it needs a first one. Choose a picture, or another model.")
    if profile.needs_clip and request.video is None:
        raise InvalidRequest("This model goes on from a clip. Put one in under Make, or press “Go on” under Edit.")
    seconds = measure(request.video.data).seconds if request.video is not None and profile.clip else 0.0
    if seconds > profile.clip + 0.1:
        raise InvalidRequest(
            f"This model goes on from clips of {profile.clip:g} seconds at most; this has {seconds:.1f}. Cut it first."
        )
    for given in (request.image, request.last_image):
        if profile.picture and given is not None and len(given.data_url) > profile.picture:
            most = profile.picture * 3 // 4 / 1e6
            raise InvalidRequest(f"The picture is too large for this model: {most:.1f} MB go. Make it smaller.")
    if request.last_image is not None and request.image is None:
        raise InvalidRequest("A last picture goes with a first one only. Choose a first picture too.")


class OneFile(Gathering[ClipPiece]):
    """What looks at a job told, and the whole file at its end; a subclass makes the output of it."""

    def __init__(self, provider: str, emit: Emit) -> None:
        self._provider, self._emit = provider, emit
        self._data = b""
        self._usage = Usage()
        self._facts: dict[str, Any] = {}

    @property
    def began(self) -> bool:
        """Whether the file is there."""
        return bool(self._data)

    def add(self, piece: ClipPiece) -> None:
        """Take it in."""
        self._facts.update(piece.facts)
        self._usage = piece.usage or self._usage
        if piece.data:
            self._data, self.finish = piece.data, "stop"
            return
        words = piece.words or f"{self._provider} is at work; you may leave, it is kept under “Jobs”"
        self._emit(Progress(words, piece.progress, None if piece.progress is None else 1.0))


class _Clip(OneFile):
    def outcome(self, facts: Mapping[str, Any]) -> Outcome:
        """The clip, with what the file says of itself."""
        about = measured(self._data, self._provider)
        output = VideoOutput(
            video=self._data,
            media_type=about.media_type,
            width=about.width,
            height=about.height,
            num_frames=about.frames,
            fps=about.fps,
        )
        return Outcome(output=output, usage=self._usage, facts={**self._facts, **facts})
