"""The frame for what a provider makes as a job: sent exactly once, looked at until it is done, then fetched.

What becomes of a job is told to `Emit.job` before anything else happens, so that it can be gone on with later, by
another process too. A look or a download that fails is tried again; sending never is.
"""

from __future__ import annotations

import asyncio
from abc import abstractmethod
from collections.abc import AsyncIterator, Mapping
from dataclasses import dataclass, field, replace
from typing import TYPE_CHECKING, Any, ClassVar

from shared.backends.base import Outcome
from shared.backends.hosted.failures import translate
from shared.backends.hosted.frame import HostedCall, HostedFrame, HostedModel, PieceT, ProfileT, RequestT
from shared.backends.hosted.http import open_client
from shared.backends.hosted.job_faults import failed, surely, surely_refused, told_with, too_long
from shared.backends.hosted.loop import run_async
from shared.errors import InferenceError, KeyRefused, ModelRetired, NotReady, ProviderError, RateLimited, UnknownModel
from shared.jobs.job import JobTold
from shared.requests import Request

if TYPE_CHECKING:
    from shared.catalog import Variant
    from shared.settings import Settings
    from shared.streaming import Emit

MISSES = 5  # looks or downloads that fail one after another before it is told
PATIENCE = 60.0  # seconds at most that a provider may put off the next look
SENDING = 15.0  # seconds that sending may still take when the run is over: what it says then must not get lost
GOODBYE = 8.0  # seconds for telling the provider to stop


@dataclass(frozen=True, kw_only=True)
class JobCall(HostedCall[RequestT, ProfileT]):
    """One run of a job. `upstream`: the provider's id of one that is to be gone on with; `wait`: until it is done."""

    emit: Emit
    upstream: str | None = None
    wait: bool = True

    @property
    def name(self) -> str:
        """The provider's name."""
        return self.account.name


@dataclass(frozen=True, kw_only=True)
class Seen:
    """What a look told. `ready`: where its result is, or the result; None while it goes on.

    `progress` from 0 to 1, `words` for the person, `facts` for the receipt.
    """

    ready: Any = None
    progress: float | None = None
    words: str = ""
    facts: Mapping[str, Any] = field(default_factory=dict)


@dataclass(frozen=True, kw_only=True)
class Sent:
    """The provider's id of a job that it took, and what it told of it at once, where it did."""

    upstream: str
    seen: Seen | None = None


class CameToNothing(Exception):
    """The job has ended without a result: looking again would tell the same."""

    def __init__(self, error: InferenceError) -> None:
        self.error = error
        super().__init__(str(error))


class JobFrame(HostedFrame[RequestT, ProfileT, PieceT]):
    """A provider's backend says how a job is sent, looked at, fetched and called off. Errors may be the SDK's own."""

    call_class: ClassVar[Any] = JobCall
    cancels: ClassVar[bool] = False  # whether the provider stops a job when asked to
    left: ClassVar[str] = "The job itself isn't lost by that: it is kept under “Jobs”."  # where a run ends before it

    async def prepared(self, call: Any) -> Any:
        """What must be known before sending; nothing is sent or paid by it. `submit` gets it."""
        return None

    @abstractmethod
    async def submit(self, call: Any, prepared: Any) -> Sent:
        """Send it."""

    @abstractmethod
    async def look(self, call: Any, upstream: str) -> Seen:
        """How far it is. Raises `CameToNothing` where the provider ended it without a result."""

    @abstractmethod
    async def fetch(self, call: Any, seen: Seen) -> PieceT:
        """The result, as the last piece. Raises `CameToNothing` for one that is none."""

    @abstractmethod
    def waiting(self, seen: Seen) -> PieceT:
        """The piece that tells how far it is."""

    @abstractmethod
    def every(self, call: Any) -> float:
        """Seconds between two looks."""

    async def stop(self, call: Any, upstream: str) -> None:
        """Tell the provider to stop it. Called where `cancels` is set."""

    def total(self, settings: Settings) -> float:
        """A job may take longer than any answer."""
        return settings.job_timeout

    def model(self, variant: Variant, settings: Settings) -> HostedModel:
        """One whose jobs can be gone on with."""
        return HostedJob(self, variant, settings)

    async def stream(self, call: Any) -> AsyncIterator[PieceT]:
        """Send it, unless it was, and follow it to its end."""
        sent = await self._sent(call) if call.upstream is None else Sent(upstream=call.upstream)
        try:
            async for piece in self._followed(call, sent):
                yield piece
        except (asyncio.CancelledError, GeneratorExit) as ending:
            if call.emit.cancel.stopped:
                await self.called_off(call, sent.upstream)
            elif isinstance(ending, asyncio.CancelledError) and not call.emit.cancel.cancelled:
                raise told_with(too_long(call), self.left) from None
            raise

    async def called_off(self, call: Any, upstream: str) -> None:
        """Have it stopped where the provider can, and tell what came of that."""
        if not self.cancels or not upstream:
            words = f"{call.name} can't stop a job: it goes on there, may be charged, and is kept under “Jobs”."
            call.emit.job(JobTold("running", upstream, words))
            return
        try:
            done = await surely(asyncio.ensure_future(self.stop(call, upstream)), GOODBYE)
        except Exception:
            done = False
        if done:
            words = f"{call.name} was told to stop the job. What it had done by then may be charged."
            call.emit.job(JobTold("cancelled", upstream, words))
        else:
            words = f"{call.name} couldn't be told to stop the job: it goes on there, and is kept under “Jobs”."
            call.emit.job(JobTold("running", upstream, words))

    async def _sent(self, call: Any) -> Sent:
        prepared = await self.prepared(call)
        sending = asyncio.ensure_future(self.submit(call, prepared))
        try:
            sent = await asyncio.shield(sending)
        except asyncio.CancelledError:
            await self._sent_in_parting(call, sending)
            if not call.emit.cancel.cancelled:
                raise told_with(too_long(call), self.left) from None
            raise
        except Exception as error:
            raise self._not_sent(call, error) from None
        call.emit.job(JobTold("running", sent.upstream))
        return sent

    async def _sent_in_parting(self, call: Any, sending: asyncio.Future[Sent]) -> None:
        """The run is over, but not the sending: whether the provider took the job must be known."""
        try:
            finished = await surely(sending, SENDING)
        except Exception as error:
            self._not_sent(call, error)
            return
        if not finished:
            call.emit.job(JobTold("unsure", "", self._unsure(call)))
            return
        call.emit.job(JobTold("running", sending.result().upstream))
        if call.emit.cancel.stopped:
            await self.called_off(call, sending.result().upstream)

    def _not_sent(self, call: Any, error: BaseException) -> BaseException:
        """The error as it is to be raised. One after which the provider may have the job is never tried again."""
        known = translate(error, failed(call))
        if not isinstance(known, Exception) or surely_refused(error, known):
            return known
        call.emit.job(JobTold("unsure", "", self._unsure(call)))
        return ProviderError(call.name, f"{known} {self._unsure(call)}", retryable=False)

    def _unsure(self, call: Any) -> str:
        return (
            f"Whether {call.name} took the job isn't known. It isn't sent again by itself, so that nothing is paid "
            "twice: look at your account there before you run it once more."
        )

    async def _followed(self, call: Any, sent: Sent) -> AsyncIterator[PieceT]:
        seen, misses = sent.seen, 0
        while True:
            wait = self.every(call)
            try:
                seen = seen or await self.look(call, sent.upstream)
                if seen.ready is not None:
                    piece = await self._fetched(call, seen)
                    yield piece
                    return
                misses = 0
            except CameToNothing as ended:
                call.emit.job(JobTold("failed", sent.upstream, str(ended.error)))
                raise ended.error from None
            except Exception as error:
                known, misses = self._missed(call, error), misses + 1
                if not (known.retryable and call.wait and sent.upstream) or misses >= MISSES:
                    raise told_with(known, self.left) from None
                asked = known.retry_after if isinstance(known, RateLimited) else None
                wait = max(wait, min(asked or 0.0, PATIENCE))
                seen = Seen(words=f"{call.name} didn't answer; asking again")
            if not call.wait:
                raise NotReady(call.name, seen.progress)
            yield self.waiting(seen)
            seen = None
            await asyncio.sleep(wait)

    async def _fetched(self, call: Any, seen: Seen) -> PieceT:
        try:
            return await self.fetch(call, seen)
        except ProviderError as error:
            if error.retryable or isinstance(error, KeyRefused):
                raise
            raise CameToNothing(error) from None  # the same address, or the same file, would fail again

    def _missed(self, call: Any, error: BaseException) -> InferenceError:
        """What a look that failed means. Raises what is no provider's error."""
        known = translate(error, failed(call))
        if isinstance(known, UnknownModel | ModelRetired):  # it is the job that isn't there, and not the model
            words = f"{call.name} knows no such job for this key. Use the key that it was sent with."
            return ProviderError(call.name, words)
        if not isinstance(known, InferenceError):
            raise known
        return known


class HostedJob(HostedModel):
    """One person's way to a provider that works in jobs."""

    _backend: JobFrame[Any, Any, Any]

    def run(self, request: Request, emit: Emit) -> Outcome:
        """Send it and wait for it."""
        return self._asked(request, emit, {"emit": emit})

    def resume(self, request: Request, upstream: str, emit: Emit, *, wait: bool = True) -> Outcome:
        """Go on with it. Raises `NotReady`, where it isn't to be waited for."""
        return self._asked(request, emit, {"emit": emit, "upstream": upstream, "wait": wait})

    def call_off(self, upstream: str, emit: Emit) -> None:
        """Have it stopped."""

        async def asked() -> None:
            async with await open_client(self._account, self._settings, self._backend.largest_reply) as http:
                call = replace(self._call(Request(), http, {"emit": emit}), upstream=upstream)
                await self._backend.called_off(call, upstream)

        run_async(asked, emit)
