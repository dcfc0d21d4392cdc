"""The frame that the backends of all providers fill in, whatever they make: from a request to its outcome."""

from __future__ import annotations

import importlib.metadata
import sys
from abc import ABC, abstractmethod
from collections.abc import AsyncIterator, Mapping
from contextlib import aclosing
from dataclasses import dataclass
from importlib import import_module
from typing import TYPE_CHECKING, Any, ClassVar, Generic, TypeVar

from shared.backends.base import Capabilities, Outcome, require
from shared.backends.endpoints import Profile
from shared.backends.hosted.account import Account
from shared.backends.hosted.failures import Failed, ended_early, translate
from shared.backends.hosted.http import open_client
from shared.backends.hosted.loop import run_async
from shared.backends.hosted.pace import paced
from shared.errors import Cancelled, InferenceError
from shared.events import Progress
from shared.outputs import FinishReason
from shared.requests import Request

if TYPE_CHECKING:
    import httpx2

    from shared.catalog import Variant
    from shared.settings import Settings
    from shared.streaming import Emit

RequestT = TypeVar("RequestT", bound=Request)
ProfileT = TypeVar("ProfileT", bound=Profile)
PieceT = TypeVar("PieceT")


@dataclass(frozen=True, kw_only=True)
class HostedCall(Generic[RequestT, ProfileT]):
    """One run as a provider's dialect needs it."""

    account: Account
    variant: Variant
    profile: ProfileT
    request: RequestT
    http: httpx2.AsyncClient
    settings: Settings


class Gathering(ABC, Generic[PieceT]):
    """Gathers what a provider's events tell, and shows it as it comes. `finish` is set once all of it is there."""

    finish: FinishReason | None = None

    @property
    @abstractmethod
    def began(self) -> bool:
        """Whether any output came."""

    @abstractmethod
    def add(self, piece: PieceT) -> None:
        """Take one in."""

    @abstractmethod
    def outcome(self, facts: Mapping[str, Any]) -> Outcome:
        """All of it."""

    def problem(self, provider: str) -> InferenceError | None:
        """Why what came to its end is no output, or None."""
        return None

    def rescued(self, error: BaseException) -> Outcome | None:
        """What is whole already when a run is stopped or fails, or None where the engine keeps it by itself."""
        return None


class HostedFrame(ABC, Generic[RequestT, ProfileT, PieceT]):
    """A provider's backend says which account and package it needs, and how its events read."""

    package: ClassVar[str]  # the module of the SDK
    distribution: ClassVar[str]  # the package that carries it
    largest_reply: ClassVar[int | None] = None  # bytes; None sets no limit
    call_class: ClassVar[Any] = HostedCall

    @abstractmethod
    def account(self, variant: Variant, settings: Settings) -> Account:
        """Where the variant is served. Raises `MissingCredentials` or another `BackendError`."""

    @abstractmethod
    def profile(self, variant: Variant) -> ProfileT:
        """What is honoured for the variant."""

    @abstractmethod
    def stream(self, call: Any) -> AsyncIterator[PieceT]:
        """Ask the provider and read its events. Errors may be the SDK's own."""

    @abstractmethod
    def gather(self, account: Account, profile: ProfileT, request: RequestT, emit: Emit) -> Gathering[PieceT]:
        """What takes in the events of one run."""

    @abstractmethod
    def possible(self, account: Account, profile: ProfileT, request: Request) -> tuple[RequestT, dict[str, str]]:
        """The request without settings that this run can't follow, and the reason for each.

        Raises `InvalidRequest` where nothing sensible is left.
        """

    def patience(self, settings: Settings) -> float | None:
        """Seconds to wait for each event; None is the settings' own for text."""
        return None

    def total(self, settings: Settings) -> float:
        """Seconds to wait for all of them."""
        return settings.total_timeout

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
        return self.model(variant, settings)

    def model(self, variant: Variant, settings: Settings) -> HostedModel:
        """The way to the model."""
        return HostedModel(self, variant, settings)


class HostedModel:
    """One person's way to a provider's model."""

    concurrency = 0

    def __init__(self, backend: HostedFrame[Any, Any, Any], variant: Variant, settings: Settings) -> None:
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
        """Run it. Raises `ProviderError` and its kin, `ContextOverflow`, `UnknownModel` or `InvalidRequest`."""
        return self._asked(request, emit, {})

    def _asked(self, request: Request, emit: Emit, more: Mapping[str, Any]) -> Outcome:
        """The run; `more`: what the dialect's kind of call has besides."""
        profile = self._backend.profile(self._variant)
        request, left_out = self._backend.possible(self._account, profile, request)
        answer = self._backend.gather(self._account, profile, request, emit)
        emit(Progress(f"Waiting for {self._account.name}"))
        try:
            failure = run_async(lambda: self._converse(request, answer, more), emit)
        except Cancelled as stopped:
            failure = stopped
        if failure is not None:
            if (rescued := answer.rescued(failure)) is not None:
                return rescued
            raise failure from None  # the SDK's exception holds the request and its key
        return answer.outcome({"unhonoured": left_out} if left_out else {})

    async def _converse(
        self, request: Request, answer: Gathering[Any], more: Mapping[str, Any]
    ) -> BaseException | None:
        """Fill the answer. An error is returned, not raised, to leave the SDK's exception behind."""
        backend, patience = self._backend, self._backend.patience(self._settings)
        try:
            async with await open_client(self._account, self._settings, backend.largest_reply) as http:
                call = self._call(request, http, more)
                total = backend.total(self._settings)
                async with aclosing(backend.stream(call)) as events:  # type: ignore[type-var]
                    async for piece in paced(events, self._account.name, self._settings, patience, total):
                        answer.add(piece)
            return answer.problem(self._account.name) if answer.finish else ended_early(self._failed(answer))
        except Exception as error:
            return translate(error, self._failed(answer))

    def _call(self, request: Request, http: httpx2.AsyncClient, more: Mapping[str, Any]) -> Any:
        return self._backend.call_class(
            account=self._account,
            variant=self._variant,
            profile=self._backend.profile(self._variant),
            request=request,
            http=http,
            settings=self._settings,
            **more,
        )

    def _failed(self, answer: Gathering[Any]) -> Failed:
        return Failed(self._account, self._variant, answer.began, self._settings.connect_timeout)
