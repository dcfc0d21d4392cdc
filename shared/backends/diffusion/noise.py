"""Noise drawn on the CPU, from one seed or between those of two: one seed gives one picture on any device."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

from shared.requests import ImageRequest

_PARALLEL = 1e-3  # radians: below it the two are one, as nearly as float32 can tell


@contextmanager
def noise_of(request: ImageRequest, number: int) -> Iterator[Any]:
    """The generator to call a pipeline with, within the block, for the picture of that number, counted from 0.

    All that is drawn with it there is mixed: the first noise, and what some schedulers add at each step. So a
    variation strength of 1 gives the very picture of the variation seed, as 0 gives that of the seed.
    """
    import torch

    first = torch.Generator("cpu").manual_seed(request.seed_of(number) or 0)
    second = request.variation_seed_of(number)
    if second is None:
        yield first
        return
    with _mixed(first, torch.Generator("cpu").manual_seed(second), request.variation_strength or 0.0):
        yield first


def _mixed(first: Any, second: Any, strength: float) -> Any:
    """A block in which `torch.randn` by the first generator gives what lies between both."""
    import torch
    from torch.overrides import TorchFunctionMode

    class Mixed(TorchFunctionMode):  # type: ignore[misc, unused-ignore]
        """Pipelines and schedulers draw noise by this one function, each in its own shape."""

        def __torch_function__(self, func: Any, types: Any, args: Any = (), kwargs: Any = None) -> Any:
            given = kwargs or {}
            drawn = func(*args, **given)
            if func is not torch.randn or given.get("generator") is not first:
                return drawn
            return between(drawn, func(*args, **{**given, "generator": second}), strength)

    return Mixed()


def between(one: Any, other: Any, strength: float) -> Any:
    """What lies between two tensors of noise on the arc from one (0) to the other (1): it is as strong as they are.

    sin((1 - t) w) / sin w one + sin(t w) / sin w other, where w is the angle between them
    (K. Shoemake, Animating rotation with quaternion curves, 1985).
    """
    import torch

    if strength in (0.0, 1.0):
        return other if strength else one
    a, b = one.float(), other.float()
    cosine = (a * b).sum() / (a.norm() * b.norm())
    angle = torch.arccos(cosine.clamp(-1, 1))
    if angle < _PARALLEL:
        return one
    mixed = (torch.sin((1 - strength) * angle) * a + torch.sin(strength * angle) * b) / torch.sin(angle)
    return mixed.to(one.dtype)
