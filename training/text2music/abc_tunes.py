"""Reads tunes in ABC notation (https://abcnotation.com/wiki/abc:standard:v2.1): one voice, what the tune books use."""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass, field
from fractions import Fraction

LETTERS = {"C": 0, "D": 2, "E": 4, "F": 5, "G": 7, "A": 9, "B": 11}
SHARPS, FLATS = "FCGDAEB", "BEADGCF"
MODES = {"": 0, "maj": 0, "ion": 0, "m": -3, "min": -3, "aeo": -3, "dor": -2, "mix": -1, "lyd": 1, "phr": -4, "loc": -5}
_PIECES = re.compile(
    r"""(?P<skip>"[^"]*"|![^!\n]*!|\+[^+\n]*\+|\{[^}]*\})
    |\[(?P<inline>[A-Za-z]):(?P<value>[^\]]*)\]
    |(?P<bar>\[\|\]?|:*\|[|\]:]*|::+)(?:\s*\[?(?P<ending>\d)[\d,.-]*)?
    |\[(?P<next_ending>\d)[\d,.-]*
    |\[(?P<chord>[^\]|]*)\](?P<chord_length>[\d/]*)
    |\((?P<tuplet>[2-9])(?::(?P<into>\d?))?(?::(?P<of>\d?))?
    |(?P<accidental>\^\^|\^|__|_|=)?(?P<note>[A-Ga-g])(?P<octave>[,']*)(?P<length>[\d/]*)
    |(?P<rest>[zx])(?P<rest_length>[\d/]*)
    |(?P<broken>[<>]+)
    |(?P<tie>-)
    |(?P<other>.)""",
    re.VERBOSE,
)
_INTO = {2: 3, 3: 2, 4: 3, 6: 2, 8: 3}  # so many notes in the time of so many; 5, 7 and 9 depend on the metre


class Unreadable(ValueError):
    """Something that these tunes need not have, or a mistake in one."""


@dataclass
class Sound:
    """`length` in quarters; `pitch` as MIDI, None for a rest. `tied`: the next of its pitch is the same note."""

    length: Fraction
    pitch: int | None
    tied: bool = False


@dataclass
class RawBar:
    """What lies between two bar lines. `strong`: a double line or a repeat comes after it. `ending`: of a repeat."""

    sounds: list[Sound] = field(default_factory=list)
    strong: bool = False
    ending: int | None = None


@dataclass
class Tune:
    """A tune as it is printed. `fields`: the header's, by letter, each with all its lines."""

    fields: dict[str, list[str]]
    metre: str
    fifths: int
    tonic: int
    mode: str
    bars: list[RawBar]


def split(text: str) -> Iterator[str]:
    """The tunes of a file."""
    for part in re.split(r"(?m)^(?=X:)", text.replace("\r\n", "\n").replace("\r", "\n")):
        if part.startswith("X:"):
            yield part


def parse(text: str) -> Tune:
    """One tune. Raises `Unreadable`."""
    fields: dict[str, list[str]] = {}
    body: list[str] = []
    for line in text.splitlines():
        line = re.sub(r"(?<!\\)%.*", "", line).rstrip()
        if re.match(r"[A-Za-z]:(?!\|)", line):
            letter, value = line[0], line[2:].strip()
            if "K" in fields and letter in "KML":
                body.append(f"[{letter}:{value}]")
            elif "K" not in fields or letter not in "wWPTR":
                fields.setdefault(letter, []).append(value)
        elif "K" in fields and line:
            body.append(line.rstrip("\\") + " ")
    if not {"K", "M"} <= fields.keys():
        raise Unreadable("it has no key or no metre")
    tonic, mode, fifths = key(fields["K"][0])
    metre = {"C": "4/4", "C|": "2/2"}.get(fields["M"][0].strip(), fields["M"][0].strip())
    unit = _unit(fields.get("L", [""])[0], metre)
    return Tune(fields, metre, fifths, tonic, mode, _Body(fifths, unit, fields).read("".join(body)))


def key(text: str) -> tuple[int, str, int]:
    """Tonic, mode and signature of a key field. Raises `Unreadable`."""
    found = re.match(r"\s*([A-G])([#b]?)\s*([A-Za-z]*)", text)
    if not found:
        raise Unreadable(f"key {text!r}")
    letter, sign, word = found.groups()
    mode = word if word in ("m", "M") else word.lower()[:3]
    mode = "" if mode == "M" else mode
    if mode not in MODES:
        mode = ""
    tonic = (LETTERS[letter] + {"#": 1, "b": -1, "": 0}[sign]) % 12
    fifths = "FCGDAEB".index(letter) - 1 + {"#": 7, "b": -7, "": 0}[sign] + MODES[mode]
    return tonic, mode or "maj", fifths


def _unit(text: str, metre: str) -> Fraction:
    """A unit of length in quarters: as told, else an eighth, or a sixteenth where a bar is under three quarters."""
    try:
        if text:
            return Fraction(text) * 4
        return Fraction(1, 4) if Fraction(metre) < Fraction(3, 4) else Fraction(1, 2)
    except (ValueError, ZeroDivisionError):
        raise Unreadable(f"unit {text!r} in metre {metre!r}") from None


def length(text: str) -> Fraction:
    """`3/2`, `/`, `//` or nothing, as a factor. Raises `Unreadable`."""
    found = re.fullmatch(r"(\d*)(/*)(\d*)", text)
    if not found:
        raise Unreadable(f"length {text!r}")
    times, slashes, by = found.groups()
    below = int(by) if by else 2 ** len(slashes)
    if not below or times == "0":
        raise Unreadable(f"length {text!r}")
    return Fraction(int(times or 1), below)


class _Body:
    """Reads the notes of one tune."""

    def __init__(self, fifths: int, unit: Fraction, fields: dict[str, list[str]]) -> None:
        self._signature = _signature(fifths)
        self._fifths, self._unit, self._fields = fifths, unit, fields
        self._bars = [RawBar()]
        self._in_bar: dict[str, int] = {}
        self._tuplet, self._factor = 0, Fraction(1)
        self._broken: Fraction | None = None

    def read(self, text: str) -> list[RawBar]:
        for found in _PIECES.finditer(text):
            self._take(found)
        if not self._bars[-1].sounds:
            self._bars.pop()
        if self._bars:
            self._bars[-1].strong = True
        return [bar for bar in self._bars if bar.sounds]

    def _take(self, found: re.Match[str]) -> None:
        part = found.groupdict()
        if part["bar"]:
            self._bar_line(part["bar"], part["ending"])
        elif part["next_ending"]:
            self._bars[-1].ending = int(part["next_ending"])
        elif part["note"]:
            pitch = self._pitch(part["accidental"], part["note"], part["octave"])
            self._sound(pitch, length(part["length"]))
        elif part["chord"] is not None:
            self._chord(part["chord"], part["chord_length"])
        elif part["rest"]:
            self._sound(None, length(part["rest_length"]))
        elif part["tuplet"]:
            notes = int(part["tuplet"])
            into = int(part["into"]) if part["into"] else _INTO.get(notes, 2)
            self._tuplet, self._factor = int(part["of"] or notes), Fraction(into, notes)
        elif part["broken"]:
            self._break(part["broken"])
        elif part["tie"] and self._bars[-1].sounds:
            self._bars[-1].sounds[-1].tied = True
        elif part["inline"]:
            self._inline(part["inline"], part["value"])

    def _bar_line(self, line: str, ending: str | None) -> None:
        strong = line not in ("|",)
        if self._bars[-1].sounds:
            self._bars[-1].strong = strong
            self._bars.append(RawBar())
        elif len(self._bars) > 1:
            self._bars[-2].strong |= strong
        self._in_bar = {}
        if ending:
            self._bars[-1].ending = int(ending)

    def _pitch(self, accidental: str | None, letter: str, octave: str) -> int:
        step = letter.upper()
        if accidental:
            self._in_bar[step] = {"^^": 2, "^": 1, "=": 0, "_": -1, "__": -2}[accidental]
        alter = self._in_bar.get(step, self._signature.get(step, 0))
        height = (6 if letter.islower() else 5) + octave.count("'") - octave.count(",")
        return 12 * height + LETTERS[step] + alter

    def _chord(self, inside: str, factor: str) -> None:
        """The highest note stands for a double stop: it is the tune's."""
        notes = [n for n in _PIECES.finditer(inside) if n["note"]]
        if not notes:
            return
        pitches = [self._pitch(n["accidental"], n["note"], n["octave"]) for n in notes]
        self._sound(max(pitches), length(factor) * length(notes[0]["length"]))

    def _sound(self, pitch: int | None, factor: Fraction) -> None:
        long = factor * self._unit
        if self._tuplet:
            long *= self._factor
            self._tuplet -= 1
        if self._broken is not None:
            long *= self._broken
            self._broken = None
        self._bars[-1].sounds.append(Sound(long, pitch))

    def _break(self, signs: str) -> None:
        """`>`: the note before is longer by half, the one after is halved; `<` the other way round."""
        if not self._bars[-1].sounds:
            raise Unreadable("a broken rhythm at a bar's beginning")
        short = Fraction(1, 2 ** len(signs))
        before = 2 - short if signs[0] == ">" else short
        self._bars[-1].sounds[-1].length *= before
        self._broken = 2 - before

    def _inline(self, letter: str, value: str) -> None:
        if letter == "L":
            self._unit = _unit(value, "4/4")
        elif letter == "K" and key(value)[2] != self._fifths:
            raise Unreadable("it changes its key")
        elif letter == "M" and value.strip() != self._fields["M"][0].strip():
            raise Unreadable("it changes its metre")


def _signature(fifths: int) -> dict[str, int]:
    return dict.fromkeys(SHARPS[:fifths], 1) if fifths > 0 else dict.fromkeys(FLATS[:-fifths], -1) if fifths else {}
