"""Catches the tokens that a model hands to its codec: transformers' models give the sound alone."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

from shared.outputs import Codes


class Caught:
    """The tokens of the last call, None before there is one."""

    tokens: Any = None

    def codes(self, size: int) -> Codes | None:
        """As they are shown. `size`: how many values a token can have."""
        if self.tokens is None:
            return None
        flat = self.tokens.detach().cpu().reshape(-1, self.tokens.shape[-1])
        return Codes(tokens=flat.numpy().astype("int32"), size=size)


@contextmanager
def caught(owner: Any, method: str) -> Iterator[Caught]:
    """The tokens, codebooks by frames of one sound, with which `owner`'s method is called while the block runs."""
    found, decode = Caught(), getattr(owner, method)

    def seen(*given: Any, **named: Any) -> Any:
        found.tokens = given[0] if given else named["audio_codes"]
        return decode(*given, **named)

    setattr(owner, method, seen)
    try:
        yield found
    finally:
        delattr(owner, method)  # the class's own is there again
