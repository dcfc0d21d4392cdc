"""Gathers a run's events into what there is so far, and paces how often a screen is told of it."""

from __future__ import annotations

import time
from collections.abc import Iterator
from contextlib import closing
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Protocol, TypeVar

from shared.errors import InferenceError
from shared.events import Event, Final, Partial, Piece, Preview, Progress
from shared.receipts import Receipt

if TYPE_CHECKING:
    from PIL.Image import Image

# A screen is told about four times a second: each telling costs the server about a millisecond.
INTERVAL = 0.25


@dataclass(frozen=True, kw_only=True)
class SoFar:
    """What has come of a run; each task adds its own output. `status` says what goes on meanwhile."""

    status: str = ""
    finish_reason: str | None = None
    receipt: Receipt | None = None
    error: InferenceError | None = None

    @property
    def done(self) -> bool:
        """Whether nothing more will come."""
        return self.receipt is not None or self.error is not None


Shown = TypeVar("Shown", bound=SoFar)
Gathered = TypeVar("Gathered", bound=SoFar, covariant=True)


class Gatherer(Protocol[Gathered]):
    """Keeps the output of one task as it comes."""

    def add(self, event: Piece) -> None:
        """Take in a piece."""

    def so_far(self) -> Gathered:
        """What the pieces make."""

    def whole(self, final: Final) -> Gathered:
        """What the run's end brings."""


class LastPreview:
    """Keeps of a run's pieces the last unfinished picture."""

    def __init__(self) -> None:
        self.preview: Image | None = None

    def add(self, event: Piece) -> None:
        """Take in a piece."""
        if isinstance(event, Preview):
            self.preview = event.image


def paced(events: Iterator[Event], gatherer: Gatherer[Shown], interval: float = INTERVAL) -> Iterator[Shown]:
    """What there is: at once when output begins, then at most every `interval` seconds, then whole.

    An `InferenceError` doesn't leave here: it ends the run and stands in the last one, with all that came before.
    Closing this iterator closes `events`.
    """
    with closing(events):  # type: ignore[type-var]
        yield from _paced(events, gatherer, interval)


def _paced(events: Iterator[Event], gatherer: Gatherer[Shown], interval: float) -> Iterator[Shown]:
    told, began, status = float("-inf"), False, ""
    try:
        for event in events:
            if isinstance(event, Final):
                yield _ended(gatherer, event)
                continue
            begins = not began and not isinstance(event, Progress)
            began = began or begins
            if isinstance(event, Progress):
                status = status_of(event)
            else:
                gatherer.add(event)
                status = "" if isinstance(event, Partial) else status  # text shows by itself that it goes on
            now = time.monotonic()
            if begins or now - told >= interval:
                told = now
                yield replace(gatherer.so_far(), status=status)
    except InferenceError as error:
        so_far = _ended(gatherer, error.partial) if error.partial else gatherer.so_far()
        yield replace(so_far, error=error)


def _ended(gatherer: Gatherer[Shown], final: Final) -> Shown:
    return replace(
        gatherer.whole(final), finish_reason=getattr(final.output, "finish_reason", None), receipt=final.receipt
    )


def status_of(progress: Progress) -> str:
    """The message, with how far it is and how long it has taken, where these are known."""
    parts = [progress.message]
    if progress.step is not None and progress.total:
        parts.append(f"{100 * progress.step / progress.total:.0f}%")
    if progress.elapsed is not None and progress.elapsed >= 1:
        parts.append(f"{progress.elapsed:.0f} s")
    return " · ".join(parts)
