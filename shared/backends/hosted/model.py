"""What the chat backends of all providers share: the pieces of an answer, and how they become one."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from typing import TYPE_CHECKING, Any, ClassVar

from shared.backends.base import Outcome, Usage
from shared.backends.endpoints import Profile
from shared.backends.hosted.account import Account
from shared.backends.hosted.frame import Gathering, HostedCall, HostedFrame
from shared.errors import InvalidRequest
from shared.events import Partial
from shared.outputs import ChatOutput, FinishReason
from shared.requests import ChatRequest, Request

if TYPE_CHECKING:
    from shared.streaming import Emit


@dataclass(frozen=True, kw_only=True)
class Piece:
    """What one event of a provider's stream told: any of output, token counts, the end, and facts."""

    partial: Partial | None = None
    usage: Usage | None = None
    finish: FinishReason | None = None
    facts: Mapping[str, Any] = field(default_factory=dict)


@dataclass(frozen=True, kw_only=True)
class Call(HostedCall[ChatRequest, Profile]):
    """One answer as a provider's dialect needs it."""

    @property
    def effort(self) -> Any:
        """What the reasoning effort asked for is to this provider, or None. Raises `InvalidRequest`."""
        asked = self.request.reasoning_effort
        if asked is None:
            return None
        if asked not in self.profile.efforts:
            have = ", ".join(self.profile.efforts)
            raise InvalidRequest(f"This model has no thinking effort “{asked}”. Choose one of: {have}.")
        return self.profile.efforts[asked]


class HostedBackend(HostedFrame[ChatRequest, Profile, Piece]):
    """The frame for chat: a provider's backend adds its account, its profiles and how its stream reads."""

    call_class: ClassVar[Any] = Call

    def gather(self, account: Account, profile: Profile, request: ChatRequest, emit: Emit) -> Gathering[Piece]:
        """An answer's pieces."""
        return _Answer(emit)

    def possible(self, account: Account, profile: Profile, request: Request) -> tuple[ChatRequest, dict[str, str]]:
        """Without settings that exclude each other, and the reason for each; a value too high is refused."""
        assert isinstance(request, ChatRequest)
        for name, most in profile.limits.items():
            if (getattr(request, name) or 0) > most:
                raise InvalidRequest(f"{account.name} takes {name} up to {most:g}. Lower it.")
        given = request.settings()
        left_out = {
            name: f"{account.name} takes only one of {', '.join(profile.one_of)} at a time."
            for name in [each for each in profile.one_of if each in given][1:]
        }
        if request.reasoning_effort and profile.efforts.get(request.reasoning_effort) not in {0, "disabled"}:
            reason = f"{account.name} takes it only while the model doesn't think."
            left_out |= {name: reason for name in profile.unless_thinking if name in given}
        blank: dict[str, Any] = dict.fromkeys(left_out)
        return replace(request, **blank), left_out


class _Answer(Gathering[Piece]):
    """The pieces of an answer."""

    def __init__(self, emit: Emit) -> None:
        self._emit = emit
        self._partials: list[Partial] = []
        self._usage = Usage()
        self._facts: dict[str, Any] = {}

    @property
    def began(self) -> bool:
        """Whether any output came."""
        return bool(self._partials)

    def add(self, piece: Piece) -> None:
        """Take one in."""
        self._usage = piece.usage or self._usage
        self.finish = piece.finish or self.finish
        self._facts.update(piece.facts)
        if piece.partial is not None:
            self._partials.append(piece.partial)
            self._emit(piece.partial)

    def problem(self, provider: str) -> InvalidRequest | None:
        """Why an answer that came to its end is none, or None."""
        if self.finish == "length" and not any(p.text for p in self._partials):
            return InvalidRequest(
                f"{provider}'s model spent the whole answer length on thinking, before it began to answer. "
                "Raise the maximum answer length, or lower the thinking effort."
            )
        return None

    def outcome(self, facts: Mapping[str, Any]) -> Outcome:
        """All of it."""
        output = ChatOutput(
            text="".join(p.text for p in self._partials),
            thinking="".join(p.thinking for p in self._partials),
            tokens=tuple(t for p in self._partials for t in p.tokens),
            finish_reason=self.finish or "stop",
        )
        return Outcome(output=output, usage=self._usage, facts={**self._facts, **facts})
