"""A sound as it comes to a listener from a moving place: later and softer from afar, higher while it comes nearer.

Between samples the sound is read with a windowed sinc, so that a delay may change by any fraction of a sample: a
changing delay is the Doppler effect itself.
"""

from __future__ import annotations

from functools import cache
from typing import Any

from shared.audio.space.paths import Course

SPEED = 343.0  # metres a second, of sound in air at 20 degrees Celsius
_REACH, _PHASES, _BETA = 16, 2048, 8.0  # samples to each side; positions between two samples; of Kaiser's window
_BLOCK = 1 << 15


def courses(course: Course, seconds: float, rate: int) -> tuple[Any, Any, Any]:
    """Azimuth, elevation and distance at each sample of the sound as it is heard."""
    import numpy

    count = max(1, round(seconds * rate))
    return course.at(numpy.arange(count) / max(count - 1, 1))


def heard(samples: Any, rate: int, delays: Any, out_rate: int) -> Any:
    """The sound (n,) at `out_rate` where each heard sample comes `delays` (m,) seconds late: float32 (m,)."""
    import numpy

    table = _sinc(min(1.0, out_rate / rate))
    reach = table.shape[1] // 2
    padded = numpy.pad(numpy.asarray(samples, numpy.float32), (reach, reach + 1))
    out = numpy.empty(len(delays), numpy.float32)
    for begin in range(0, len(delays), _BLOCK):
        part = slice(begin, min(begin + _BLOCK, len(delays)))
        at = (numpy.arange(part.start, part.stop) / out_rate - delays[part]) * rate
        inside = (at >= 0) & (at <= len(samples) - 1)
        at = at.clip(0, max(len(samples) - 1, 0))
        whole = at.astype(int)
        phase = numpy.rint((at - whole) * _PHASES).astype(int)
        taps = numpy.lib.stride_tricks.sliding_window_view(padded, 2 * reach)[whole + 1]
        out[part] = numpy.einsum("nt,nt->n", taps, table[phase]) * inside
    return out


def softer(distances: Any) -> Any:
    """How loud it is from there: one at a metre, half at two (a point's sound in the open)."""
    return 1.0 / distances


@cache
def _sinc(cutoff: float) -> Any:
    """Kaiser-windowed sinc by phases (2049, 2 * reach), passing what is below `cutoff` of the sound's own limit."""
    import numpy

    reach = round(_REACH / cutoff)
    taps = numpy.arange(-reach + 1, reach + 1)[None] - (numpy.arange(_PHASES + 1) / _PHASES)[:, None]
    window = numpy.i0(_BETA * numpy.sqrt((1 - (taps / (reach + 1)) ** 2).clip(0))) / numpy.i0(_BETA)
    table = (numpy.sinc(taps * cutoff) * window * cutoff).astype(numpy.float32)
    return table / table.sum(1, keepdims=True)
