"""The schedulers a person can choose, and how one takes the place of a pipeline's own."""

from __future__ import annotations

import json
import tomllib
from collections.abc import Mapping, Sequence
from functools import cache
from pathlib import Path
from typing import Any

from shared.errors import InvalidRequest


@cache
def schedulers() -> Mapping[str, Mapping[str, str]]:
    """`noise` and `flow`: diffusers' class name to the name a person knows."""
    return tomllib.loads((Path(__file__).parent / "schedulers.toml").read_text("utf-8"))


def label(name: str) -> str:
    """The name a person knows, or the class name."""
    return next((names[name] for names in schedulers().values() if name in names), name)


def named(which: str | Sequence[str]) -> tuple[str, ...]:
    """The class names that a variant's `options.schedulers` stands for: a kind's, or those that it lists."""
    return tuple(schedulers()[which]) if isinstance(which, str) else tuple(which)


def taken_by(folder: Path) -> tuple[str, ...]:
    """Those that the pipeline in that folder takes, read from its files alone; none where they say nothing."""
    try:
        index = json.loads((folder / "model_index.json").read_text(encoding="utf-8"))
        own = json.loads((folder / "scheduler" / "scheduler_config.json").read_text(encoding="utf-8"))
        return _taken(str(index["_class_name"]), str(own["_class_name"]), bool(own.get("use_dynamic_shifting")))
    except (OSError, ValueError, KeyError, TypeError, AttributeError):
        return ()


def put(pipe: Any, name: str | None, own: Any, steps: int = 0) -> None:
    """Give the pipeline the named scheduler, set as its `own` was; None gives it its own back.

    Raises `InvalidRequest` for one that isn't of the model's kind, or that takes fewer steps.
    """
    import diffusers

    if name is None or name == type(own).__name__:
        pipe.scheduler = own.from_config(own.config)
        return
    fitting = _taken(type(pipe).__name__, type(own).__name__, bool(own.config.get("use_dynamic_shifting")))
    if name not in fitting:
        raise InvalidRequest(f"This model has no scheduler {name[:60]!r}. Choose one of: {', '.join(fitting)}.")
    pipe.scheduler = getattr(diffusers, name).from_config(own.config)
    most = pipe.scheduler.config.get("original_inference_steps") or steps
    if steps > most:
        raise InvalidRequest(f"{label(name)} takes at most {most} steps. Lower them, or choose another scheduler.")


def _taken(pipeline: str, own: str, shifting: bool) -> tuple[str, ...]:
    """Those that a pipeline can call, by the names of its class and of its own scheduler's.

    `shifting`: the pipeline tells its scheduler how far to shift the steps.
    """
    kinds = schedulers()
    if pipeline.startswith("LatentConsistency"):
        return ("LCMScheduler",)  # these pipelines hand over steps that no other takes
    if "FlowMatch" not in own:
        return tuple(kinds["noise"])
    if pipeline.startswith("StableDiffusion3") and not shifting:
        return tuple(kinds["flow"])
    return (EULER,)  # the others say the steps themselves, which Heun's can't be told


EULER = "FlowMatchEulerDiscreteScheduler"
