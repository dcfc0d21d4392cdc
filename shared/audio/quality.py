"""DNSMOS P.835: how people would have scored speech, as a network guesses it (Reddy et al. 2022).

https://arxiv.org/abs/2110.01763. It was trained on noisy calls at 16 kHz that were scored by ear after ITU-T P.835, so
it hears hiss and clipping well, and a wrong tune of a sentence hardly. Microsoft's package `speechmos` carries the
network (MIT); its own code needs librosa, and asks of it no more than stands here.
"""

from __future__ import annotations

import functools
import hashlib
from collections.abc import Iterator
from dataclasses import dataclass
from importlib.util import find_spec
from pathlib import Path
from typing import TYPE_CHECKING, Any

from shared.audio.resampling import resampled
from shared.backends.base import require
from shared.errors import CorruptWeights, InvalidRequest, MissingDependency
from shared.events import Progress

if TYPE_CHECKING:
    from shared.audio.pcm import Samples
    from shared.settings import Settings
    from shared.streaming import Emit

NAME, INSTALL = "DNSMOS P.835", "--no-deps speechmos==0.0.1.1"
RATE, WINDOW = 16_000, 144_160  # samples a second, and how many the network hears at one go: 9.01 seconds
MOST = 20  # windows, each of which takes half a second: of a longer speech, so many spread over it are heard
_SILENT = 0.001  # of full scale
_FILE = "dnsmos_models/sig_bak_ovr.onnx"
_SHA256 = "269fbebdb513aa23cddfbb593542ecc540284a91849ac50516870e1ac78f6edd"
# What the network says, as scores of people: its makers' polynomials, the highest power first.
_SIGNAL = (-0.08397278, 1.22083953, 0.0052439)
_BACKGROUND = (-0.13166888, 1.60915514, -0.39604546)
_OVERALL = (-0.06766283, 1.11546468, 0.04602535)


@dataclass(frozen=True)
class Quality:
    """Scores from 1, bad, to 5, excellent: of the voice, of the quiet behind it, and of all."""

    signal: float
    background: float
    overall: float

    def facts(self) -> dict[str, float]:
        """What of it stands in a receipt."""
        return {f"dnsmos_{name}": round(getattr(self, name), 2) for name in ("overall", "signal", "background")}


def check() -> None:
    """Raise `MissingDependency`. Quick: no file is read."""
    require("onnxruntime")
    if find_spec("speechmos") is None:
        raise MissingDependency("speechmos", INSTALL)


def quality(samples: Samples, rate: int, settings: Settings, emit: Emit) -> Quality:
    """Of speech of one channel; a short one is heard several times in a row, as its makers do.

    Raises `InvalidRequest` for silence, `MissingDependency`, `CorruptWeights` or `Cancelled`.
    """
    import numpy

    check()
    if not len(samples) or numpy.abs(samples).max() < _SILENT:
        raise InvalidRequest("There is nothing to be heard, so it is not rated.")
    network, found = _network(settings.threads or 0), []
    windows = list(_windows(resampled(samples, rate, RATE)))
    for number, window in enumerate(windows):
        emit(Progress(f"Rating, part {number + 1} of {len(windows)}", number, len(windows)))
        found.append(network.run(None, {network.get_inputs()[0].name: window[None]})[0][0])
    rows = numpy.asarray(found, numpy.float64)
    voice, behind, whole = (
        float(numpy.polyval(powers, rows[:, column]).mean())
        for column, powers in enumerate((_SIGNAL, _BACKGROUND, _OVERALL))
    )
    return Quality(voice, behind, whole)


def _windows(samples: Samples) -> Iterator[Samples]:
    """One a second, or `MOST` of them."""
    import numpy

    whole = numpy.tile(samples, -(-WINDOW // len(samples))) if len(samples) < WINDOW else samples
    starts = numpy.arange(0, len(whole) - WINDOW + 1, RATE)
    if len(starts) > MOST:
        starts = starts[numpy.linspace(0, len(starts) - 1, MOST).round().astype(int)]
    for start in starts:
        yield whole[start : start + WINDOW].astype(numpy.float32)


@functools.cache
def _network(threads: int) -> Any:
    import onnxruntime

    spec = find_spec("speechmos")
    assert spec is not None and spec.submodule_search_locations
    data = (Path(next(iter(spec.submodule_search_locations))) / _FILE).read_bytes()
    if hashlib.sha256(data).hexdigest() != _SHA256:
        raise CorruptWeights(f"DNSMOS's network is not the file that was tested. Again: pip install {INSTALL}")
    options = onnxruntime.SessionOptions()
    options.intra_op_num_threads, options.log_severity_level = threads, 3
    return onnxruntime.InferenceSession(data, options, providers=["CPUExecutionProvider"])
