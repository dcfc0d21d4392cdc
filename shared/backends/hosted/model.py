"""A hosted model ready to run, and the frame that the backends of all providers fill in."""

from __future__ import annotations

import importlib.metadata
import sys
from collections.abc import AsyncIterator, Mapping
from contextlib import aclosing
from dataclasses import dataclass, field, replace
from importlib import import_module
from typing import TYPE_CHECKING, Any, ClassVar

from shared.backends.base import Capabilities, Outcome, Usage, require
from shared.backends.endpoints import Profile
from shared.backends.hosted.account import Account
from shared.backends.hosted.failures import Failed, ended_early, translate
from shared.backends.hosted.http import open_client
from shared.backends.hosted.loop import run_async
from shared.backends.hosted.pace import paced
from shared.errors import InvalidRequest
from shared.events import Partial, Progress
from shared.outputs import ChatOutput, FinishReason
from shared.requests import ChatRequest, Request

if TYPE_CHECKING:
    import httpx2

    from shared.catalog import Variant
    from shared.settings import Settings
    from shared.streaming import Emit


@dataclass(frozen=True, kw_only=True)
class Piece:
    """What one event of a provider's stream told: any of output, token counts, the end, and facts."""

    partial: Partial | None = None
    usage: Usage | None = None
    finish: FinishReason | None = None
    facts: Mapping[str, Any] = field(default_factory=dict)


@dataclass(frozen=True, kw_only=True)
class Call:
    """One run as a provider's dialect needs it."""

    account: Account
    variant: Variant
    profile: Profile
    request: ChatRequest
    http: httpx2.AsyncClient

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


class HostedBackend:
    """The frame: a provider's backend says which account and package it needs, and how its stream reads."""

    package: ClassVar[str]  # the module of the SDK
    distribution: ClassVar[str]  # the package that carries it

    def account(self, variant: Variant, settings: Settings) -> Account:
        """Where the variant is served. Raises `MissingCredentials` or another `BackendError`."""
        raise NotImplementedError

    def profile(self, variant: Variant) -> Profile:
        """What is honoured for the variant."""
        raise NotImplementedError

    def stream(self, call: Call) -> AsyncIterator[Piece]:
        """Ask the provider and read its stream. Errors may be the SDK's own."""
        raise NotImplementedError

    def check(self, variant: Variant, settings: Settings) -> None:
        """Raise `MissingDependency`, `MissingCredentials`, or `BackendError` for an address not to be called."""
        require(self.package, self.distribution)
        self.account(variant, settings)

    def capabilities(self, variant: Variant) -> Capabilities:
        """What the tables say of the model."""
        return self.profile(variant).capabilities()

    def load(self, variant: Variant, settings: Settings, emit: Emit) -> HostedModel:
        """Cheap after the SDK's first import. The client is made for each run and closed after it."""
        if self.package not in sys.modules:
            emit(Progress(f"Getting {self.distribution} ready"))
            import_module(self.package)
        return HostedModel(self, variant, settings)


class HostedModel:
    """One person's way to a provider's model."""

    concurrency = 0

    def __init__(self, backend: HostedBackend, variant: Variant, settings: Settings) -> None:
        self._backend, self._variant, self._settings = backend, variant, settings
        self._account = backend.account(variant, settings)
        self.capabilities = backend.capabilities(variant)
        self.facts: Mapping[str, Any] = {
            "priced_as": self._account.endpoint.pricing,
            "provider": self._account.name,
            "versions": {backend.distribution: importlib.metadata.version(backend.distribution)},
        }

    def count_tokens(self, request: Request) -> int | None:
        """None: providers count when they run."""
        return None

    def close(self) -> None:
        """Nothing is held between runs."""

    def run(self, request: Request, emit: Emit) -> Outcome:
        """Answer. Raises `ProviderError` and its kin, `ContextOverflow`, `UnknownModel` or `InvalidRequest`."""
        assert isinstance(request, ChatRequest)
        request, left_out = self._possible(request)
        answer = _Answer(emit)
        emit(Progress(f"Waiting for {self._account.name}"))
        failure = run_async(lambda: self._converse(request, answer), emit)
        if failure is not None:
            raise failure from None  # the SDK's exception holds the request and its key
        return answer.outcome({"unhonoured": left_out} if left_out else {})

    def _possible(self, request: ChatRequest) -> tuple[ChatRequest, dict[str, str]]:
        """Without settings that exclude each other, and the reason for each; a value too high is refused."""
        profile = self._backend.profile(self._variant)
        for name, most in profile.limits.items():
            if (getattr(request, name) or 0) > most:
                raise InvalidRequest(f"{self._account.name} takes {name} up to {most:g}. Lower it.")
        given = request.settings()
        left_out = {
            name: f"{self._account.name} takes only one of {', '.join(profile.one_of)} at a time."
            for name in [each for each in profile.one_of if each in given][1:]
        }
        if request.reasoning_effort and profile.efforts.get(request.reasoning_effort) not in {0, "disabled"}:
            reason = f"{self._account.name} takes it only while the model doesn't think."
            left_out |= {name: reason for name in profile.unless_thinking if name in given}
        blank: dict[str, Any] = dict.fromkeys(left_out)
        return replace(request, **blank), left_out

    async def _converse(self, request: ChatRequest, answer: _Answer) -> BaseException | None:
        """Fill the answer. An error is returned, not raised, to leave the SDK's exception behind."""
        try:
            async with await open_client(self._account, self._settings) as http:
                call = Call(
                    account=self._account,
                    variant=self._variant,
                    profile=self._backend.profile(self._variant),
                    request=request,
                    http=http,
                )
                async with aclosing(self._backend.stream(call)) as events:  # type: ignore[type-var]
                    async for piece in paced(events, self._account.name, self._settings):
                        answer.add(piece)
            return answer.problem(self._account.name) if answer.finish else ended_early(self._failed(answer))
        except Exception as error:
            return translate(error, self._failed(answer))

    def _failed(self, answer: _Answer) -> Failed:
        return Failed(self._account, self._variant, answer.began, self._settings.connect_timeout)


class _Answer:
    """Gathers the pieces, and shows them as they come."""

    def __init__(self, emit: Emit) -> None:
        self._emit = emit
        self._partials: list[Partial] = []
        self._usage = Usage()
        self._facts: dict[str, Any] = {}
        self.finish: FinishReason | None = None

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
