"""Which ways of running a model can work here, and why the others can't. Pure: no I/O, no clock."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

from shared.catalog import ModelSpec, Variant
from shared.machine import Machine
from shared.tasks import Mode

# Room that the system and the page need beside a model, in GiB.
HEADROOM_GB = 1.0
# A GPU with less can't even hold what a large model's layers work on, in GiB.
LEAST_CARD_GB = 4.0


@dataclass(frozen=True)
class Refusal:
    """A variant that can't run here, and what would mend that, in words for a person."""

    variant: Variant
    reason: str


@dataclass(frozen=True)
class Plan:
    """The variants to try, best first, and those refused."""

    candidates: tuple[Variant, ...]
    refused: tuple[Refusal, ...]


# Asked of a backend: None where it is ready, otherwise what is missing (a package, a key).
Check = Callable[[Variant], str | None]


def plan(
    spec: ModelSpec, machine: Machine, check: Check, *, mode: Mode | None = None, variant: str | None = None
) -> Plan:
    """Sort the model's variants into those that can run here and those that can't.

    `mode` and `variant` (a `Variant.key`) are the person's choice: others are not considered at all,
    so that a run never moves to another kind of engine in silence.
    """
    chosen = [v for v in spec.variants if (not mode or v.mode == mode) and (not variant or v.key == variant)]
    candidates, refused = [], []
    for each in chosen:
        reason = _retired(spec) or _why_not(each, machine) or check(each)
        if reason:
            refused.append(Refusal(each, reason))
        else:
            candidates.append(each)
    return Plan(tuple(candidates), tuple(refused))


def _retired(spec: ModelSpec) -> str | None:
    if not spec.retired:
        return None
    why = spec.gone or f"{spec.name} was retired by its provider."
    return f"{why} Use {spec.successor} instead." if spec.successor else why


def device_of(variant: Variant, machine: Machine) -> str:
    """The device a local variant would use here: its own, or for `auto` the machine's best."""
    return machine.accelerator if variant.device == "auto" else variant.device


def needs_gb(variant: Variant, machine: Machine) -> float:
    """What the whole model takes of its device's memory here."""
    on_gpu = device_of(variant, machine) == "cuda"
    return variant.on_card_gb if on_gpu else variant.memory_gb


def in_pieces(variant: Variant, machine: Machine) -> bool:
    """Whether it is too large for the GPU here, and its engine would move it there piece by piece."""
    from shared.backends import BACKENDS

    large = device_of(variant, machine) == "cuda" and needs_gb(variant, machine) > machine.cuda_gb >= LEAST_CARD_GB
    return large and BACKENDS[variant.backend].offloads


def _why_not(variant: Variant, machine: Machine) -> str | None:
    if variant.mode == Mode.HOSTED:
        return None
    if variant.device == "cuda" and not machine.cuda_gb:
        return "It needs an NVIDIA GPU, and this machine has none."
    if variant.device == "mps" and not machine.mps:
        return "It needs an Apple GPU, and this machine has none."
    on_gpu, needed = device_of(variant, machine) == "cuda", needs_gb(variant, machine)
    beside = max(machine.ram_gb - HEADROOM_GB, 0.0)
    room = machine.cuda_gb if on_gpu else beside
    if needed <= room:
        return None
    if not in_pieces(variant, machine):
        if on_gpu:
            return f"It needs {needed:.1f} GB of GPU memory, and this machine has {room:.1f} GB for it."
        return f"It needs {needed:.1f} GB of memory, and this machine has {room:.1f} GB for it."
    if needed > beside:
        return (
            f"It needs {needed:.1f} GB: more than the GPU's {room:.1f} GB, and than the {beside:.1f} GB of memory from "
            "which it could be moved there piece by piece."
        )
    return None
