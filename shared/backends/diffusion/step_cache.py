"""Lets a video pipeline take most of a step from the one before, where the two begin alike."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any


@contextmanager
def step_cached(pipe: Any, threshold: float | None) -> Iterator[None]:
    """Within the block by diffusers' first-block cache; without a threshold nothing is done.

    A step whose first block changes less than that, relative to the step before, takes the part of all other blocks
    from there.
    """
    if not threshold:
        yield
        return
    import diffusers

    cache: Any = diffusers.FirstBlockCacheConfig
    pipe.transformer.enable_cache(cache(threshold=threshold))
    try:
        yield
    finally:
        pipe.transformer.disable_cache()
