"""Reads the music language word by word: what is written so far, and which words may come next."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, field, replace

from shared.music.language import BEGIN, CONTROLS, END, HIGHEST, LEVELS, LOWEST, MOST_BARS, MOST_PARTS, places
from shared.music.piece import Bar, Key, Metre, Note, Piece


class NotMusic(ValueError):
    """A word that can't come where it came."""


@dataclass
class Draft:
    """A piece being written. `base`: the MIDI pitch that `+0` means. Feed it the words after the header."""

    piece: Piece
    base: int
    parts_left: int | None = None
    bars_left: int | None = None
    ended: bool = False
    _bars: list[Bar] = field(default_factory=list)
    _notes: list[Note] = field(default_factory=list)
    _open: dict[int, tuple[int, int]] = field(default_factory=dict)  # voice -> start and pitch of what sounds
    _opened: Bar | None = None  # the bar being written; its length is that of a whole bar
    _offset: int = 0  # where in the metre the opened bar begins
    _place: int | None = None  # the last step's, from the beginning of a whole bar
    _voice: int = 0  # whose turn it is in the step; `voices` where the step is complete
    _new_part: bool = False

    @property
    def bars(self) -> int:
        """Whole bars that are finished, pick-ups not counted."""
        return sum(not bar.pickup for bar in self._bars)

    @property
    def between(self) -> bool:
        """Whether a bar, a part or the end may come now: no step is half told."""
        told = self._complete and self._place is not None
        return not self.ended and not self._new_part and (self._opened is None or told)

    @property
    def turn(self) -> tuple[int, int] | None:
        """The voice that is to do something, and the place in ticks; None where a place or a bar is to come."""
        if self._opened is None or self._place is None or self._complete or self.ended:
            return None
        return self._voice, self._opened.start + self._place - self._offset

    @property
    def _complete(self) -> bool:
        return self._voice == self.piece.voices

    @property
    def _end(self) -> int:
        """Where the finished bars end, in ticks from the beginning."""
        return self._bars[-1].start + self._bars[-1].length if self._bars else 0

    @property
    def _room(self) -> int:
        """How long a pick-up may be: what the bar before left over, and nearly a bar at the beginning."""
        whole = self.piece.metre.ticks
        return whole - self._bars[-1].length if self._bars else whole - 1

    def steps(self) -> list[str]:
        """The words that go on within the bar: a later place, what the next voice does, or `stop` at a place told."""
        if self._opened is None or self.ended:
            return []
        if self._complete:
            return [f"@{p}" for p in places() if p < self.piece.metre.ticks and self._later(p)]
        hold = ["hold"] if self._voice in self._open else []
        stop = ["stop"] if self._may_stop() else []
        return [*hold, *stop, "rest", *(f"{semitones:+d}" for semitones in range(LOWEST, HIGHEST + 1))]

    def structure(self) -> list[str]:
        """The words that end the bar and begin another, a part, or nothing more."""
        if self._new_part:
            return [*(["pickup"] if self._room else []), *(f"bar:{left}" for left in range(MOST_BARS + 1))]
        if not self.between:
            return []
        if self._opened is not None and self._opened.pickup:
            return [f"bar:{left}" for left in range(MOST_BARS + 1)]
        if self.bars_left:
            return _counted_down("bar", self.bars_left, MOST_BARS)
        if self.parts_left is None:
            return [f"part:{left}" for left in range(MOST_PARTS + 1)]
        return _counted_down("part", self.parts_left, MOST_PARTS) if self.parts_left else [END]

    def add(self, word: str) -> None:
        """Write it. Raises `NotMusic` where it can't come."""
        if word in self.structure():
            self._structural(word)
        elif word in self.steps():
            self._step(word)
        else:
            raise NotMusic(word)

    def _later(self, place: int) -> bool:
        if self._place is None:
            pickup = self._opened is not None and self._opened.pickup
            return place >= self.piece.metre.ticks - self._room if pickup else place == 0
        return place > self._place

    def _may_stop(self) -> bool:
        first = self._voice == 0 and self._place is not None and self._place > self._offset
        return first and self.bars_left == 0 and self._opened is not None and not self._opened.pickup

    def _structural(self, word: str) -> None:
        self._close_bar(self.piece.metre.ticks)
        name, _, number = word.partition(":")
        if word == END:
            self.ended = True
            self._silence(self._end)
        elif name == "part":
            self.parts_left, self._new_part = int(number), True
        else:
            pickup = name == "pickup"
            if not pickup:
                self.bars_left = int(number)
            self._opened = Bar(self._end, self.piece.metre.ticks, self._new_part, pickup)
            self._new_part, self._place, self._voice, self._offset = False, None, self.piece.voices, 0

    def _step(self, word: str) -> None:
        assert self._opened is not None
        if word.startswith("@"):
            place = int(word[1:])
            if self._place is None and self._opened.pickup:
                self._offset = place
            self._place, self._voice = place, 0
        elif word == "stop":
            assert self._place is not None
            self._close_bar(self._place)
        else:
            self._sound(word)
            self._voice += 1

    def _sound(self, word: str) -> None:
        assert self._opened is not None and self._place is not None
        now = self._opened.start + self._place - self._offset
        if word != "hold":
            self._cut(self._voice, now)
        if word not in ("hold", "rest"):
            self._open[self._voice] = (now, self.base + int(word))

    def _cut(self, voice: int, now: int) -> None:
        if voice in self._open:
            start, pitch = self._open.pop(voice)
            if now > start:
                self._notes.append(Note(voice, start, now - start, pitch))

    def _silence(self, now: int) -> None:
        for voice in sorted(self._open):
            self._cut(voice, now)

    def _close_bar(self, end: int) -> None:
        """The opened bar ends at that place of the metre."""
        if self._opened is None:
            return
        bar = replace(self._opened, length=end - self._offset)
        self._bars.append(bar)
        self._opened, self._voice = None, self.piece.voices
        if end < self.piece.metre.ticks and self.bars_left == 0:
            self._silence(self._end)

    def so_far(self) -> Piece:
        """The finished bars, with what sounds cut at their end."""
        end = self._end
        sounding = [Note(v, start, end - start, pitch) for v, (start, pitch) in self._open.items() if start < end]
        notes = [n if n.start + n.length <= end else replace(n, length=end - n.start) for n in self._notes]
        whole = [n for n in notes if n.start < end]
        ordered = sorted([*whole, *sounding], key=lambda n: (n.start, n.voice))
        return replace(self.piece, bars=tuple(self._bars), notes=tuple(ordered))


def _counted_down(name: str, left: int, most: int) -> list[str]:
    """What follows so many left: one fewer, or as many again where counting begins only below."""
    return [f"{name}:{number}" for number in ([most, left - 1] if left == most else [left - 1])]


def read(text: Iterable[str], *, tonic: int, base: int, tempo: float = 100) -> tuple[Piece, dict[str, str]]:
    """A whole text as a piece, and what its header wants. Raises `NotMusic`."""
    rest = iter(text)
    controls = read_header(rest)
    piece = blank(controls, tonic=tonic, tempo=tempo)
    draft = Draft(piece, base)
    for word in rest:
        draft.add(word)
    if not draft.ended:
        raise NotMusic("it has no end")
    return draft.so_far(), controls


def read_header(text: Iterator[str]) -> dict[str, str]:
    """Takes the header's words off the text. Raises `NotMusic` where it begins otherwise."""
    if next(text, "") != BEGIN:
        raise NotMusic("it has no beginning")
    controls = {}
    for name in CONTROLS:
        told, _, level = next(text, "").partition(":")
        if told != name or level not in ("any", *LEVELS[name]):
            raise NotMusic(f"{told}:{level}")
        controls[name] = level
    return controls


def blank(controls: Mapping[str, str], *, tonic: int, tempo: float) -> Piece:
    """An empty piece of what is wanted; its metre and mode must be told."""
    return Piece(
        kind=controls["kind"],
        key=Key(tonic, controls["mode"]),
        metre=Metre.read(controls["metre"]),
        tempo=tempo,
        voices=4 if controls["kind"] == "chorale" else 1,
    )
