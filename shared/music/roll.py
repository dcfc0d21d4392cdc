"""Draws a piano roll: pitch upwards, time to the right, one colour a voice. Plain SVG that fetches nothing."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from shared.music.piece import Guess, Key, Piece, spell

COLOURS = ("#e4572e", "#2e86ab", "#3b9c5f", "#8f5fbf")
BAR, ROW, LEFT, MARGIN = 64, 9, 30, 3  # pixels a bar, a semitone, for the names; semitones above and below the notes
LEAST = 0.05  # probability below which what might have been is not drawn
_BLACK = {1, 3, 6, 8, 10}


def roll(piece: Piece, total_bars: int | None = None, guesses: Sequence[Guess] = ()) -> str:
    """The piece so far, in a frame wide enough for `total_bars`, so that it stays in place while it grows.

    `guesses`: behind the notes, what was thought likely in their place, the likelier the darker. The frame says in
    `data-seconds` how long the piece is, and has a hidden line, `data-now`, for who follows it as it is played.
    """
    might = [(guess, deed, share) for guess in guesses for deed, share in guess.likely if share >= LEAST]
    pitches = [n.pitch for n in piece.notes] + [deed for _, deed, _ in might if isinstance(deed, int)] or [60, 72]
    frame = _Frame(piece, min(pitches) - MARGIN, max(pitches) + MARGIN, total_bars or 0)
    ends = _ends(piece, guesses)
    return "".join(
        [
            frame.head(),
            *frame.ground(),
            *(frame.might(g, deed, p, ends[g.voice, g.start]) for g, deed, p in might if isinstance(deed, int)),
            *(frame.note(n.start, n.length, n.pitch, f'fill="{COLOURS[n.voice % 4]}"') for n in piece.notes),
            frame.now(),
            "</svg>",
        ]
    )


class _Frame:
    """Where things lie in the picture."""

    def __init__(self, piece: Piece, low: int, high: int, total_bars: int) -> None:
        self._piece, self._low, self._high = piece, low, high
        self._scale = BAR / piece.metre.ticks
        ticks = max(piece.ticks, total_bars * piece.metre.ticks, piece.metre.ticks)
        self._width, self._height = round(self._x(ticks)), (high - low + 1) * ROW

    def _x(self, ticks: int) -> float:
        return LEFT + ticks * self._scale

    def _y(self, pitch: int) -> int:
        return (self._high - pitch) * ROW

    def head(self) -> str:
        piece = self._piece
        return (
            f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {self._width} {self._height}" role="img" '
            f'aria-label="Piano roll: {len(piece.notes)} notes in {piece.full_bars} bars" '
            f'data-seconds="{piece.seconds:.3f}" data-from="{LEFT}" data-to="{self._x(piece.ticks):.1f}" '
            f'style="background:#fff;width:100%;min-width:{self._width // 2}px">'
        )

    def ground(self) -> Iterator[str]:
        """Rows of black keys and of the tonic, and bar lines."""
        for pitch in range(self._low, self._high + 1):
            if pitch % 12 in _BLACK:
                yield self._row(pitch, "#f1f1f4")
            if pitch % 12 == self._piece.key.tonic:
                at, name = self._y(pitch) + ROW, name_of(pitch, self._piece.key)
                yield f'<text x="4" y="{at}" font-size="11" font-family="sans-serif">{name}</text>'
                yield self._row(pitch, "#fdf3d8")
        for bar in self._piece.bars:
            yield self._line(self._x(bar.start), f'stroke="{"#777" if bar.part else "#ccc"}"')

    def _row(self, pitch: int, colour: str) -> str:
        width = self._width - LEFT
        return f'<rect x="{LEFT}" y="{self._y(pitch)}" width="{width}" height="{ROW}" fill="{colour}"/>'

    def _line(self, x: float, look: str) -> str:
        return f'<line x1="{x:g}" x2="{x:g}" y1="0" y2="{self._height}" {look}/>'

    def note(self, start: int, length: int, pitch: int, look: str, inside: str = "") -> str:
        width = max(2, length * self._scale - 1)
        return (
            f'<rect x="{self._x(start):.1f}" y="{self._y(pitch)}" rx="2" width="{width:.1f}" height="{ROW}" {look}'
            + (f">{inside}</rect>" if inside else "/>")
        )

    def might(self, guess: Guess, pitch: int, share: float, end: int) -> str:
        look = f'fill="{COLOURS[guess.voice % 4]}" fill-opacity="{0.1 + 0.6 * share:.2f}"'
        told = f"<title>{name_of(pitch, self._piece.key)} {share:.0%}</title>"
        return self.note(guess.start, end - guess.start, pitch, look, told)

    def now(self) -> str:
        return self._line(LEFT, 'data-now="" stroke="#0d857a" stroke-width="2" visibility="hidden"')


def _ends(piece: Piece, guesses: Sequence[Guess]) -> dict[tuple[int, int], int]:
    """Until when each guess holds: to the next of its voice, a beat at most."""
    ends: dict[tuple[int, int], int] = {}
    after = {guess.voice: piece.ticks for guess in guesses}
    for guess in sorted(guesses, key=lambda g: g.start, reverse=True):
        ends[guess.voice, guess.start] = min(after[guess.voice], guess.start + piece.metre.beat)
        after[guess.voice] = guess.start
    return ends


def name_of(pitch: int, key: Key) -> str:
    """A MIDI pitch for a person, as the key spells it: C4 is middle C."""
    letter, alter, octave = spell(pitch, key.fifths)
    return f"{letter}{'♯' * alter if alter > 0 else '♭' * -alter}{octave}"
