"""The pool on a cluster: the face of the one-machine pool, with every local model as a deployment on Ray Serve.

Hosted models are clients that hold a person's key: they stay in this process, and nothing of them goes to the cluster.
"""

from __future__ import annotations

import contextlib
import threading
import time
from collections.abc import Iterator
from dataclasses import dataclass, field, replace

from shared import machine as machines
from shared.backends import get_backend
from shared.catalog import Variant
from shared.cluster import deployments
from shared.cluster.config import ClusterConfig, read_config
from shared.cluster.messages import Ready
from shared.cluster.remote import Line, RemoteModel
from shared.cluster.starting import connect
from shared.errors import OutOfMemory, ReplicaLost
from shared.machine import GIB, Machine
from shared.pool import Lease, Resident, held, hosted
from shared.settings import Settings
from shared.streaming import Emit
from shared.tasks import Mode


@dataclass(frozen=True)
class _There:
    """The way to a model that is loaded, and what it tells of itself."""

    line: Line
    ready: Ready


@dataclass
class _Entry:
    """A model on the cluster as this front knows it. `starting` is held by who starts it."""

    variant: Variant
    there: _There | None = None
    placed: bool = False  # on the cluster, loaded or not
    leases: int = 0
    used: float = 0.0
    doomed: bool = False
    starting: threading.Lock = field(default_factory=threading.Lock)


class RayPool:
    """The models of a cluster. Nothing is joined or started before the first lease."""

    def __init__(self, settings: Settings, machine: Machine | None = None, config: ClusterConfig | None = None) -> None:
        self._settings = settings
        self._machine = machine or machines.probe()
        self._config = config or read_config(settings.cluster_file)
        self._lock = threading.Lock()
        self._entries: dict[str, _Entry] = {}

    @property
    def machine(self) -> Machine:
        """What one model can have: of a cluster of other machines, as its file says."""
        config = self._config
        if config.address is None:
            return self._machine
        ram = config.memory_gb or self._machine.ram_gb
        return replace(self._machine, ram_gb=ram, cuda_gb=config.gpu_memory_gb, cuda_name="GPU", mps=False)

    def check(self, variant: Variant, settings: Settings) -> None:
        """Raise as the backend's `check` does. Of another machine nothing is known: there a replica asks, and tells."""
        if self._config.address is None or variant.mode == Mode.HOSTED:
            get_backend(variant.backend).check(variant, settings)

    def describe(self) -> str:
        """Where models run, for a person."""
        if self._config.address:
            return f"Models run on a Ray cluster at {self._config.address}"
        return f"Models run on a Ray cluster on this machine: {self._machine.describe()}"

    @contextlib.contextmanager
    def lease(self, variant: Variant, settings: Settings, emit: Emit) -> Iterator[Lease]:
        """Lend the model for the length of the block, starting it on the cluster first if need be.

        A place is taken for each run and not for the lease, so that the wait for it is a part of the run; the lease
        is told how long it was. Raises `MissingDependency`, `ClusterUnavailable`, `LimitReached`, or as `load` does.
        """
        if variant.mode == Mode.HOSTED:
            with hosted(variant, settings, emit) as lent:
                yield lent
            return
        began = time.monotonic()
        entry = self._taken(variant)
        try:
            there, load_seconds = self._prepare(entry, settings, emit)

            def anew() -> Line:
                nonlocal there
                there, _ = self._prepare(entry, settings, emit, there)
                return there.line

            lease = RemoteModel(there.line, there.ready, emit, anew).lease
            lease.load_seconds = load_seconds
            lease.queue_seconds = max(time.monotonic() - began - load_seconds, 0.0)
            yield lease
        finally:
            self._release(entry)

    def residents(self) -> list[Resident]:
        """The models that this front has had started, most recently used first. Memory is of one replica."""
        with self._lock:
            known = [(e, e.there) for e in self._entries.values()]
        known.sort(key=lambda pair: -pair[0].used)
        return [Resident(e.variant, there.ready.memory_gb, e.leases) for e, there in known if there is not None]

    def unload(self, variant: Variant | None = None) -> int:
        """Have this variant, or every one that this front has had started, go. Returns how many were idle here.

        Runs that go on, of this front or another, end first.
        """
        with self._lock:
            chosen = [e for e in self._entries.values() if variant is None or e.variant.key == variant.key]
            idle = [e for e in chosen if e.placed and not e.leases]
            for entry in chosen:
                entry.doomed = True
            for entry in idle:
                del self._entries[entry.variant.key]
        for entry in idle:
            deployments.remove(deployments.name_of(entry.variant))
        return len(idle)

    def _taken(self, variant: Variant) -> _Entry:
        with self._lock:
            entry = self._entries.setdefault(variant.key, _Entry(variant))
            entry.leases += 1
            return entry

    def _release(self, entry: _Entry) -> None:
        with self._lock:
            entry.leases -= 1
            entry.used = time.monotonic()
            gone = entry.doomed and not entry.leases
            if gone and self._entries.get(entry.variant.key) is entry:
                del self._entries[entry.variant.key]
        if gone and entry.placed:
            deployments.remove(deployments.name_of(entry.variant))

    def _prepare(
        self, entry: _Entry, settings: Settings, emit: Emit, stale: _There | None = None
    ) -> tuple[_There, float]:
        """The model as it is there, loaded, and the seconds that loading took. `stale`: what was found to be gone."""
        if (there := entry.there) is not None and there is not stale:
            return there, 0.0
        with held(entry.starting, emit, "Somebody else is starting this model; waiting for it"):
            if entry.there is not None and entry.there is not stale:
                return entry.there, 0.0
            entry.there = None
            line = self._started(entry, settings, emit)
            for message in line.ask("prepare", emit):
                if isinstance(message, Ready):
                    entry.there = _There(line, message)
                    return entry.there, message.load_seconds
                emit(message)  # type: ignore[arg-type]
            raise ReplicaLost

    def _started(self, entry: _Entry, settings: Settings, emit: Emit) -> Line:
        """The way to the model's replicas, of which one serves."""
        connect(self._config, emit, settings.connect_timeout)
        from ray import serve

        variant, name = entry.variant, deployments.name_of(entry.variant)
        while True:
            deployments.await_gone(name, emit)
            if not deployments.state(name)[0]:
                self._make_room(variant, emit)
                deployments.deploy(variant, self._config, settings, self._machine)
            entry.placed = True
            if deployments.await_replica(name, self._config.serving(variant).asleep, emit):
                return Line(serve.get_app_handle(name))

    def _make_room(self, variant: Variant, emit: Emit) -> None:
        """Unload models that are idle here, the longest unused first, until a replica fits.

        Raises `OutOfMemory` where the cluster hasn't the memory, even then. Ray itself waits for processors and cards.
        """
        serving = self._config.serving(variant)
        needed = deployments.resources(variant, serving, self._config, self._machine)
        while True:
            free = deployments.free()
            if all(free[name] >= wanted for name, wanted in needed.items()):
                return
            with self._lock:
                idle = [e for e in self._entries.values() if e.placed and not e.leases]
                victim = min(idle, key=lambda e: e.used, default=None)
                if victim is not None:
                    del self._entries[victim.variant.key]
            if victim is None:
                if free["memory"] < needed["memory"]:
                    raise OutOfMemory(needed["memory"] / GIB, free["memory"] / GIB)
                return
            name = deployments.name_of(victim.variant)
            deployments.remove(name)
            deployments.await_gone(name, emit)
