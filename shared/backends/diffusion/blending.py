"""Lets a pipeline read a mix of two prompts: their embeddings on a straight line, for any family of models."""

from __future__ import annotations

import inspect
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

from shared.errors import InvalidRequest
from shared.requests import ImageRequest

_UNLIKE = (
    "This model tells the two prompts in different lengths, so there is nothing between them. "
    "Give prompts of the same number of words, or choose a model of Stable Diffusion's or FLUX's family."
)


@contextmanager
def blended(pipe: Any, request: ImageRequest) -> Iterator[None]:
    """Within the block the pipeline reads the request's prompt `blend` of the way to its `blend_prompt`.

    Everything else that it reads, such as the negative prompt, stays. Raises `InvalidRequest` where the two can't be
    mixed.
    """
    share, other = request.blend, request.blend_prompt
    if not share or other is None:
        yield
        return
    encode = pipe.encode_prompt

    def mixed(*args: Any, **given: Any) -> Any:
        bound = inspect.signature(encode).bind(*args, **given)
        own = encode(*args, **given)
        if bound.arguments.get("prompt") not in (request.prompt, [request.prompt]):
            return own
        for name, value in bound.arguments.items():
            if name.startswith("prompt") and value in (request.prompt, [request.prompt]):
                bound.arguments[name] = other
        return _between(own, encode(*bound.args, **bound.kwargs), share)

    pipe.encode_prompt = mixed
    try:
        yield
    finally:
        del pipe.encode_prompt  # the class's own is behind it


def _between(one: Any, other: Any, share: float) -> Any:
    """The values (tensors, or lists of them) `share` of the way. Raises `InvalidRequest` where shapes differ."""
    import torch

    if isinstance(one, tuple | list):
        if len(one) != len(other):
            raise InvalidRequest(_UNLIKE)
        return type(one)(_between(a, b, share) for a, b in zip(one, other, strict=True))
    if not isinstance(one, torch.Tensor):
        return one
    if one.shape != other.shape:
        raise InvalidRequest(_UNLIKE)
    if one.is_floating_point():
        return torch.lerp(one, other, share)
    return torch.maximum(one, other)  # masks: what either of them reads
