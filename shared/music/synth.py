"""Plays a piece on a SoundFont's instrument into samples. The same piece gives the same samples, to the bit.

What is followed of the SoundFont: keys and velocities, tuning, loops, the volume envelope, attenuation, panning, the
filter at rest, and the delayed vibrato. Modulators and the filter's own envelope are not.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

import numpy as np
import numpy.typing as npt

from shared.music import soundfont as sf
from shared.music.instruments import program
from shared.music.midi import SOUNDING, velocity
from shared.music.piece import Piece
from shared.music.soundfont import Region, SoundFont
from shared.outputs import AudioOutput

RATE = 44_100
LOUDEST = 0.8  # of full scale
TAIL = 1.5  # seconds after the last note, for the room
DRY_DB, EMU = 100.0, 0.4  # an envelope's range in dB; attenuations count this much of what they say, as on E-mu's chips
SHORTEST_RELEASE = 0.06  # seconds
ROOM, WET = 0.9, 0.10  # seconds in which the room's echo falls by 60 dB; its share
Floats = npt.NDArray[np.floating[Any]]


def play(piece: Piece, font: SoundFont, instrument: str, check: Callable[[], object] = lambda: None) -> AudioOutput:
    """The piece in stereo. Raises `KeyError` for an unknown instrument. A piece without notes is a short silence.

    `check` is called before each note: what it raises ends the playing.
    """
    number = program(instrument)
    length = round((piece.seconds + TAIL) * RATE)
    out = np.zeros((length, 2), np.float32)
    played: dict[tuple[int, int, int], Floats] = {}
    for note in piece.notes:
        check()
        seconds = note.length * piece.tick_seconds * SOUNDING
        start = round(note.start * piece.tick_seconds * RATE)
        key = note.pitch, velocity(piece, note), round(seconds * RATE)
        sound = played[key] if key in played else played.setdefault(key, _key(font, number, *key))
        end = min(length, start + len(sound))
        out[start:end] += sound[: end - start]
    out = _in_room(out)
    peak = float(np.abs(out).max(initial=0))
    if peak:
        out *= LOUDEST / peak
    return AudioOutput(pcm=np.round(out * 32767).astype("<i2").tobytes(), sample_rate=RATE, channels=2)


def _key(font: SoundFont, number: int, pitch: int, hard: int, length: int) -> Floats:
    """One note in stereo, shape (samples, 2)."""
    sounds = [_region(region, pitch, hard, length) for region in font.regions(number, pitch, hard)]
    whole = np.zeros((max(map(len, sounds), default=0), 2), np.float32)
    for sound in sounds:
        whole[: len(sound)] += sound
    return whole


def _region(region: Region, pitch: int, hard: int, length: int) -> Floats:
    settings = region.settings
    release = max(_seconds(settings.get(sf.RELEASE, -12000)), SHORTEST_RELEASE)
    total = length + round(min(release, 2.0) * RATE)
    cents = (pitch - region.root) * settings[sf.SCALE] + region.cents
    places = _places(total, 2 ** (cents / 1200) * region.rate / RATE, settings)
    mono = _filtered(_read(region, places) * _envelope(total, length, release, settings), settings[sf.FILTER])
    quieter = EMU * settings.get(sf.ATTENUATION, 0) / 10 + 40 * np.log10(127 / hard)  # dB
    mono = mono * np.float32(10 ** (-quieter / 20))
    angle = (min(max(settings.get(sf.PAN, 0), -500), 500) / 1000 + 0.5) * np.pi / 2
    return np.stack([mono * np.float32(np.cos(angle)), mono * np.float32(np.sin(angle))], axis=1)


def _seconds(timecents: int) -> float:
    return float(2 ** (timecents / 1200))


def _places(total: int, step: float, settings: Mapping[int, int]) -> Floats:
    """Where in the sample each output sample is read; the vibrato sways it once its delay is over."""
    depth = settings.get(sf.VIBRATO, 0)
    if not depth:
        return np.arange(total) * step
    time = np.maximum(0, np.arange(total) / RATE - _seconds(settings.get(sf.VIBRATO_DELAY, -12000)))
    hertz = 8.176 * 2 ** (settings.get(sf.VIBRATO_RATE, 0) / 1200)
    bent = step * 2 ** (depth * np.sin(2 * np.pi * hertz * time) / 1200)
    return np.concatenate([[0.0], np.cumsum(bent)[:-1]])


def _read(region: Region, places: Floats) -> Floats:
    """The sample at those places, between two of its values by a straight line; silence after its end."""
    data, span = region.data, region.loop_end - region.loop_start
    looped = region.looped and span > 0 and region.loop_start >= 0 and region.loop_end <= len(data)
    if looped:
        places = np.where(places >= region.loop_end, region.loop_start + (places - region.loop_start) % span, places)
    before = places.astype(np.int64)
    part = (places - before).astype(np.float32)
    after = before + 1
    if looped:
        after[after >= region.loop_end] = region.loop_start
    padded = np.append(data, np.zeros(2, np.float32))
    last = len(padded) - 1
    left, right = padded[np.minimum(before, last)], padded[np.minimum(after, last)]
    return left + (right - left) * part


def _envelope(total: int, length: int, release: float, settings: Mapping[int, int]) -> Floats:
    """Loudness over time: a straight rise, then falls that are straight in decibels."""
    delay, attack, hold, decay = (
        _seconds(settings.get(what, -12000)) for what in (sf.DELAY, sf.ATTACK, sf.HOLD, sf.DECAY)
    )
    sustain = min(max(settings.get(sf.SUSTAIN, 0) / 10, 0), DRY_DB)
    time = np.arange(total) / RATE
    fallen = np.interp(
        time, [0, delay + attack + hold, delay + attack + hold + decay * sustain / DRY_DB], [0, 0, sustain]
    )
    fallen += np.maximum(0, time - length / RATE) * DRY_DB / release
    rise = np.clip((time - delay) / max(attack, 1e-4), 0, 1)
    return (rise * 10 ** (-fallen / 20)).astype(np.float32)


def _filtered(mono: Floats, cutoff: int) -> Floats:
    """A low-pass of two poles at rest, by its gain at each frequency. `cutoff` in cents above 8.176 Hz."""
    hertz = 8.176 * 2 ** (cutoff / 1200)
    if cutoff >= 13500 or hertz > RATE / 2.5:
        return mono
    padded = 1 << (2 * len(mono) - 1).bit_length()
    gain = 1 / np.sqrt(1 + (np.fft.rfftfreq(padded, 1 / RATE) / hertz) ** 4)
    return np.fft.irfft(np.fft.rfft(mono, padded) * gain, padded)[: len(mono)].astype(np.float32)


def _in_room(dry: Floats) -> Floats:
    """With a small room's echo: noise that dies away, another for each ear, always the same."""
    draw = np.random.Generator(np.random.PCG64(7))
    time = np.arange(round(ROOM * RATE)) / RATE
    echo = draw.standard_normal((len(time), 2)) * (10 ** (-3 * time / ROOM) * (time > 0.012))[:, None]
    echo *= WET / np.sqrt((echo**2).sum(axis=0))
    size = 1 << (len(dry) + len(echo) - 1).bit_length()
    wet = np.fft.irfft(np.fft.rfft(dry, size, axis=0) * np.fft.rfft(echo, size, axis=0), size, axis=0)[: len(dry)]
    return (dry + wet * 3).astype(np.float32)
