"""The schedulers a person can choose, and how one takes the place of a pipeline's own."""

from __future__ import annotations

import inspect
import tomllib
from collections.abc import Mapping
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


def put(pipe: Any, name: str | None, own: Any, steps: int = 0) -> None:
    """Give the pipeline the named scheduler, set as its `own` was; None gives it its own back.

    Raises `InvalidRequest` for one that isn't of the model's kind, or that takes fewer steps.
    """
    import diffusers

    if name is None or name == type(own).__name__:
        pipe.scheduler = own.from_config(own.config)
        return
    if name not in (fitting := _fitting(pipe, own)):
        raise InvalidRequest(f"This model has no scheduler {name[:60]!r}. Choose one of: {', '.join(fitting)}.")
    pipe.scheduler = getattr(diffusers, name).from_config(own.config)
    most = pipe.scheduler.config.get("original_inference_steps") or steps
    if steps > most:
        raise InvalidRequest(f"{label(name)} takes at most {most} steps. Lower them, or choose another scheduler.")


def _fitting(pipe: Any, own: Any) -> list[str]:
    """The schedulers that the pipeline can call."""
    import diffusers

    if "FlowMatch" not in type(own).__name__:
        return list(schedulers()["noise"])
    given = set() if type(pipe).__name__.startswith("StableDiffusion3") else {"sigmas"}
    if own.config.get("use_dynamic_shifting"):
        given.add("mu")
    classes = {name: getattr(diffusers, name) for name in schedulers()["flow"]}
    return [name for name, one in classes.items() if given <= set(inspect.signature(one.set_timesteps).parameters)]
