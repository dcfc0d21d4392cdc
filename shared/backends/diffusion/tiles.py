"""Decodes a clip in tiles where its decoder runs out of memory otherwise: slower, and told."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

from shared.backends.local.failures import ran_out
from shared.events import Progress
from shared.memory import give_back
from shared.streaming import Emit

NOTE = "Memory ran out when the frames were decoded; they were decoded in tiles instead, whose edges may show."


@contextmanager
def tiled_if_short(pipe: Any, emit: Emit) -> Iterator[list[str]]:
    """Within the block a decoder that runs out of memory is asked once more, in tiles; the list then says so."""
    vae, notes = getattr(pipe, "vae", None), list[str]()
    if vae is None or not hasattr(vae, "enable_tiling"):
        yield notes
        return
    decode = vae.decode

    def again(*args: Any, **given: Any) -> Any:
        try:
            return decode(*args, **given)
        except (RuntimeError, MemoryError) as error:
            if notes or not ran_out(error):
                raise
        give_back()  # outside the except block, whose error holds what filled the memory
        notes.append(NOTE)
        emit(Progress("Decoding in tiles: memory ran out"))
        vae.enable_tiling()
        return decode(*args, **given)

    vae.decode = again
    try:
        yield notes
    finally:
        del vae.decode  # the class's own is behind it
        if notes:
            vae.disable_tiling()
