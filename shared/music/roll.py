"""Draws a piano roll: pitch upwards, time to the right, one colour a voice. Plain SVG that fetches nothing."""

from __future__ import annotations

from shared.music.piece import TONICS, Piece

COLOURS = ("#e4572e", "#2e86ab", "#3b9c5f", "#8f5fbf")
BAR, ROW, LEFT, MARGIN = 64, 9, 30, 3  # pixels a bar, a semitone, for the names; semitones above and below the notes
_BLACK = {1, 3, 6, 8, 10}


def roll(piece: Piece, total_bars: int | None = None) -> str:
    """The piece so far, in a frame wide enough for `total_bars`, so that it stays in place while it grows."""
    pitches = [note.pitch for note in piece.notes] or [60, 72]
    low, high = min(pitches) - MARGIN, max(pitches) + MARGIN
    scale = BAR / piece.metre.ticks
    ticks = max(piece.ticks, (total_bars or 0) * piece.metre.ticks, piece.metre.ticks)
    width, height = LEFT + round(ticks * scale), (high - low + 1) * ROW

    def y(pitch: int) -> int:
        return (high - pitch) * ROW

    parts = [
        f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {width} {height}" role="img" '
        f'aria-label="Piano roll: {len(piece.notes)} notes in {piece.full_bars} bars" '
        f'style="background:#fff;width:100%;min-width:{width // 2}px">'
    ]
    for pitch in range(low, high + 1):
        if pitch % 12 in _BLACK:
            parts.append(f'<rect x="{LEFT}" y="{y(pitch)}" width="{width - LEFT}" height="{ROW}" fill="#f1f1f4"/>')
        if pitch % 12 == piece.key.tonic:
            name = f"{TONICS[pitch % 12]}{pitch // 12 - 1}"
            parts.append(f'<text x="4" y="{y(pitch) + ROW}" font-size="11" font-family="sans-serif">{name}</text>')
            parts.append(f'<rect x="{LEFT}" y="{y(pitch)}" width="{width - LEFT}" height="{ROW}" fill="#fdf3d8"/>')
    for bar in piece.bars:
        x = LEFT + bar.start * scale
        stroke = "#777" if bar.part else "#ccc"
        parts.append(f'<line x1="{x:g}" x2="{x:g}" y1="0" y2="{height}" stroke="{stroke}"/>')
    for note in piece.notes:
        parts.append(
            f'<rect x="{LEFT + note.start * scale:.1f}" y="{y(note.pitch)}" rx="2" '
            f'width="{max(2, note.length * scale - 1):.1f}" height="{ROW}" fill="{COLOURS[note.voice % 4]}"/>'
        )
    return "".join([*parts, "</svg>"])
