"""A composition on the screen: its score and its piano roll as they grow, and what is told of it."""

from __future__ import annotations

import time
from collections.abc import Iterator
from html import escape
from typing import Any

from shared.errors import BackendError
from shared.music.composed import Composition
from shared.music.instruments import instruments
from shared.music.piece import Piece
from shared.music.roll import roll
from shared.music.score import score
from shared.receipts import Receipt
from shared.ui import receipt_view

_SHARE = 5  # engraving may take one part of so many of the time while the piece grows


class Sheet:
    """The score as HTML: anew when bars have come, unless engraving would take up the time. `problem`: why not."""

    def __init__(self) -> None:
        self.problem = ""
        self._bars, self._from = 0, 0.0

    def grown(self, made: Composition) -> str | None:
        """The score; None where nothing has changed, or it is too soon, or it can't be drawn."""
        bars = len(made.music.bars) if made.music else 0
        began = time.monotonic()
        if made.music is None or bars == self._bars or began < self._from:
            return None
        drawn, self._bars = self.whole(made.music, made.instrument), bars
        self._from = float("inf") if self.problem else time.monotonic() + _SHARE * (time.monotonic() - began)
        return drawn or None

    def whole(self, music: Piece, instrument: str) -> str:
        """The score now; nothing where it can't be drawn."""
        self.problem = ""
        try:
            name = f"Score: {music.full_bars} bars in {music.key}, {music.metre}"
            return f'<div class="pg-scroll pg-sheet" role="img" aria-label="{name}">{score(music, instrument)}</div>'
        except BackendError as error:
            self.problem = str(error)
            return ""


def drawn_roll(made: Composition) -> str:
    """The piano roll as HTML, as wide as the whole will be."""
    return f'<div class="pg-scroll pg-roll">{roll(made.music, made.total)}</div>' if made.music else ""


def status(made: Composition, more: str = "") -> str:
    """The line above: what goes on and how far it is, or what it took."""
    line = receipt_view.metrics(None if more else made.receipt, more or made.status)
    if made.receipt is not None or not made.total:
        return line
    label = f"Bar {made.bar} of {made.total}"
    return f'{line}<progress class="pg-progress" max="{made.total}" value="{made.bar}" aria-label="{label}"></progress>'


def told(receipt: Receipt) -> str:
    """What the piece is, whether that was asked for, how new it is, and how the prompt was read; as HTML."""
    lines = "".join(f"<li><span>{name}:</span> {escape(text)}</li>" for name, text in _lines(receipt))
    listed = f'<ul class="pg-told pg-quiet">{lines}</ul>' if lines else ""
    return f"{figures(receipt)}{listed}"


def figures(receipt: Receipt) -> str:
    """What the piece is, whether that was asked for, and how new it is; as HTML."""
    cells = "".join(f'<span class="pg-m"><span>{n}</span><b>{escape(v)}</b></span>' for n, v in _figures(receipt))
    return f'<div class="pg-metrics">{cells}</div>' if cells else ""


def _figures(receipt: Receipt) -> Iterator[tuple[str, str]]:
    music, heard, novelty = (receipt.extra.get(name) or {} for name in ("music", "heard", "novelty"))
    if music:
        yield "Piece", f"{str(music['kind']).replace('_', ' ')}, {music['key']}, {music['metre']}"
        yield "Tempo", f"{music['tempo']:g} beats/min"
        if begun := music.get("begun_bars"):
            yield "Begun by you", f"{begun} bars"
        yield "Played on", instruments()[music["instrument"]]["label"]
    if heard:
        yield "Key heard", f"{heard['key']}{', as asked' if heard['key_agrees'] else ', not as asked'}"
        yield "Ends on the tonic", "yes" if heard["ends_on_tonic"] else "no"
        yield "Beats struck", f"{heard['on_beat']:.0%}"
    for notes in (5, 8):
        if (share := novelty.get(f"new_runs_of_{notes}")) is not None:
            yield f"New runs of {notes} notes", f"{share:.0%}"
    if "longest_known_run" in novelty:
        yield "Longest run of a learned tune", f"{novelty['longest_known_run']} notes"


def _lines(receipt: Receipt) -> Iterator[tuple[str, str]]:
    extra: dict[str, Any] = dict(receipt.extra)
    if extra.get("understood"):
        yield "Read in the prompt", " · ".join(extra["understood"])
    if extra.get("assumed"):
        yield "Left open", " · ".join(extra["assumed"])
    if extra.get("unread_words"):
        yield "Not understood", ", ".join(extra["unread_words"])
    for name, reason in receipt.unhonoured.items():
        yield f"Not followed: {escape(name)}", reason
