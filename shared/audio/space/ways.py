"""The ways to place a sound: for headphones, for two loudspeakers, and as first-order Ambisonics."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any

from shared.audio.space.head import RATE, head
from shared.audio.space.listening import SPEED, courses, heard, softer
from shared.audio.space.paths import Course

_WINDOW = 512  # samples over which a filter holds: 12 ms
LOUDEST = 0.98  # of full scale


@dataclass(frozen=True)
class Placed:
    """Samples float32 (n, channels) at `rate`. `lowered_db`: by how much it was made softer, so as not to clip."""

    samples: Any
    rate: int
    lowered_db: float


@dataclass(frozen=True)
class Way:
    """What a person calls it, what its channels are, and what makes it of (samples, rate, course)."""

    label: str
    channels: tuple[str, ...]
    make: Callable[[Any, int, Course], Any]


def place(samples: Any, rate: int, course: Course, way: str) -> Placed:
    """The sound, float32 (n,) at `rate`, moved along the course. It comes out at 44,100 Hz.

    Raises `KeyError` for an unknown way.
    """
    made = WAYS[way].make(samples, rate, course)
    import numpy

    peak = float(numpy.abs(made).max(initial=0.0))
    lowered = max(0.0, 20 * float(numpy.log10(peak / LOUDEST))) if peak > LOUDEST else 0.0
    return Placed((made * 10 ** (-lowered / 20)).astype(numpy.float32), RATE, round(lowered, 2))


def _travelled(samples: Any, rate: int, course: Course) -> tuple[Any, Any, Any, Any]:
    """Azimuth, elevation, delay and loudness at each heard sample. The nearest point of the course is heard at once."""
    azimuth, elevation, distance = courses(course, len(samples) / rate, RATE)
    delay = (distance - distance.min()) / SPEED
    return azimuth, elevation, delay, softer(distance)


def _binaural(samples: Any, rate: int, course: Course) -> Any:
    """By the measured head: each ear's delay, then its filter, that changes softly from window to window."""
    import numpy

    azimuth, elevation, delay, loud = _travelled(samples, rate, course)
    later = head().delays_at(azimuth, elevation)
    middles = numpy.arange(0, len(azimuth) + _WINDOW // 2, _WINDOW // 2).clip(0, len(azimuth) - 1)
    filters = head().filters_at(azimuth[middles], elevation[middles])
    ears = [_filtered(heard(samples, rate, delay + later[:, ear], RATE) * loud, filters[:, ear]) for ear in range(2)]
    return numpy.stack(ears, 1)


def _filtered(sound: Any, filters: Any) -> Any:
    """The sound (n,) through the filters (windows, taps): half-overlapping windows of Hann, added up."""
    import numpy

    hop, taps = _WINDOW // 2, filters.shape[1]
    count = len(filters)
    padded = numpy.zeros((count + 1) * hop, numpy.float32)
    padded[hop : hop + len(sound)] = sound[: count * hop]
    window = numpy.hanning(_WINDOW + 1)[:-1].astype(numpy.float32)
    frames = numpy.lib.stride_tricks.sliding_window_view(padded, _WINDOW)[::hop][:count] * window
    size = _WINDOW + taps
    out = numpy.zeros(count * hop + size, numpy.float32)
    for begin in range(0, count, 512):
        part = slice(begin, begin + 512)
        made = numpy.fft.irfft(numpy.fft.rfft(frames[part], size) * numpy.fft.rfft(filters[part], size), size)
        for number, frame in enumerate(made, begin):
            out[number * hop : number * hop + size] += frame
    return out[hop : hop + len(sound)]


def _stereo(samples: Any, rate: int, course: Course) -> Any:
    """Equal-power panning by how far to the side it is; loudspeakers can't say front from back, nor how high."""
    import numpy

    azimuth, elevation, delay, loud = _travelled(samples, rate, course)
    side = numpy.sin(numpy.radians(azimuth)) * numpy.cos(numpy.radians(elevation))
    angle = (1 - side) * numpy.pi / 4
    sound = heard(samples, rate, delay, RATE) * loud
    return numpy.stack([sound * numpy.cos(angle), sound * numpy.sin(angle)], 1)


def _ambisonic(samples: Any, rate: int, course: Course) -> Any:
    """First order in AmbiX's form (Nachbar, Zotter, Deleflie and Sontacchi 2011): W, Y, Z, X, normalised by SN3D."""
    import numpy

    azimuth, elevation, delay, loud = _travelled(samples, rate, course)
    around, up = numpy.radians(azimuth), numpy.radians(elevation)
    sound = heard(samples, rate, delay, RATE) * loud
    parts = 1.0, numpy.sin(around) * numpy.cos(up), numpy.sin(up), numpy.cos(around) * numpy.cos(up)
    return numpy.stack([sound * part for part in parts], 1)


WAYS: Mapping[str, Way] = {
    "binaural": Way("Headphones (binaural)", ("left ear", "right ear"), _binaural),
    "stereo": Way("Two loudspeakers (stereo)", ("left", "right"), _stereo),
    "ambisonics": Way("First-order Ambisonics (AmbiX, 4 channels)", ("W", "Y", "Z", "X"), _ambisonic),
}
