"""Joins spoken parts without clicks: silence trimmed to a margin, soft edges, or an equal-power cross-fade.

In a cross-fade the gains are cos and sin of one angle, so that the sum of their squares, the power of two unlike
sounds together, stays 1.
"""

from __future__ import annotations

import math
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from shared.audio.pcm import Samples

QUIET = 0.004  # amplitude (1 is full scale) below which a sample counts as silence: -48 dB
MARGIN = 0.04  # seconds of what is quiet that stay before and after a sound: consonants begin softly
FADE = 0.008  # seconds of a soft edge or a cross-fade


class Joiner:
    """Takes parts in pieces of any length and gives back what can be heard already; the rest it holds."""

    def __init__(self, sample_rate: int) -> None:
        import numpy

        self._rate = sample_rate
        self._margin, self._fade = round(MARGIN * sample_rate), round(FADE * sample_rate)
        angle = numpy.linspace(0, math.pi / 2, self._fade, dtype=numpy.float32)
        self._in, self._out = numpy.sin(angle), numpy.cos(angle)
        self._nothing = numpy.zeros(0, numpy.float32)
        self._held = self._nothing  # of this part: what may yet turn out to be its end
        self._seam: Samples | None = None  # the end of the part before, where this one follows without a pause
        self._begun = False  # whether this part has sounded
        self.dropped = 0  # samples of silence that were left out before this part's sound

    def add(self, samples: Samples) -> Samples:
        """More of this part."""
        import numpy

        self._held = numpy.concatenate([self._held, numpy.asarray(samples, numpy.float32)])
        loud = numpy.flatnonzero(numpy.abs(self._held) > QUIET)
        if not len(loud):
            if not self._begun:
                self._drop(max(0, len(self._held) - self._margin))
            return self._nothing
        start = 0 if self._begun else max(0, int(loud[0]) - self._margin)
        until = int(loud[-1]) + 1 - self._fade  # with an edge's length of sound kept, whatever comes
        return self._give(start, until) if until - start >= self._fade else self._nothing

    def _give(self, start: int, until: int) -> Samples:
        """What is held between these two, its beginning made soft where the part begins."""
        given = self._held[start:until].copy()
        self._held = self._held[until:]
        if not self._begun:
            self._begun = True
            self.dropped += start
            given[: self._fade] *= self._in[: len(given)]
            if self._seam is not None:
                given[: self._fade] += self._seam
                self._seam = None
        return given

    def _drop(self, count: int) -> None:
        self.dropped += count
        self._held = self._held[count:]

    def end(self, pause: float) -> Samples:
        """This part is over, and `pause` seconds of silence follow; with 0 the next part is faded into it."""
        import numpy

        loud = numpy.flatnonzero(numpy.abs(self._held) > QUIET)
        if not self._begun and not len(loud):
            self._drop(len(self._held))
            return self._nothing  # a part without a sound leaves no gap either
        first = 0 if self._begun else max(0, int(loud[0]) - self._margin)
        last = min(len(self._held), int(loud[-1]) + 1 + self._margin) if len(loud) else 0
        room = max(last, first + (1 if self._begun else 2) * self._fade)
        held = numpy.pad(self._held, (0, max(0, room - len(self._held))))
        self._held = held[:room]
        body = self._give(first, room - self._fade)
        edge, self._held = self._held * self._out, self._nothing
        self._begun = False
        if pause <= 0:
            self._seam = edge
            return body
        return numpy.concatenate([body, edge, numpy.zeros(round(pause * self._rate), numpy.float32)])

    def finish(self) -> Samples:
        """The end of all."""
        edge, self._seam = self._seam, None
        return self._nothing if edge is None else edge
