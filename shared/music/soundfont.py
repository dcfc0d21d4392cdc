"""Reads a SoundFont 2 file: which sample sounds for a key of a program, and how.

Source: E-mu Systems, "SoundFont Technical Specification", version 2.04.
"""

from __future__ import annotations

import struct
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt

from shared.errors import CorruptWeights

Floats = npt.NDArray[np.floating[Any]]
# Generators, by the specification's numbers (section 8.1.2).
START, END, LOOP_START, LOOP_END, START_COARSE, END_COARSE, LOOP_START_COARSE, LOOP_END_COARSE = (
    0,
    1,
    2,
    3,
    4,
    12,
    45,
    50,
)
VIBRATO, FILTER, PAN, VIBRATO_DELAY, VIBRATO_RATE = 6, 8, 17, 23, 24
DELAY, ATTACK, HOLD, DECAY, SUSTAIN, RELEASE = 33, 34, 35, 36, 37, 38
INSTRUMENT, KEYS, VELOCITIES, ATTENUATION = 41, 43, 44, 48
COARSE, FINE, SAMPLE, MODES, SCALE, ROOT = 51, 52, 53, 54, 56, 58
DEFAULTS = {FILTER: 13500, SCALE: 100, ROOT: -1} | dict.fromkeys((23, 25, 26, 27, 28, 30, *range(33, 37), 38), -12000)
_NOT_ADDED = {INSTRUMENT, KEYS, VELOCITIES, SAMPLE, MODES, ROOT}
_RECORDS: Mapping[bytes, Any] = {
    b"phdr": [("name", "S20"), ("program", "<u2"), ("bank", "<u2"), ("bag", "<u2"), ("rest", "S12")],
    b"pbag": [("generator", "<u2"), ("modulator", "<u2")],
    b"pgen": [("what", "<u2"), ("amount", "<i2")],
    b"inst": [("name", "S20"), ("bag", "<u2")],
    b"ibag": [("generator", "<u2"), ("modulator", "<u2")],
    b"igen": [("what", "<u2"), ("amount", "<i2")],
    b"shdr": [
        *(("name", "S20"), ("start", "<u4"), ("end", "<u4"), ("loop_start", "<u4"), ("loop_end", "<u4")),
        *(("rate", "<u4"), ("pitch", "u1"), ("correction", "i1"), ("link", "<u2"), ("type", "<u2")),
    ],
}


@dataclass(frozen=True)
class Region:
    """A sample as a key plays it. `data`: -1 to 1. Loop ends are places in it; `looped` says whether they count.

    `settings`: the generators by number, in the specification's units.
    """

    data: Floats
    rate: int
    loop_start: int
    loop_end: int
    looped: bool
    root: int
    cents: int
    settings: Mapping[int, int]


class SoundFont:
    """A SoundFont in memory."""

    def __init__(self, file: Path) -> None:
        """Read it. Raises `CorruptWeights`."""
        try:
            chunks = dict(_chunks(file.read_bytes()))
            self._tables: dict[bytes, Any] = {
                name: np.frombuffer(chunks[name], dtype=kind) for name, kind in _RECORDS.items()
            }
            self._samples = np.frombuffer(chunks[b"smpl"], dtype="<i2")
        except (OSError, KeyError, ValueError, struct.error) as error:
            raise CorruptWeights(f"{file.name} is not a whole SoundFont 2 file. Get it again.") from error

    def regions(self, program: int, key: int, velocity: int) -> list[Region]:
        """What sounds together for a key. Empty where the font has no such program or key."""
        found = []
        for outer in self._zones(b"phdr", program, key, velocity):
            for inner in self._zones(b"inst", outer[INSTRUMENT], key, velocity):
                added = {what: amount for what, amount in outer.items() if what not in _NOT_ADDED}
                settings = {**DEFAULTS, **inner}
                settings |= {what: settings.get(what, 0) + amount for what, amount in added.items()}
                found.append(self._region(settings))
        return found

    def _zones(self, table: bytes, number: int, key: int, velocity: int) -> Iterator[dict[int, int]]:
        """The zones of a program or an instrument that answer to the key, with what the first says for all."""
        preset = table == b"phdr"
        heads = self._tables[table]
        if preset:
            rows = np.flatnonzero((heads["program"][:-1] == number) & (heads["bank"][:-1] == 0))
            if not len(rows):
                return
            number = int(rows[0])
        bags, generators = (b"pbag", b"pgen") if preset else (b"ibag", b"igen")
        for_all: dict[int, int] = {}
        for bag in range(heads["bag"][number], heads["bag"][number + 1]):
            first, last = self._tables[bags]["generator"][bag : bag + 2]
            zone = {int(row["what"]): int(row["amount"]) for row in self._tables[generators][first:last]}
            if (INSTRUMENT if preset else SAMPLE) not in zone:
                for_all = zone
            elif _within(zone, for_all, KEYS, key) and _within(zone, for_all, VELOCITIES, velocity):
                yield {**for_all, **zone}

    def _region(self, settings: dict[int, int]) -> Region:
        head = self._tables[b"shdr"][settings[SAMPLE]]

        def place(name: str, fine: int, coarse: int) -> int:
            return int(head[name]) + settings.get(fine, 0) + 32768 * settings.get(coarse, 0)

        start, end = place("start", START, START_COARSE), place("end", END, END_COARSE)
        root = settings[ROOT] if settings[ROOT] >= 0 else int(head["pitch"])
        return Region(
            data=self._samples[start:end].astype(np.float32) / np.float32(32768),
            rate=int(head["rate"]),
            loop_start=place("loop_start", LOOP_START, LOOP_START_COARSE) - start,
            loop_end=place("loop_end", LOOP_END, LOOP_END_COARSE) - start,
            looped=settings.get(MODES, 0) & 1 == 1,
            root=root if root < 128 else 60,
            cents=100 * settings.get(COARSE, 0) + settings.get(FINE, 0) + int(head["correction"]),
            settings=settings,
        )


def _within(zone: Mapping[int, int], for_all: Mapping[int, int], what: int, value: int) -> bool:
    """A range is kept in one number: its low end in the low byte."""
    span = zone.get(what, for_all.get(what))
    return span is None or (span & 0xFF) <= value <= (span >> 8 & 0xFF)


def _chunks(data: bytes) -> Iterator[tuple[bytes, bytes]]:
    """The chunks inside the file's lists. Raises `ValueError` where it is cut short or of another kind."""
    if data[:4] != b"RIFF" or data[8:12] != b"sfbk":
        raise ValueError("not a SoundFont")
    at = 12
    while at + 8 <= len(data):
        name, size = data[at : at + 4], struct.unpack_from("<I", data, at + 4)[0]
        if at + 8 + size > len(data):
            raise ValueError("cut short")
        if name == b"LIST":
            at += 12
            continue
        yield name, data[at + 8 : at + 8 + size]
        at += 8 + size + size % 2
