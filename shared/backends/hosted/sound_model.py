"""What the backends share that make whole sounds from words: what each honours, and how its file becomes a sound."""

from __future__ import annotations

import tomllib
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, Any, ClassVar

from shared.audio.pcm import to_pcm
from shared.backends.base import Outcome, Usage
from shared.backends.endpoints import Profile, matching, read_models, read_profile
from shared.backends.hosted.account import Account
from shared.backends.hosted.frame import Gathering, HostedCall, HostedFrame
from shared.backends.hosted.speech_model import no_sound
from shared.errors import InferenceError, InvalidRequest
from shared.events import Progress
from shared.media.sound.opening import open_channels
from shared.outputs import AudioOutput
from shared.requests import AudioRequest, Request

if TYPE_CHECKING:
    from shared.settings import Settings
    from shared.streaming import Emit

MAX_REPLY = 100_000_000  # bytes: ten minutes of stereo, uncompressed


@dataclass(frozen=True, kw_only=True)
class SoundProfile(Profile):
    """A row of sounding.toml, which says what each means."""

    shortest: float = 0.5
    longest: float = 600.0
    path: str = ""
    text: str = ""
    seconds: tuple[Any, ...] = ()
    sent_as: Mapping[str, str] = field(default_factory=dict)
    body: Mapping[str, Any] = field(default_factory=dict)
    every: float = 2.0


def asked(request: AudioRequest, profile: SoundProfile) -> dict[str, Any]:
    """The fields of the provider's body: the words, how long, and what else goes by a name of its own."""
    body: dict[str, Any] = {**profile.body, profile.text: request.prompt}
    if request.duration and profile.seconds:
        name, times = profile.seconds
        body[name] = round(request.duration * times, 1) if times == 1 else round(request.duration * times)
    for ours, theirs in profile.sent_as.items():
        if (value := getattr(request, ours, None)) is not None:
            body[theirs] = value
    return body


def _rows() -> dict[str, tuple[SoundProfile, tuple[tuple[tuple[str, ...], SoundProfile], ...]]]:
    found = {}
    for name, row in tomllib.loads(Path(__file__).with_name("sounding.toml").read_text(encoding="utf-8")).items():
        base = row.get("honours", {})
        models = [{**each, "seconds": tuple(each.get("seconds", ()))} for each in row.get("model", ())]
        found[name] = read_profile(SoundProfile, base, {}), read_models(SoundProfile, base, models)
    return found


_ROWS = _rows()


def sounding(provider: str, model: str) -> SoundProfile:
    """What the provider honours for the model of that name."""
    default, rows = _ROWS[provider]
    return matching(rows, model) or default


@dataclass(frozen=True, kw_only=True)
class SoundPiece:
    """What a provider's answer told: the whole file, and facts for the receipt; or words of how far it is."""

    data: bytes = b""
    words: str = ""
    usage: Usage | None = None
    facts: Mapping[str, Any] = field(default_factory=dict)


@dataclass(frozen=True, kw_only=True)
class SoundCall(HostedCall[AudioRequest, SoundProfile]):
    """One sound as a provider's dialect needs it."""


class HostedSound(HostedFrame[AudioRequest, SoundProfile, SoundPiece]):
    """The frame: a provider's backend adds its account, its profiles and how it is asked."""

    call_class: ClassVar[Any] = SoundCall
    largest_reply: ClassVar[int | None] = MAX_REPLY

    def patience(self, settings: Settings) -> float | None:
        """As for a picture: nothing comes before all of it is there."""
        return settings.picture_timeout

    def gather(
        self, account: Account, profile: SoundProfile, request: AudioRequest, emit: Emit
    ) -> Gathering[SoundPiece]:
        """The file, once it is there."""
        return _Whole(account.name, emit)

    def possible(
        self, account: Account, profile: SoundProfile, request: Request
    ) -> tuple[AudioRequest, dict[str, str]]:
        """Raises `InvalidRequest` for a duration that the provider doesn't make."""
        assert isinstance(request, AudioRequest)
        seconds = request.duration
        if "duration" in profile.takes and seconds and not profile.shortest <= seconds <= profile.longest:
            raise InvalidRequest(
                f"{account.name} makes {profile.shortest:g} to {profile.longest:g} seconds with this model. "
                "Change the duration."
            )
        return request, {}


class _Whole(Gathering[SoundPiece]):
    def __init__(self, provider: str, emit: Emit) -> None:
        self._provider, self._emit, self._data, self._usage = provider, emit, b"", Usage()
        self._facts: dict[str, Any] = {}

    @property
    def began(self) -> bool:
        """Whether the file is there."""
        return bool(self._data)

    def add(self, piece: SoundPiece) -> None:
        """Take it in."""
        self._facts.update(piece.facts)
        self._usage = piece.usage or self._usage
        self._data = piece.data or self._data
        if piece.words:
            self._emit(Progress(piece.words))
        self.finish = "stop" if self._data else self.finish

    def problem(self, provider: str) -> InferenceError | None:
        """An answer that is no sound."""
        try:
            self._samples = open_channels(self._data, max_bytes=MAX_REPLY)
        except InvalidRequest:
            return no_sound(provider)
        return None

    def outcome(self, facts: Mapping[str, Any]) -> Outcome:
        """The sound, decoded."""
        samples, rate = self._samples
        output = AudioOutput(pcm=to_pcm(samples.reshape(-1)), sample_rate=rate, channels=samples.shape[1])
        return Outcome(output=output, usage=self._usage, facts={**self._facts, **facts})
