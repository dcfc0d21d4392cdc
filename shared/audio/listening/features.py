"""A sound as Whisper hears it: windows of 16 kHz, cut where it is quiet, as log-mel spectra."""

from __future__ import annotations

from collections.abc import Iterator
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from shared.audio.pcm import Samples

RATE = 16_000  # samples a second that Whisper hears
WINDOW = 30  # seconds that it hears at one go
_SEARCHED = 10.0  # seconds before a window's end where a quiet place is looked for
_FRAME = 0.1  # seconds that are quiet there
_SILENT = 0.001  # of full scale: in silence Whisper makes up words


def windows(samples: Samples) -> Iterator[Samples]:
    """Samples of `RATE` in parts of `WINDOW` seconds at most, without those that hold only silence."""
    import numpy

    while len(samples):
        end = len(samples) if len(samples) <= WINDOW * RATE else _quietest(samples[: WINDOW * RATE])
        if numpy.abs(samples[:end]).max() > _SILENT:
            yield samples[:end]
        samples = samples[end:]


def _quietest(window: Samples) -> int:
    """The middle of the quietest frame in the window's last seconds."""
    import numpy

    size, start = int(_FRAME * RATE), len(window) - int(_SEARCHED * RATE)
    power = numpy.convolve(window[start:] ** 2, numpy.ones(size) / size, "valid")
    return int(start + power.argmin() + size // 2)


def features(samples: Samples, bands: int = 80) -> Any:
    """A log-mel spectrum, float32 (1, bands, 3000), padded with silence."""
    import numpy
    import transformers

    library: Any = transformers
    found = library.WhisperFeatureExtractor(feature_size=bands)(samples, sampling_rate=RATE, return_tensors="np")
    return numpy.ascontiguousarray(found.input_features, numpy.float32)
