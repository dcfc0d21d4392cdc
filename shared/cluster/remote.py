"""A model on the cluster, with the face of a loaded one: what is asked of it goes to a free replica, and comes back."""

from __future__ import annotations

import contextlib
import threading
import time
from collections.abc import Callable, Iterator, Mapping
from concurrent.futures import CancelledError
from typing import Any

from shared.backends.base import Capabilities, Outcome
from shared.cluster.messages import Begun, Broke, Counted, Done, Failed, Message, Ready, Stopped
from shared.errors import Cancelled, ClusterUnavailable, LimitReached, ReplicaLost
from shared.events import Progress
from shared.pool import Lease
from shared.requests import ChatRequest, Request
from shared.streaming import Emit

PATIENCE = 0.3  # seconds before a person is told that they wait
WAITING = "Waiting for a place on the cluster"
TEMPLATE = 64  # tokens at most that a chat template puts around each message


class Removed(ClusterUnavailable):
    """Another front has had the model removed."""

    def __init__(self) -> None:
        super().__init__("This model was unloaded from the cluster just now. Try again.", retryable=True)


class Line:
    """The way to a model's replicas. `handle`: Ray Serve's. `retry_after`: when to come again where they are full."""

    def __init__(self, handle: Any) -> None:
        self._handle = handle
        self._seconds = 1.0  # a run's, as they were of late
        self._waiting = 0
        self._lock = threading.Lock()

    def ask(self, method: str, emit: Emit, *what: Any) -> Iterator[Message]:
        """What a replica tells, up to its end. Raises what it tells of as an error, and `Cancelled` on Stop."""
        answer = self._handle.options(method_name=method, stream=True).remote(*what)
        asked = time.monotonic()
        ended = False
        try:
            with emit.cancel.on_cancel(answer.cancel), _told_to_wait(emit) as served, self._counted():
                for batch in self._batches(answer, emit):
                    served()  # whatever a replica tells: it has a place there, and says itself what it is at
                    for message in batch:
                        ended = ended or _is_end(message)
                        yield message
                        emit.check()
            if method == "run":
                self._seconds += 0.2 * (time.monotonic() - asked - self._seconds)
        finally:
            if not ended:
                with contextlib.suppress(Exception):
                    answer.cancel()

    @property
    def retry_after(self) -> float:
        """Seconds until about half of those who wait will have been served."""
        return max(1.0, round(self._seconds * max(1, self._waiting) / 2, 1))

    @contextlib.contextmanager
    def _counted(self) -> Iterator[None]:
        with self._lock:
            self._waiting += 1
        try:
            yield
        finally:
            with self._lock:
                self._waiting -= 1

    def _batches(self, answer: Any, emit: Emit) -> Iterator[tuple[Message, ...]]:
        from ray.exceptions import RayError, RayTaskError, TaskCancelledError
        from ray.serve.exceptions import BackPressureError, DeploymentUnavailableError, RayServeException

        try:
            yield from answer
        except (TaskCancelledError, CancelledError):
            emit.check()
            raise ReplicaLost from None  # somebody unloaded it
        except BackPressureError:
            raise LimitReached(
                "All of the cluster's places for this model are taken, and as many wait as may. Try again in a moment.",
                self.retry_after,
            ) from None
        except DeploymentUnavailableError:
            raise Removed from None
        except RayServeException as error:
            raise ClusterUnavailable(
                f"The cluster could not take this run ({type(error).__name__}). Try again in a moment.", retryable=True
            ) from None
        except RayTaskError as error:
            emit.check()
            raise ClusterUnavailable(
                f"What this model made could not be sent back ({type(error).__name__}). See that the cluster's "
                "machines have the same code and packages as this one."
            ) from None
        except RayError:
            emit.check()
            raise ReplicaLost from None


@contextlib.contextmanager
def _told_to_wait(emit: Emit) -> Iterator[Callable[[], None]]:
    """Tell the person that they wait, after a little while, unless what is yielded was called."""

    def tell() -> None:
        with contextlib.suppress(Cancelled):
            emit(Progress(WAITING))

    timer = threading.Timer(PATIENCE, tell)
    timer.daemon = True
    timer.start()
    try:
        yield timer.cancel
    finally:
        timer.cancel()


def _is_end(message: Message) -> bool:
    """Whether it ends the work. Raises the error where it tells of one."""
    if isinstance(message, Failed):
        raise message.error
    if isinstance(message, Broke):
        raise type(message.kind, (Exception,), {})(message.trace)  # as it would be raised here
    if isinstance(message, Stopped):
        raise ReplicaLost  # nobody here asked for it
    return isinstance(message, Ready | Done | Counted)


class RemoteModel:
    """A `LoadedModel` for the length of one lease, whose times it keeps."""

    def __init__(self, line: Line, ready: Ready, emit: Emit, anew: Callable[[], Line]) -> None:
        self.capabilities: Capabilities = ready.capabilities
        self.concurrency = 0  # replicas hold to it
        self.facts: Mapping[str, Any] = {**ready.facts, "pool": "ray"}
        self.lease = Lease(self, memory_gb=ready.memory_gb)
        self._line, self._emit, self._anew = line, emit, anew

    def count_tokens(self, request: Request) -> int | None:
        """A count that no tokenizer exceeds where it is clear that the request fits; the model's own otherwise."""
        most = _most_tokens(request)
        if most is not None and most <= (self.capabilities.context_length or 0) // 2:
            return most
        for message in self._asked("count", self._emit, request):
            if isinstance(message, Counted):
                return message.tokens
        raise ReplicaLost

    def run(self, request: Request, emit: Emit) -> Outcome:
        """Run it on a replica that is free, or is the first to be."""
        asked = time.monotonic()
        for message in self._asked("run", emit, request):
            if isinstance(message, Begun):
                self.lease.load_seconds += message.load_seconds
                self.lease.queue_seconds += max(time.monotonic() - asked - message.load_seconds, 0.0)
                emit.restart()
            elif isinstance(message, Done):
                self.lease.memory_gb += message.growth_gb
                return message.outcome
            else:
                emit(message)  # type: ignore[arg-type]
        raise ReplicaLost

    def _asked(self, method: str, emit: Emit, request: Request) -> Iterator[Message]:
        try:
            yield from self._line.ask(method, emit, request)
        except Removed:  # nothing was begun
            self._line = self._anew()
            yield from self._line.ask(method, emit, request)

    def close(self) -> None:
        """Nothing: the replicas serve others."""


def _most_tokens(request: Request) -> int | None:
    """No fewer tokens than the conversation has: byte-level tokenizers make one of each byte at worst."""
    if not isinstance(request, ChatRequest) or any(m.images for m in request.messages):
        return None
    texts = [request.system or "", *(m.content for m in request.messages)]
    return sum(len(text.encode()) + TEMPLATE for text in texts)
