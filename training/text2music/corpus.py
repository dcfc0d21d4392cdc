"""The corpus: every piece as words, with what is measured of it, split into those to learn from and those kept back."""

from __future__ import annotations

import json
import random
from collections import Counter, defaultdict
from collections.abc import Callable, Iterable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy
from chorales import chorales
from tunes import Known, tunes

from shared.music import features, novelty
from shared.music.draft import read
from shared.music.language import LEVELS, base_for, write
from shared.music.piece import Piece

KEPT_BACK = 0.06  # of the pieces; those that a learned tune resembles are dropped from these
SAME_TUNE = 16  # notes in a row
MEASURES: dict[str, Callable[[Piece], float]] = {"density": features.density, "leaps": features.leap}


@dataclass(frozen=True)
class Entry:
    """A piece of the corpus. `words`: its text; `tonic` a pitch class, and `base` the MIDI pitch of `+0`."""

    source: str
    words: list[str]
    tonic: int
    base: int
    learned: bool

    def piece(self) -> Piece:
        """Read from its words."""
        return read(self.words, tonic=self.tonic, base=self.base)[0]


def build(folder: Path, into: Path) -> None:
    """Read the unpacked corpus and write corpus.json, bounds.json and report.json into `into`."""
    left_out: Counter[str] = Counter()
    pieces = [*tunes(folder, left_out), *chorales(folder, left_out)]
    bounds = _bounds(known.piece for known in pieces)
    learned, kept = _split(pieces)
    rows = [_row(known, bounds, known in learned) for known in [*pieces] if known in learned or known in kept]
    report = {
        "learned": len(learned),
        "kept_back": len(kept),
        "dropped_since_a_learned_tune_is_like_it": len(pieces) - len(rows),
        "kinds": Counter(known.piece.kind for known in learned).most_common(),
        "modes": Counter(known.piece.key.mode for known in learned).most_common(),
        "words": sum(len(row["words"].split()) for row in rows if row["learned"]),
        "left_out": left_out.most_common(),
    }
    (into / "bounds.json").write_text(json.dumps(bounds, indent=2) + "\n", "utf-8")
    (into / "report.json").write_text(json.dumps(report, indent=2) + "\n", "utf-8")
    (into / "corpus.json").write_text(json.dumps(rows), "utf-8")


def load(into: Path) -> list[Entry]:
    """What `build` wrote."""
    rows = json.loads((into / "corpus.json").read_text("utf-8"))
    return [Entry(**{**row, "words": row["words"].split()}) for row in rows]


def level(bounds: dict[str, Any], piece: Piece, measure: str) -> str:
    """Low, middle or high among pieces of its kind, in the language's words."""
    low, high = bounds[measure][piece.kind]
    value = MEASURES[measure](piece)
    return LEVELS[measure][(value > low) + (value > high)]


def _bounds(pieces: Iterable[Piece]) -> dict[str, dict[str, list[float]]]:
    """Of each kind, the values that a third and two thirds of its pieces lie below."""
    by_kind = defaultdict(list)
    for piece in pieces:
        by_kind[piece.kind].append(piece)
    return {
        name: {
            kind: [round(float(v), 3) for v in numpy.quantile([measure(piece) for piece in of], [1 / 3, 2 / 3])]
            for kind, of in by_kind.items()
        }
        for name, measure in MEASURES.items()
    }


def _split(pieces: list[Known]) -> tuple[set[Known], set[Known]]:
    """Those to learn from, and those kept back of which no learned tune has many notes in a row."""
    drawn = set(random.Random(0).sample(range(len(pieces)), round(KEPT_BACK * len(pieces))))
    learned = [known for number, known in enumerate(pieces) if number not in drawn]
    known_tunes = novelty.Known(novelty.together(known.piece for known in learned))
    kept = [pieces[number] for number in sorted(drawn)]
    return set(learned), {known for known in kept if known_tunes.longest(known.piece) < SAME_TUNE}


def _row(known: Known, bounds: dict[str, Any], learned: bool) -> dict[str, Any]:
    piece = known.piece
    controls = {"kind": piece.kind, "mode": piece.key.mode, "metre": str(piece.metre)}
    controls |= {name: level(bounds, piece, name) for name in MEASURES}
    return {
        "source": known.source,
        "words": " ".join(write(piece, controls)),
        "tonic": piece.key.tonic,
        "base": base_for((note.pitch for note in piece.melody), piece.key.tonic),
        "learned": learned,
    }
