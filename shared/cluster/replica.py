"""A replica: one model in a process of the cluster. It holds it by the one-machine pool, so that loading, waiting for a
place and giving back are what they are on one machine.

Ray calls the methods on an event loop; the work is done in a thread, whose messages are sent on as they come, several
at once where they come faster than they can be sent.
"""

from __future__ import annotations

import logging
import threading
import traceback
from collections.abc import AsyncIterator, Callable
from contextlib import suppress
from typing import Any

from shared.backends import BACKENDS, Entry, get_backend
from shared.catalog import Variant
from shared.cluster.mail import Mail
from shared.cluster.messages import Begun, Broke, Counted, Done, End, Failed, Message, Ready, Stopped
from shared.errors import Cancelled, InferenceError
from shared.events import Progress
from shared.memory import PeakMemory
from shared.pool import ModelPool
from shared.requests import Request
from shared.settings import Settings, on_node
from shared.streaming import CancelToken, Emit, Emitter

# Seconds between two batches: each costs the processor that the model works on. Pages show four a second.
BATCH = 0.1
logger = logging.getLogger(__name__)


class Replica:
    """`entry`: the variant's line in the front's table of engines. `joined`: whether this node's own settings count."""

    def __init__(self, variant: Variant, entry: Entry, settings: Settings, joined: bool) -> None:
        BACKENDS.setdefault(variant.backend, entry)
        self._variant, self._settings = variant, on_node(settings, joined)
        self._pool = ModelPool(self._settings)
        if not _first():
            self._load_ahead()

    async def prepare(self) -> AsyncIterator[tuple[Message, ...]]:
        """Load the model if need be, telling how far it is; ends in `Ready`."""

        def work(emit: Emit) -> End:
            emit(Progress("Starting the engine"))  # nobody waits for a place any more, though imports take seconds
            get_backend(self._variant.backend).check(self._variant, self._settings)
            with self._pool.lease(self._variant, self._settings, emit) as lease:
                model = lease.model
                return Ready(
                    model.capabilities, model.concurrency, dict(model.facts), lease.load_seconds, lease.memory_gb
                )

        async for batch in told(work):
            yield batch

    async def run(self, request: Request) -> AsyncIterator[tuple[Message, ...]]:
        """Run the request: `Begun`, its events, and `Done`."""

        def work(emit: Emit) -> End:
            put: Callable[[Any], None] = emit
            with self._pool.lease(self._variant, self._settings, emit) as lease:
                put(Begun(lease.load_seconds))
                with PeakMemory() as memory:
                    outcome = lease.model.run(request, emit)
                return Done(outcome, memory.growth_gb)

        async for batch in told(work):
            yield batch

    async def count(self, request: Request) -> AsyncIterator[tuple[Message, ...]]:
        """Count the request's tokens; ends in `Counted`."""

        def work(emit: Emit) -> End:
            with self._pool.lease(self._variant, self._settings, emit) as lease:
                return Counted(lease.model.count_tokens(request))

        async for batch in told(work):
            yield batch

    def _load_ahead(self) -> None:
        """A failure is told to whoever asks first, by trying again."""
        with suppress(Exception, Cancelled), self._pool.lease(self._variant, self._settings, Emitter(_unheard)):
            pass

    def __del__(self) -> None:
        with suppress(Exception):
            self._pool.unload()


def _unheard(_: object) -> None:
    """Nobody listens."""


def _first() -> bool:
    """Whether this is the one that the first person waits for, who is to hear how its loading goes.

    Any other loads before Ray counts it as ready: nobody should wait for its load while another one is free.
    """
    from ray import serve

    own = serve.get_replica_context()
    if own.rank is not None and own.rank.rank > 0:
        return False
    app = serve.status().applications.get(own.app_name)
    deployment = app.deployments.get(own.deployment) if app else None
    return not (deployment and deployment.replica_states.get("RUNNING"))


async def told(work: Callable[[Emit], End], pause: float = BATCH) -> AsyncIterator[tuple[Message, ...]]:
    """Do the work in a thread and yield what it emits, in batches of what has come, then its end.

    The first piece of the output and the end are sent at once, what else there is `pause` seconds apart. Ended early,
    it stops the work and waits until that has really stopped: only then is the place free again.
    """
    mail, token = Mail(), CancelToken()

    def thread() -> None:
        mail.put(_ended(work, Emitter(mail.put, token)))
        mail.close()

    threading.Thread(target=thread, name="run", daemon=True).start()
    try:
        while True:
            batch = await mail.next()
            yield batch
            if isinstance(batch[-1], End):
                return
            await mail.hold(pause)
    finally:
        token.cancel()
        await mail.closed.wait()


def _ended(work: Callable[[Emit], End], emit: Emit) -> End:
    try:
        return work(emit)
    except Cancelled:
        return Stopped()
    except InferenceError as error:
        return Failed(error)
    except BaseException as error:
        return Broke(type(error).__name__, traceback.format_exc())
