"""Keeps loaded models: loads each once however many ask, lends it out, and unloads the longest unused.

The lock guards the table only; loading, running and closing all happen outside it.
"""

from __future__ import annotations

import contextlib
import logging
import threading
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field

from shared import machine as machines
from shared.backends import BACKENDS, get_backend
from shared.backends.base import LoadedModel
from shared.catalog import Variant
from shared.errors import Cancelled, OutOfMemory
from shared.events import Progress
from shared.machine import Machine
from shared.memory import cuda_gb, free_cuda_gb, give_back, rss_gb, share_arenas
from shared.own_thread import OnOwnThread
from shared.placement import LEAST_CARD_GB, device_of, needs_gb
from shared.settings import Settings
from shared.streaming import Emit
from shared.tasks import Mode

logger = logging.getLogger(__name__)

POLL = 0.05  # seconds between looks at a load or a slot that somebody else holds


@dataclass
class _Entry:
    """One variant in memory, or on its way there."""

    variant: Variant
    ready: threading.Event = field(default_factory=threading.Event)
    model: LoadedModel | None = None
    error: BaseException | None = None
    leases: int = 0
    used: float = 0.0
    doomed: bool = False
    memory_gb: float = 0.0
    told_gb: float = 0.0
    slots: threading.BoundedSemaphore | None = None

    @property
    def held_gb(self) -> float:
        """What it takes: as measured, or as the catalogue says where that is more."""
        return max(self.memory_gb, self.told_gb)


@dataclass
class Lease:
    """A model lent for one run, with the seconds spent waiting and loading before it was handed over.

    `memory_gb` is what loading it added to this process, in GiB.
    """

    model: LoadedModel
    queue_seconds: float = 0.0
    load_seconds: float = 0.0
    memory_gb: float = 0.0


@dataclass(frozen=True)
class Resident:
    """A model in memory, as the status line shows it."""

    variant: Variant
    memory_gb: float
    leases: int


class ModelPool:
    """The models of one machine. `free_gb` tells the main memory that is free now, in GiB, and `free_on_card` the
    GPU's, None where that isn't known yet."""

    def __init__(
        self,
        settings: Settings,
        machine: Machine | None = None,
        free_gb: Callable[[], float] = machines.free_ram_gb,
        free_on_card: Callable[[], float | None] = free_cuda_gb,
    ) -> None:
        self._settings, self._free_gb, self._free_on_card = settings, free_gb, free_on_card
        self.machine = machine or machines.probe()
        self._lock = threading.Lock()
        # One load at a time: two at once would each be charged with the memory of both.
        self._loading = threading.Lock()
        self._entries: dict[str, _Entry] = {}
        share_arenas()

    def check(self, variant: Variant, settings: Settings) -> None:
        """Raise a `BackendError` where the variant can't run here."""
        get_backend(variant.backend).check(variant, settings)

    def describe(self) -> str:
        """Where models run, for a person."""
        return f"This machine: {self.machine.describe()}"

    @contextlib.contextmanager
    def lease(self, variant: Variant, settings: Settings, emit: Emit) -> Iterator[Lease]:
        """Lend the model for the length of the block, loading it first if need be.

        Hosted models are clients that hold one person's key: they are made for the run and closed after it.
        """
        if variant.mode == Mode.HOSTED:
            with hosted(variant, settings, emit) as lent:
                yield lent
            return
        started = time.monotonic()
        entry, load_seconds = self._acquire(variant, settings, emit)
        try:
            with _slot(entry, emit):
                assert entry.model is not None
                waited = time.monotonic() - started - load_seconds
                yield Lease(entry.model, waited, load_seconds, entry.memory_gb)
        finally:
            self._release(entry)

    def residents(self) -> list[Resident]:
        """The models in memory now, most recently used first."""
        with self._lock:
            ready = [e for e in self._entries.values() if e.model is not None]
        ready.sort(key=lambda e: -e.used)
        return [Resident(e.variant, e.memory_gb, e.leases) for e in ready]

    def unload(self, variant: Variant | None = None) -> int:
        """Unload this variant, or every one. Returns how many went now.

        One in use goes when its last run ends. Who asks for it before that shares it: two copies of a model need
        twice its memory.
        """
        with self._lock:
            chosen = [e for e in self._entries.values() if variant is None or e.variant.key == variant.key]
            idle = [e for e in chosen if e.model is not None and not e.leases]
            for entry in chosen:
                entry.doomed = True
            for entry in idle:
                del self._entries[entry.variant.key]
        self._close(idle)
        return len(idle)

    def bring(self, variant: Variant, settings: Settings, emit: Emit) -> LoadedModel:
        """Have the engine load it. Called for one model at a time, with room for it."""
        return get_backend(variant.backend).load(variant, settings, emit)

    def _there(self, variant: Variant, model: LoadedModel) -> LoadedModel:
        """The model; one that torch runs on a GPU with a thread of its own."""
        by_torch = BACKENDS[variant.backend].torch and device_of(variant, self.machine) == "cuda"
        return OnOwnThread(model, variant.backend) if by_torch and model.concurrency == 1 else model

    def _acquire(self, variant: Variant, settings: Settings, emit: Emit) -> tuple[_Entry, float]:
        """An entry that is ready, with one lease of it taken. Loads it here, or waits for who does."""
        while True:
            with self._lock:
                entry = self._entries.get(variant.key)
                mine = entry is None
                if entry is None:
                    entry = self._entries[variant.key] = _Entry(variant, told_gb=needs_gb(variant, self.machine))
                entry.leases += 1
            if mine:
                return entry, self._load(entry, settings, emit)
            try:
                self._await(entry, emit)
            except BaseException:
                self._release(entry)
                raise
            if entry.model is not None:
                return entry, 0.0
            self._release(entry)
            if entry.error is not None and not isinstance(entry.error, Cancelled):
                raise entry.error

    def _await(self, entry: _Entry, emit: Emit) -> None:
        if not entry.ready.is_set():
            emit(Progress("This model is being loaded already; waiting for it"))
        while not entry.ready.wait(POLL):
            emit.check()

    def _load(self, entry: _Entry, settings: Settings, emit: Emit) -> float:
        started = time.monotonic()
        try:
            with held(self._loading, emit, "Another model is being loaded; waiting for it"):
                self._make_room(entry.variant)
                before = rss_gb() + cuda_gb()
                model = self._there(entry.variant, self.bring(entry.variant, settings, emit))
                entry.memory_gb = max(rss_gb() + cuda_gb() - before, 0.0)
            entry.slots = threading.BoundedSemaphore(model.concurrency) if model.concurrency else None
            entry.model = model
        except BaseException as error:
            entry.error = error
            with self._lock:
                entry.leases -= 1
                if self._entries.get(entry.variant.key) is entry:
                    del self._entries[entry.variant.key]
            give_back()
            raise
        finally:
            entry.used = time.monotonic()
            entry.ready.set()
        return time.monotonic() - started

    def _release(self, entry: _Entry) -> None:
        with self._lock:
            entry.leases -= 1
            entry.used = time.monotonic()
            gone = entry.doomed and not entry.leases and entry.model is not None
            if gone and self._entries.get(entry.variant.key) is entry:
                del self._entries[entry.variant.key]
        if gone:
            self._close([entry])

    def _make_room(self, variant: Variant) -> None:
        """Unload idle models of the same device, the longest unused first, until this one fits.

        Raises `OutOfMemory` when nothing idle is left to unload.
        """
        device, needed = device_of(variant, self.machine), needs_gb(variant, self.machine)
        # Whether it can go there in pieces shows only as it is loaded: what is free is less than what the card has.
        pieces = device == "cuda" and BACKENDS[variant.backend].offloads
        while needed > (free := self._room_gb(device)):
            with self._lock:
                idle = [e for e in self._on(device) if not e.leases]
                victim = min(idle, key=lambda e: e.used, default=None)
                if victim is not None:
                    del self._entries[victim.variant.key]
            if victim is None:
                if not pieces or free < LEAST_CARD_GB:
                    raise OutOfMemory(needed, free)
                if needed > (beside := self._free_gb()):
                    raise OutOfMemory(needed, beside)
                return
            self._close([victim])

    def _on(self, device: str) -> list[_Entry]:
        """The models in memory on that device. Call it with the lock held."""
        ready = [e for e in self._entries.values() if e.model is not None]
        return [e for e in ready if device_of(e.variant, self.machine) == device]

    def _room_gb(self, device: str) -> float:
        """What may still be loaded on the device: within the budget, and within what is really free."""
        budget = self._settings.memory_budget_gb
        with self._lock:
            held = sum(e.held_gb for e in self._on(device))
        if device == "cuda":
            room, unused = min(budget or self.machine.cuda_gb, self.machine.cuda_gb) - held, self._free_on_card()
            return room if unused is None else min(room, unused)
        free = self._free_gb()
        return free if budget is None else min(budget - held, free)

    def _close(self, entries: list[_Entry]) -> None:
        for entry in entries:
            model, entry.model = entry.model, None
            try:
                if model is not None:
                    model.close()
            except Exception:  # whoever asked for the room has done nothing wrong
                logger.exception("%s did not close cleanly", entry.variant.backend)
            del model
        if entries:
            give_back()


@contextlib.contextmanager
def hosted(variant: Variant, settings: Settings, emit: Emit) -> Iterator[Lease]:
    """A hosted model for one run: a client, made for it and closed after it."""
    with contextlib.closing(get_backend(variant.backend).load(variant, settings, emit)) as model:
        yield Lease(model)


@contextlib.contextmanager
def _slot(entry: _Entry, emit: Emit) -> Iterator[None]:
    """One of the model's places, for a model that serves only so many at once."""
    if entry.slots is None:
        yield
    else:
        with held(entry.slots, emit, "Waiting for another run on this model to end"):
            yield


@contextlib.contextmanager
def held(lock: threading.Lock | threading.Semaphore, emit: Emit, waiting: str) -> Iterator[None]:
    """Hold the lock; while it is somebody else's, say so and stay ready to be cancelled."""
    if not lock.acquire(blocking=False):
        emit(Progress(waiting))
        while not lock.acquire(timeout=POLL):
            emit.check()
    try:
        yield
    finally:
        lock.release()
