"""Where models run: the pool of this machine, one on a cluster, or one whose runs are lent a GPU each. All have one
face; no Space knows which it is."""

from __future__ import annotations

from contextlib import AbstractContextManager
from importlib import import_module
from typing import Protocol

from shared.catalog import Variant
from shared.machine import Machine
from shared.pool import Lease, Resident
from shared.settings import Settings
from shared.streaming import Emit

POOLS = {
    "local": "shared.pool:ModelPool",
    "ray": "shared.cluster.pool:RayPool",
    "zerogpu": "shared.zerogpu.pool:ZeroGpuPool",
}


class Pool(Protocol):
    """Keeps loaded models and lends them out. `machine`: what a model can have, to plan by."""

    @property
    def machine(self) -> Machine: ...

    def check(self, variant: Variant, settings: Settings) -> None:
        """Raise a `BackendError` where it is known that the variant can't run, and why. Quick."""

    def describe(self) -> str:
        """Where models run, for a person."""

    def lease(self, variant: Variant, settings: Settings, emit: Emit) -> AbstractContextManager[Lease]:
        """Lend the model for the length of the block, loading it first if need be."""

    def residents(self) -> list[Resident]:
        """The models in memory now, most recently used first."""

    def unload(self, variant: Variant | None = None) -> int:
        """Unload this variant, or every one; one in use goes when its last run ends. Returns how many went now."""


def make_pool(settings: Settings, machine: Machine) -> Pool:
    """The pool that the settings name. Raises `ValueError` where a cluster's file can't be read."""
    module, _, name = POOLS[settings.pool].partition(":")
    pool: Pool = getattr(import_module(module), name)(settings, machine)
    return pool
