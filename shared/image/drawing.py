"""Gathers a run's events into the drawing so far, and paces how often a screen is told of it."""

from __future__ import annotations

import time
from collections.abc import Iterator
from contextlib import closing
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

from shared.errors import InferenceError
from shared.events import Event, Final, Preview, Progress
from shared.receipts import Receipt
from shared.requests import ImagePart

if TYPE_CHECKING:
    from PIL.Image import Image

# A screen is told about four times a second.
INTERVAL = 0.25


@dataclass(frozen=True)
class Drawing:
    """A drawing as far as it has come. `preview` is unfinished; `images` are encoded files, each with its seed."""

    preview: Image | None = None
    images: tuple[ImagePart, ...] = ()
    seeds: tuple[int, ...] = ()
    status: str = ""
    finish_reason: str | None = None
    receipt: Receipt | None = None
    error: InferenceError | None = None

    @property
    def done(self) -> bool:
        """Whether nothing more will come."""
        return self.receipt is not None or self.error is not None

    def seed_of(self, number: int) -> int | None:
        """The seed of the picture at that place, where the engine has seeds."""
        if number < len(self.seeds):
            return self.seeds[number]
        return self.receipt.seed if self.receipt else None


def drawings(events: Iterator[Event], interval: float = INTERVAL) -> Iterator[Drawing]:
    """The drawing as it grows, at most every `interval` seconds, then whole.

    An `InferenceError` doesn't leave here: it ends the drawing and stands in it. Closing this iterator closes
    `events`.
    """
    with closing(events):  # type: ignore[type-var]
        yield from _paced(events, interval)


def _paced(events: Iterator[Event], interval: float) -> Iterator[Drawing]:
    now, told = Drawing(status="Starting"), float("-inf")
    try:
        for event in events:
            first = isinstance(event, Preview) and now.preview is None
            now = _with(now, event)
            if first or now.done or time.monotonic() - told >= interval:
                told = time.monotonic()
                yield now
    except InferenceError as error:
        so_far = _with(now, error.partial) if error.partial else now
        yield replace(so_far, status="", error=error)


def _with(drawing: Drawing, event: Event) -> Drawing:
    if isinstance(event, Preview):
        return replace(drawing, preview=event.image)
    if isinstance(event, Progress):
        return replace(drawing, status=_status(event))
    if isinstance(event, Final):
        out = event.output
        whole = {"images": out.images, "seeds": out.seeds, "finish_reason": out.finish_reason}
        return replace(drawing, status="", receipt=event.receipt, **whole)
    return drawing


def _status(progress: Progress) -> str:
    """The message, and how long it has taken where that is long."""
    waited = progress.elapsed is not None and progress.elapsed >= 1
    return f"{progress.message} · {progress.elapsed:.0f} s" if waited else progress.message
