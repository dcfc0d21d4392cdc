"""What a replica tells while it works: plain, frozen and picklable, since it comes from another process.

Work ends in one of `Ready`, `Done`, `Counted`, `Failed`, `Broke` and `Stopped`. Errors are told and not raised: Ray
writes what is raised to its logs, and an error's words may hold a prompt.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from shared.backends.base import Capabilities, Outcome
from shared.errors import InferenceError
from shared.events import Event


@dataclass(frozen=True)
class Begun:
    """The run has its place and its model. `load_seconds`: that loading took first; 0 as a rule."""

    load_seconds: float


@dataclass(frozen=True)
class Ready:
    """The model is loaded: what a `LoadedModel` tells of itself. Memory in GiB, of one replica."""

    capabilities: Capabilities
    concurrency: int
    facts: Mapping[str, Any]
    load_seconds: float
    memory_gb: float


@dataclass(frozen=True)
class Done:
    """The run's outcome, and how far its memory grew, in GiB."""

    outcome: Outcome
    growth_gb: float


@dataclass(frozen=True)
class Counted:
    """A request's tokens, None where the engine can't tell."""

    tokens: int | None


@dataclass(frozen=True)
class Failed:
    """An error that was foreseen."""

    error: InferenceError


@dataclass(frozen=True)
class Broke:
    """One that was not: the name of its class, and the traceback for the server's log."""

    kind: str
    trace: str


@dataclass(frozen=True)
class Stopped:
    """It was cancelled."""


End = Ready | Done | Counted | Failed | Broke | Stopped
Message = Event | Begun | End
