"""A class's watchers of the engine: who may run, within which budget, in whose turn, and what of it is kept."""

from __future__ import annotations

import logging
import threading
import time
from collections.abc import Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from functools import partial

from shared.classroom import identity
from shared.classroom.desk import EVERYBODY, TEACHER, Class, own
from shared.classroom.made import asked, made
from shared.classroom.queueing import HOSTED, Place, lane_of
from shared.classroom.rules import check, settled
from shared.classroom.works import State
from shared.errors import Cancelled, InferenceError, LimitReached
from shared.events import Progress
from shared.operation.budgeting import Budgeting
from shared.operation.seen import Seen, Watcher
from shared.state.history import owner_in_class
from shared.streaming import CancelToken
from shared.tasks import Mode

logger = logging.getLogger(__name__)
_KEEPERS = 64  # works that may wait to be kept; of a flood the rest is not


def class_watchers(room: Class) -> tuple[Watcher, ...]:
    """In their order: who is let in pays, then waits, then works. What comes of it is kept after they have it."""
    return (Admitting(room), Budgeting(room.ledger, partial(_accounts, room)), InTurn(room), Keeping(room))


def _accounts(room: Class, seen: Seen) -> Sequence[str]:
    room.settle_caps(seen.payer)
    return (EVERYBODY,) if seen.payer == TEACHER else (EVERYBODY, own(seen.payer))


class Admitting:
    """Lets nobody run who may not, and writes down who runs."""

    def __init__(self, room: Class) -> None:
        self._room = room

    @contextmanager
    def __call__(self, seen: Seen) -> Iterator[None]:
        """Raises `InferenceError`, saying what the teacher set."""
        if self._room.is_teacher(identity.teacher_token()):
            seen.payer = TEACHER
        else:
            facts, person = self._room.room.facts, self._room.room.person(identity.token())
            here = seen.variant.mode != Mode.HOSTED
            seen.payer = check(facts, person, seen.spec.id, seen.request, here=here).id
            if not seen.resumes:
                seen.request = settled(facts, seen.request)
            seen.owner = owner_in_class(seen.payer)
        yield


class InTurn:
    """Has each wait for their turn, and tells them where they stand."""

    def __init__(self, room: Class) -> None:
        self._room = room

    @contextmanager
    def __call__(self, seen: Seen) -> Iterator[None]:
        """Raises `LimitReached` where somebody has too much waiting, or where the run was ended for them; `Cancelled`
        where they gave up."""
        kind = f"{seen.spec.task}|{seen.variant.key}"
        room = self._room.room

        def may_go() -> bool:
            return not room.facts.paused

        began, lane, going = time.monotonic(), lane_of(seen.variant), self._room.going
        with going.run(seen.payer, seen.emit.cancel if seen.emit else CancelToken()) as run:
            try:
                with self._room.queues.turn(lane, kind, seen.payer, partial(self._tell, seen, lane), may_go):
                    seen.held = time.monotonic() - began
                    going.begins(run, lane)
                    yield
            except Cancelled:
                if not run.words:
                    raise
        if run.words:
            error = LimitReached(run.words)
            error.partial = seen.final
            raise error

    def _tell(self, seen: Seen, lane: str, place: Place) -> None:
        if lane != HOSTED and not place.held:
            self._room.going.end_long(lane)
        if seen.emit is not None:
            seen.emit(Progress(place.words))


class Keeping:
    """Keeps what came for the wall and for taking home; after the person has it, so that nobody waits for that."""

    def __init__(self, room: Class) -> None:
        self._room = room
        self._pool = ThreadPoolExecutor(1, "class-works")
        self._waiting = threading.BoundedSemaphore(_KEEPERS)

    @contextmanager
    def __call__(self, seen: Seen) -> Iterator[None]:
        """Nothing is raised: a work that can't be kept is not worth a run."""
        yield
        if seen.final is not None and seen.payer != TEACHER and self._waiting.acquire(blocking=False):
            self._pool.submit(self._keep, seen)

    def _keep(self, seen: Seen) -> None:
        try:
            assert seen.final is not None
            receipt = seen.final.receipt
            if file := made(seen.final.output, receipt, seen.request, seen.settings):
                words = seen.settings.without_keys(asked(seen.request))
                state: State = "waiting" if self._room.room.facts.approving else "shown"
                self._room.works.add(seen.payer, str(seen.spec.task), words, receipt.to_dict(), file, state)
        except InferenceError as error:
            logger.warning("A work of the class wasn't kept: %s", error)
        except Exception:
            logger.exception("A work of the class wasn't kept")
        finally:
            self._waiting.release()
