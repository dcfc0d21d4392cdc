"""Turns the bytes of a speech, as they come, into samples: raw PCM, WAV while it streams, other files once whole."""

from __future__ import annotations

import struct
from typing import TYPE_CHECKING

from shared.audio.pcm import to_samples
from shared.errors import InvalidRequest

if TYPE_CHECKING:
    from shared.audio.pcm import Samples

_LONGEST_HEAD = 65536  # bytes before a WAV's samples: more is no header
_PCM = frozenset({1, 0xFFFE})


class SoundStream:
    """`rate` is known from the start for raw PCM (16 bits, one channel), and else once `feed` gives samples."""

    def __init__(self, raw_rate: int | None = None) -> None:
        self.rate = raw_rate or 0
        self._kind = "raw" if raw_rate else ""  # "raw", "file", or "" while it is unknown
        self._channels = 1
        self._left = b""

    def feed(self, data: bytes) -> Samples | None:
        """The samples that are whole so far; None while there are none to give."""
        self._left += data
        if not self._kind:
            self._look()
        if self._kind != "raw":
            return None
        whole = len(self._left) // (2 * self._channels) * 2 * self._channels
        now, self._left = self._left[:whole], self._left[whole:]
        return self._mono(now) if now else None

    def finish(self) -> Samples | None:
        """What is left: all of a file that can't be read while it comes. Raises `InvalidRequest` for no sound."""
        if self._kind == "raw" or not self._left:
            return None
        from shared.media.sound.opening import open_sound

        samples, self.rate = open_sound(self._left)
        self._left = b""
        return samples

    def _look(self) -> None:
        """Find out what it is."""
        if len(self._left) >= 12 and not (self._left[:4] == b"RIFF" and self._left[8:12] == b"WAVE"):
            self._kind = "file"
            return
        at, form = 12, b""
        while at + 8 <= len(self._left):
            name, length = self._left[at : at + 4], struct.unpack_from("<I", self._left, at + 4)[0]
            if name == b"data":
                self._begin(form, at + 8)
                return
            if name == b"fmt ":
                form = self._left[at + 8 : at + 8 + length]
            at += 8 + length + length % 2
        if len(self._left) > _LONGEST_HEAD:
            self._kind = "file"

    def _begin(self, form: bytes, at: int) -> None:
        """The samples begin here. The length that is told is not read: a file that streams knows none."""
        kind, channels, rate, _, _, bits = struct.unpack_from("<HHIIHH", form) if len(form) >= 16 else (0,) * 6
        if kind not in _PCM or bits != 16 or not 1 <= channels <= 8 or not 4_000 <= rate <= 192_000:
            self._kind = "file"
            return
        self._kind, self.rate, self._channels, self._left = "raw", rate, channels, self._left[at:]

    def _mono(self, pcm: bytes) -> Samples:
        samples = to_samples(pcm)
        if self._channels == 1:
            return samples
        mixed: Samples = samples.reshape(-1, self._channels).mean(axis=1)
        return mixed


def readable(stream: SoundStream) -> Samples | None:
    """The rest of the stream; None where it is no sound at all."""
    try:
        return stream.finish()
    except InvalidRequest:
        return None
