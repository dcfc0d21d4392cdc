"""Makes of wishes what is to be written: every setting decided, and said where a wish could not be followed."""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from shared.music.begun import as_begun, base_of
from shared.music.language import CENTRE, LEVELS
from shared.music.piece import Key, Metre, Piece
from shared.music.wishes import LETTERS, PACES, Wish, table

MOST_BARS = 64
USUAL_BARS = 16
SLOWEST, FASTEST = 20, 300  # beats a minute
MIDDLE = 72  # MIDI: where a melody's middle comes to lie


@dataclass(frozen=True, kw_only=True)
class Brief:
    """What is to be written. `parts`: the bars of each. `base`: the MIDI pitch of the tonic that pitches count from.

    `assumed`: what the prompt left open and how it was decided. `unfollowed`: wishes that could not be followed, why.
    """

    controls: Mapping[str, str]
    key: Key
    metre: Metre
    tempo: float
    instrument: str
    parts: tuple[int, ...]
    base: int
    assumed: tuple[str, ...] = ()
    unfollowed: Mapping[str, str] = field(default_factory=dict)
    beginning: Piece | None = None

    @property
    def bars(self) -> int:
        """All of them."""
        return sum(self.parts)

    def blank(self) -> Piece:
        """The piece before its first bar."""
        kind = self.controls["kind"]
        voices = 4 if kind == "chorale" else 1
        return Piece(kind=kind, key=self.key, metre=self.metre, tempo=self.tempo, voices=voices)


def brief(wish: Wish, bars: int | None = None, duration: float | None = None, beginning: Piece | None = None) -> Brief:
    """Decide everything. `bars` and `duration` (seconds) go before what the prompt says of length; bars before both.

    `beginning`: bars to go on from. Raises `InvalidRequest` where nothing in this language could go on from them.
    """
    assumed: list[str] = []
    unfollowed: dict[str, str] = {}
    if beginning is not None:
        wish = as_begun(wish, beginning, unfollowed)
    kind = wish.get("kind") or _kind(wish, assumed)
    row = table()["kind"][kind]
    metre = _metre(wish, kind, row, assumed, unfollowed)
    key = _key(wish, assumed)
    tempo = _tempo(wish, metre, row, assumed, unfollowed)
    count = _bars(wish, bars, duration, metre, tempo, assumed, unfollowed)
    if beginning is not None and count <= beginning.full_bars:
        count = min(beginning.full_bars + USUAL_BARS // 2, MOST_BARS)
        unfollowed["bars"] = f"The tune to go on from has {beginning.full_bars} bars; {count} were written with them."
    controls = {"kind": kind, "mode": key.mode, "metre": str(metre)}
    controls |= {name: level for name in ("density", "leaps") if (level := wish.get(name)) in LEVELS[name]}
    return Brief(
        controls=controls,
        key=key,
        metre=metre,
        tempo=tempo,
        instrument=wish.get("instrument") or row["instrument"],
        parts=split(count, row.get("part", 8)),
        base=_base(key, beginning),
        assumed=tuple(assumed),
        unfollowed=unfollowed,
        beginning=beginning,
    )


def _base(key: Key, beginning: Piece | None) -> int:
    if beginning is None:
        return key.tonic + 12 * round((MIDDLE - CENTRE - key.tonic) / 12)
    return base_of(beginning)


def split(bars: int, part: int) -> tuple[int, ...]:
    """So many bars in parts of about that many each, the longer ones last."""
    count = max(1, round(bars / part))
    return tuple(bars * (number + 1) // count - bars * number // count for number in range(count))


def _kind(wish: Wish, assumed: list[str]) -> str:
    unsaid = table()["unsaid"]
    kind = unsaid["metre"].get(wish.get("metre")) or unsaid["pace"][wish.get("pace") or "fast"]
    assumed.append(f"no kind was named: {table()['kind'][kind]['name']}")
    return str(kind)


def _metre(wish: Wish, kind: str, row: Mapping[str, Any], assumed: list[str], unfollowed: dict[str, str]) -> Metre:
    wanted = wish.get("metre")
    if wanted in row["metres"]:
        return Metre.read(wanted)
    if wanted:
        had = ", ".join(row["metres"])
        unfollowed["metre"] = f"Not in {wanted}: the metres of this kind ({row['name']}) are {had}."
    elif len(row["metres"]) > 1 and kind in ("air", "planxty"):
        assumed.append(f"no metre was named: {row['metres'][0]}")
    return Metre.read(row["metres"][0])


def _key(wish: Wish, assumed: list[str]) -> Key:
    mode = wish.get("mode") or "major"
    tonic = wish.get("tonic")
    if tonic is None:
        tonic = LETTERS[table()["unsaid"]["tonic"][mode]]
        assumed.append(f"no key was named: {Key(tonic, mode)}")
    elif wish.get("mode") is None:
        assumed.append("neither major nor minor was said: major")
    return Key(tonic, mode)


def _tempo(wish: Wish, metre: Metre, row: Mapping[str, Any], assumed: list[str], unfollowed: dict[str, str]) -> float:
    if (asked := wish.get("tempo")) is not None:
        tempo = min(max(asked, SLOWEST), FASTEST)
        if tempo != asked:
            unfollowed["tempo"] = f"Tempos are {SLOWEST} to {FASTEST} beats a minute; {asked} became {tempo}."
        return float(tempo)
    pace = wish.get("pace") or row["pace"]
    compound = metre.beat != 96 // metre.unit and "compound" in row
    return float(row["compound" if compound else "tempo"][PACES.index(pace)])


def _bars(
    wish: Wish,
    bars: int | None,
    duration: float | None,
    metre: Metre,
    tempo: float,
    assumed: list[str],
    unfollowed: dict[str, str],
) -> int:
    seconds_a_bar = metre.ticks / metre.beat * 60 / tempo
    if bars is None and duration is None:
        bars, duration = wish.get("bars"), wish.get("duration")
    count, seconds = bars, duration
    if count is None and seconds is not None:
        count = max(1, math.floor(seconds / seconds_a_bar + 0.5))
    if count is None:
        assumed.append(f"no length was named: {USUAL_BARS} bars")
        return USUAL_BARS
    if not 1 <= count <= MOST_BARS:
        unfollowed["bars"] = f"This model writes 1 to {MOST_BARS} bars; {count} were asked for."
    return min(max(count, 1), MOST_BARS)
