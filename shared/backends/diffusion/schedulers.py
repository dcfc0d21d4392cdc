"""The schedulers a person can choose, and how one takes the place of a pipeline's own."""

from __future__ import annotations

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


def put(pipe: Any, name: str | None, own: Any) -> None:
    """Give the pipeline the named scheduler, set as its `own` was; None gives it its own back.

    Raises `InvalidRequest` for one that isn't of the model's kind.
    """
    import diffusers

    kind = "flow" if "FlowMatch" in type(own).__name__ else "noise"
    if name is None or name == type(own).__name__:
        pipe.scheduler = own.from_config(own.config)
        return
    if name not in schedulers()[kind]:
        known = ", ".join(schedulers()[kind])
        raise InvalidRequest(f"This model has no scheduler {name[:60]!r}. Choose one of: {known}.")
    pipe.scheduler = getattr(diffusers, name).from_config(own.config)
