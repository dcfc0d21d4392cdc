"""What the backends that speak share: the pieces of a speech, and how they become one sound."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any, ClassVar

from shared.audio.cloning.marking import marker
from shared.audio.script import Utterance, utterances
from shared.audio.speaking import Speaking
from shared.backends.base import Outcome, Usage
from shared.backends.hosted.account import Account
from shared.backends.hosted.frame import Gathering, HostedCall, HostedFrame
from shared.backends.hosted.speaking import SpeakingProfile
from shared.backends.hosted.usage import added
from shared.errors import InferenceError, InvalidRequest, ProviderError
from shared.events import Progress, Word
from shared.requests import Request, SpeechRequest

if TYPE_CHECKING:
    from shared.streaming import Emit

MAX_REPLY = 256 * 2**20  # bytes: an hour and a half of raw sound at 24 kHz


@dataclass(frozen=True, kw_only=True)
class SpeechPiece:
    """What one event told. `begin`: this utterance is next; `samples` of it (float32, `rate` a second); `end`: over.

    `words` come with the end, their times counted from the utterance's first sample.
    """

    begin: Utterance | None = None
    samples: Any = None
    rate: int = 0
    end: bool = False
    words: tuple[Word, ...] = ()
    progress: str = ""
    usage: Usage | None = None
    finish: bool = False
    facts: Mapping[str, Any] = field(default_factory=dict)


@dataclass(frozen=True, kw_only=True)
class SpeechCall(HostedCall[SpeechRequest, SpeakingProfile]):
    """One speech as a provider's dialect needs it."""

    @property
    def utterances(self) -> list[Utterance]:
        """What to say in each call, in order."""
        return utterances(self.request, self.profile.most, packed=True)

    def voice(self, utterance: Utterance) -> str:
        """The voice's id there, "" where none is known."""
        return self.profile.voice(utterance.voice)


class HostedSpeech(HostedFrame[SpeechRequest, SpeakingProfile, SpeechPiece]):
    """The frame for speaking: a provider's backend adds its account, its profiles and how its answers read."""

    call_class: ClassVar[Any] = SpeechCall
    largest_reply: ClassVar[int | None] = MAX_REPLY

    def gather(
        self, account: Account, profile: SpeakingProfile, request: SpeechRequest, emit: Emit
    ) -> Gathering[SpeechPiece]:
        """Sound, shown as it comes."""
        return _Speech(account.name, request, len(utterances(request, profile.most, packed=True)), emit)

    def possible(
        self, account: Account, profile: SpeakingProfile, request: Request
    ) -> tuple[SpeechRequest, dict[str, str]]:
        """Raises `InvalidRequest` for a value too high, or a script that says nothing."""
        assert isinstance(request, SpeechRequest)
        for name, most in profile.limits.items():
            if (getattr(request, name) or 0) > most:
                raise InvalidRequest(f"{account.name} takes {name} up to {most:g}. Lower it.")
        utterances(request, profile.most, packed=True)
        return request, {}


class _Speech(Gathering[SpeechPiece]):
    """The sound of one run."""

    def __init__(self, provider: str, request: SpeechRequest, count: int, emit: Emit) -> None:
        self._provider, self._request, self._count, self._emit = provider, request, count, emit
        self._speaking: Speaking | None = None
        self._waiting: Utterance | None = None  # one that began before the rate of its samples was known
        self._usage = Usage()
        self._facts: dict[str, Any] = {}

    @property
    def began(self) -> bool:
        """Whether anything was heard."""
        return self._speaking is not None and self._speaking.at > 0

    def add(self, piece: SpeechPiece) -> None:
        """Take one in. Raises `ProviderError` where the parts don't fit together."""
        self._facts.update(piece.facts)
        if piece.usage is not None:
            self._usage = added(self._usage, piece.usage)
        if piece.progress:
            self._emit(Progress(piece.progress))
        if piece.begin is not None:
            self._begin(piece.begin)
        if piece.samples is not None and len(piece.samples):
            self._speaking_at(piece.rate).add(piece.samples)
        if piece.end and self._speaking is not None and self._waiting is None:
            self._speaking.end(piece.words)
        if piece.finish:
            self.finish = "stop"

    def _begin(self, utterance: Utterance) -> None:
        if self._speaking is None:
            self._waiting = utterance
        else:
            self._speaking.begin(utterance)

    def _speaking_at(self, rate: int) -> Speaking:
        if self._speaking is None:
            mark = marker(self._request, rate)
            self._speaking = Speaking(self._emit, rate, self._count, self._request.speed, mark)
        if self._waiting is not None:
            self._speaking.begin(self._waiting)
            self._waiting = None
        if rate != self._speaking.rate:
            raise ProviderError(self._provider, f"{self._provider} sent parts of different sample rates. Try again.")
        return self._speaking

    def problem(self, provider: str) -> InferenceError | None:
        """An answer without any sound."""
        return None if self.began else no_sound(provider)

    def outcome(self, facts: Mapping[str, Any]) -> Outcome:
        """The sound."""
        assert self._speaking is not None
        return Outcome(output=self._speaking.output(), usage=self._usage, facts={**self._facts, **facts})


def no_sound(provider: str) -> ProviderError:
    """What came is no speech."""
    return ProviderError(provider, f"{provider} sent no sound that can be heard. Try again, or choose another engine.")
