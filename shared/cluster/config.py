"""What a cluster is and what each model gets on it: read from TOML, `defaults.toml` and the keeper's file over it."""

from __future__ import annotations

import tomllib
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, fields
from pathlib import Path
from typing import Any

from shared.catalog import Variant

DEFAULTS = Path(__file__).parent / "defaults.toml"
_NAMES = ("backend", "repo_id")  # what a row may choose its models by


@dataclass(frozen=True, kw_only=True)
class Serving:
    """What one model gets. `cpus`, `gpus`: of Ray's, each replica; parts of one are fine. Memory is in GiB.

    `runs`: at once in a replica. `queue`: how many more one front keeps waiting. `max_replicas`: with it, Ray keeps
    between `min_replicas` and that many, as many as have `target` runs in each: one more after `busy_seconds` of more,
    one less after `idle_seconds` of less.
    None of `gpus` and `memory_gb`: as the catalogue says.
    """

    replicas: int = 1
    min_replicas: int | None = None
    max_replicas: int | None = None
    target: float | None = None
    busy_seconds: float = 5.0
    idle_seconds: float = 600.0
    cpus: float = 0.25
    gpus: float | None = None
    memory_gb: float | None = None
    runs: int = 1
    queue: int = 16

    @property
    def asleep(self) -> bool:
        """Whether it may have no replica at all until somebody asks."""
        return self.max_replicas is not None and self.min_replicas == 0


@dataclass(frozen=True, kw_only=True)
class ClusterConfig:
    """A cluster. `address`: of its head node, as `host:port`; None starts one on this machine and in this process.

    `code`: where the project lies on the nodes, where not as here. `gpu_memory_gb`: of each of its cards.
    `memory_gb`: of its largest node. `cpus`: that a cluster on this machine offers.
    """

    address: str | None = None
    code: str | None = None
    gpu_memory_gb: float = 0.0
    memory_gb: float = 0.0
    cpus: int | None = None
    every: tuple[Mapping[str, Any], ...] = ()
    rows: tuple[Mapping[str, Any], ...] = ()

    def serving(self, variant: Variant) -> Serving:
        """What that model gets: each row that names it overrides those before."""
        found: dict[str, Any] = {}
        for row in (*self.every, *self.rows):
            if all(getattr(variant, name) == row[name] for name in _NAMES if name in row):
                found |= {name: value for name, value in row.items() if name not in _NAMES}
        return Serving(**found)


def read_config(file: Path | None = None) -> ClusterConfig:
    """The defaults with that file over them. Raises `ValueError` naming what can't be read."""
    own = _table(DEFAULTS)
    theirs = _table(file) if file else {}
    unknown = set(theirs) - {f.name for f in fields(ClusterConfig) if f.name != "rows"} - {"model"}
    if unknown:
        raise ValueError(f"{file}: nothing is called {', '.join(sorted(unknown))} there. See docs/cluster.md.")
    address = theirs.get("address")
    if address and "://" in address:
        raise ValueError(
            f"{file}: `address` is {address!r}. Name the head node as host:port, and start the front on a machine that "
            "has joined the cluster: streams don't pass through Ray's remote client."
        )
    if address and not address.rpartition(":")[2].isdigit():
        raise ValueError(f"{file}: `address` is {address!r}. Name the head node as host:port.")
    plain = {name: value for name, value in theirs.items() if name not in {"every", "model"}}
    rows = [*own["model"], *([theirs["every"]] if "every" in theirs else []), *theirs.get("model", [])]
    _check(rows, file)
    return ClusterConfig(**plain, every=(own["every"],), rows=tuple(rows))


def _table(file: Path) -> dict[str, Any]:
    try:
        return tomllib.loads(file.read_text("utf-8"))
    except OSError as error:
        raise ValueError(f"The cluster's file {file} can't be read: {error.strerror}.") from error
    except tomllib.TOMLDecodeError as error:
        raise ValueError(f"The cluster's file {file} is no TOML: {error}.") from error


def _check(rows: Sequence[Mapping[str, Any]], file: Path | None) -> None:
    known = {f.name for f in fields(Serving)}
    for row in rows:
        if wrong := set(row) - known - set(_NAMES):
            raise ValueError(
                f"{file}: a model has no {', '.join(sorted(wrong))}. It may have: {', '.join(sorted(known))}."
            )
        for name, value in row.items():
            if name in known and (isinstance(value, bool) or not isinstance(value, int | float) or value < 0):
                raise ValueError(f"{file}: {name} must be a number from 0 up; it is {value!r}.")
