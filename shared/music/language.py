"""The language the music model reads and writes: words for what is wanted, then bars, places in them, and notes.

    <s> kind:jig mode:major metre:6/8 density:busy leaps:smooth
    part:1 bar:7 @0 +0 @12 +4 @24 +7 @36 ... bar:6 ...  </s>

A step is a place in the bar (`@12`: ticks from its beginning) and what each voice does there, highest voice first: a
pitch in semitones from the tonic (`+7`), `hold` (it sounds on) or `rest`. A step lasts until the next, so a bar always
adds up. `bar:7` tells that 7 bars of the part follow it, `part:1` that one part follows it. `pickup` is a bar of which
only the end is there; `stop` ends a part's last bar early. Pitches count from the tonic, so a tune and its
transpositions are one text: what is learned in one key is known in all twelve.
"""

from __future__ import annotations

import json
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path

from shared.music.piece import MODES, TICKS, Bar, Piece

LOWEST, HIGHEST = -36, 36  # semitones from the tonic
MOST_BARS, MOST_PARTS = 15, 7  # counted down from; longer ones wait there
LONGEST_BAR = 6 * TICKS
KINDS = ("reel", "jig", "slip_jig", "hornpipe", "strathspey", "air", "planxty", "chorale")
METRES = ("2/2", "2/4", "3/4", "4/4", "6/8", "9/8", "3/8", "12/8", "3/2")
LEVELS: Mapping[str, tuple[str, ...]] = {
    "kind": KINDS,
    "mode": tuple(MODES),
    "metre": METRES,
    "density": ("plain", "usual", "busy"),
    "leaps": ("smooth", "usual", "leaping"),
}
CONTROLS = tuple(LEVELS)
PAD, BEGIN, END, UNKNOWN = "<pad>", "<s>", "</s>", "<unk>"
SPECIAL = (PAD, BEGIN, END, UNKNOWN)
CENTRE = 9  # semitones from the tonic to where a melody's middle lies in this language


def places() -> tuple[int, ...]:
    """Where in a bar a step may be: every thirty-second, and every triplet of a sixteenth."""
    return tuple(t for t in range(LONGEST_BAR) if t % 3 == 0 or t % 4 == 0)


def pitch_word(semitones: int) -> str:
    """`+7` for seven semitones above the tonic."""
    return f"{semitones:+d}"


def words() -> tuple[str, ...]:
    """The whole vocabulary in its order."""
    return (
        *SPECIAL,
        *(f"{name}:{level}" for name, levels in LEVELS.items() for level in ("any", *levels)),
        *(f"part:{left}" for left in range(MOST_PARTS + 1)),
        *(f"bar:{left}" for left in range(MOST_BARS + 1)),
        *("pickup", "stop", "hold", "rest"),
        *(f"@{place}" for place in places()),
        *(pitch_word(semitones) for semitones in range(LOWEST, HIGHEST + 1)),
    )


@dataclass(frozen=True)
class Vocabulary:
    """Words and their numbers, as a tokenizer file has them."""

    ids: Mapping[str, int]
    words: tuple[str, ...]

    @classmethod
    def of(cls, told: Iterable[str]) -> Vocabulary:
        """Numbered in their order."""
        listed = tuple(told)
        return cls({word: number for number, word in enumerate(listed)}, listed)

    @classmethod
    def read(cls, file: Path) -> Vocabulary:
        """From a `tokenizer.json` of Hugging Face's tokenizers. Raises `ValueError` where it is of another kind."""
        try:
            ids = json.loads(file.read_text(encoding="utf-8"))["model"]["vocab"]
            ordered = sorted(ids, key=ids.__getitem__)
        except (OSError, KeyError, TypeError, AttributeError) as error:
            raise ValueError(f"{file.name} is no vocabulary of words") from error
        if [ids[word] for word in ordered] != list(range(len(ordered))):
            raise ValueError(f"{file.name} numbers its words with gaps")
        return cls.of(ordered)

    def encode(self, text: Iterable[str]) -> list[int]:
        """Numbers of words. Raises `KeyError` for a word that it hasn't."""
        return [self.ids[word] for word in text]


def base_for(melody: Iterable[int], tonic: int, centre: int = CENTRE) -> int:
    """The tonic's MIDI pitch that lies nearest to so many semitones below the middle of the melody's pitches."""
    ordered = sorted(melody)
    middle = ordered[len(ordered) // 2] if ordered else 72
    wanted = middle - centre
    return tonic + 12 * round((wanted - tonic) / 12)


def header(controls: Mapping[str, str]) -> list[str]:
    """The words that come first: what is wanted, `any` where nothing is."""
    return [BEGIN, *(f"{name}:{controls.get(name, 'any')}" for name in CONTROLS)]


def write(piece: Piece, controls: Mapping[str, str]) -> list[str]:
    """The piece in words. Raises `ValueError` where the language has no word for something in it."""
    base = base_for((note.pitch for note in piece.melody), piece.key.tonic)
    known = set(words())
    text = [*header(controls), *_body(piece, base), END]
    if foreign := next((word for word in text if word not in known), None):
        raise ValueError(f"there is no word for {foreign}")
    return text


def _body(piece: Piece, base: int) -> Iterator[str]:
    parts_left = sum(bar.part for bar in piece.bars)
    ends = [*[i for i, bar in enumerate(piece.bars) if bar.part][1:], len(piece.bars)]
    for number, bar in enumerate(piece.bars):
        if bar.part:
            parts_left -= 1
            end = ends.pop(0)
            yield f"part:{min(parts_left, MOST_PARTS)}"
        yield "pickup" if bar.pickup else f"bar:{min(end - number - 1, MOST_BARS)}"
        yield from steps(piece, bar, base)
        if not bar.pickup and bar.length < piece.metre.ticks:
            yield from (f"@{bar.length}", "stop")


def steps(piece: Piece, bar: Bar, base: int) -> Iterator[str]:
    """The words within a bar. `base`: the MIDI pitch that `+0` means."""
    shift = piece.metre.ticks - bar.length if bar.pickup else 0
    for place in _steps(piece, bar.start, bar.start + bar.length):
        yield f"@{place - bar.start + shift}"
        for voice in range(piece.voices):
            yield _does(piece, voice, place, base)


def _steps(piece: Piece, start: int, end: int) -> list[int]:
    """Where something begins or ends within the bar, and the bar's beginning."""
    edges = {edge for note in piece.notes for edge in (note.start, note.start + note.length)}
    return sorted({start, *(edge for edge in edges if start < edge < end)})


def _does(piece: Piece, voice: int, place: int, base: int) -> str:
    for note in piece.notes:
        if note.voice == voice and note.start <= place < note.start + note.length:
            return pitch_word(note.pitch - base) if note.start == place else "hold"
    return "rest"
