"""Perth: a hardly audible mark in speech that says it was made by a machine, and whether a sound has it.

Resemble AI's network, whose weights their package `resemble-perth` carries (MIT, 37 MB). It changes the spectrum
below 2 kHz, by 15 to 16 dB less than the speech itself: on six of the Harvard sentences DNSMOS fell from 3.29 to
3.22, and Whisper tiny.en wrote three words otherwise, as before. The package's own code needs librosa, torchaudio and
a pickle; here its file is opened as the zip that it is, and only the numbers in it are read. Measured on seven
sentences of the starter voice: unmarked 0.02 at most; marked 0.99 or more, also as MP3, Ogg, at 8 kHz or cut in half;
0.7 to 0.85 with noise at 1% of the peak; and 0.03 once played a tenth faster. So it is no proof: whoever means to
gets it out, a sound without it may still be an imitation, and in sounds that are no speech, a swelling hum for one,
it sees marks that are not there.
"""

from __future__ import annotations

import functools
import hashlib
import io
import zipfile
from importlib.util import find_spec
from pathlib import Path
from typing import TYPE_CHECKING, Any

from shared.audio.resampling import resampled
from shared.backends.base import require
from shared.errors import CorruptWeights, MissingDependency

if TYPE_CHECKING:
    from shared.audio.pcm import Samples

NAME, INSTALL = "Perth", "--no-deps resemble-perth==1.0.1"
_FILE = "perth_net/pretrained/implicit/perth_net_250000.pth.tar"
_SHA256 = "a15bce457ebc53ce5e6c9c3f11df78cf7ee2bf9cdab0a798902135b4c4027670"
RATE, _FFT, _HOP, _BINS, _WIDE = 32_000, 2048, 320, 128, 256
_FLOOR, _HEADROOM = -180.0, 15.0  # decibels: what is 0 and what is 1 to the network
_KERNELS = (1, 7, 7, 7, 7, 7, 1)
_STACKS = 4  # the one that marks, and three that look for the mark at three speeds
_SPEEDS = (1.25, 1.0, 0.75)
_SHORTEST = 0.1  # seconds
_SHARE = 0.05  # frames below this share of the fullest one carry no mark


def check() -> None:
    """Raise `MissingDependency`."""
    require("torch")
    if find_spec("perth") is None:
        raise MissingDependency("resemble-perth", INSTALL)


def mark(samples: Samples, rate: int) -> Samples:
    """The same samples with the mark in them. Raises `MissingDependency`, `CorruptWeights`."""
    import torch

    if len(samples) < _SHORTEST * rate:
        return samples
    with torch.inference_mode():
        spectrum = _spectrum(resampled(samples, rate, RATE))
        loud = _loudness(spectrum)
        moved = _run(_stacks()[0], loud[:, :_BINS]) * _sounding(loud)
        # Only what the mark changes is made into sound, so that the rest stays as it is at any rate.
        factor = 10 ** (moved * (_HEADROOM - _FLOOR) / 20) - 1
        change = torch.zeros_like(spectrum)
        change[:, :_BINS] = spectrum[:, :_BINS] * factor
        length = -(-len(samples) * RATE // rate)
        window = torch.hann_window(_FFT)
        added = torch.istft(change, _FFT, _HOP, window=window, length=length)[0].numpy()
    added = resampled(added, RATE, rate)[: len(samples)]
    marked = samples.copy()
    marked[: len(added)] += added
    return marked


def found(samples: Samples, rate: int) -> float:
    """How surely the mark is there, 0 to 1; unmarked speech is near 0. Raises as `mark`."""
    import torch
    from torch.nn.functional import interpolate

    if len(samples) < _SHORTEST * rate:
        return 0.0
    with torch.inference_mode():
        loud = _loudness(_spectrum(resampled(samples, rate, RATE)))
        there, band = _sounding(loud), loud[:, :_BINS]
        votes = []
        for stack, speed in zip(_stacks()[1:], _SPEEDS, strict=True):
            wide = int(band.shape[2] * speed)
            seen = band if speed == 1 else interpolate(band, size=wide, mode="linear", align_corners=True)
            within = interpolate(there, size=wide, mode="nearest")
            votes.append((_run(stack, seen) * within).sum(2) / within.sum(2))
        weight, answer = torch.stack(votes, 1).unbind(2)
        return float((weight.softmax(1) * answer).sum().clamp(0, 1))


def _spectrum(samples: Samples) -> Any:
    import numpy
    import torch

    wave = torch.from_numpy(numpy.array(samples, numpy.float32))[None]
    return torch.stft(wave, _FFT, _HOP, window=torch.hann_window(_FFT), return_complex=True)


def _loudness(spectrum: Any) -> Any:
    """Decibels as the network reads them, (1, bins, frames)."""
    decibels = 20 * spectrum.abs().clamp(min=10 ** (_FLOOR / 20)).log10()
    return (decibels - _FLOOR) / (_HEADROOM - _FLOOR)


def _sounding(loud: Any) -> Any:
    """1 for each frame that is not next to nothing, else 0; (1, 1, frames)."""
    sums = loud.sum(1, keepdim=True)
    return (sums > _SHARE * sums.amax(2, keepdim=True)).float()


def _run(stack: list[tuple[Any, Any]], seen: Any) -> Any:
    from torch.nn.functional import conv1d, leaky_relu

    for number, (weight, bias) in enumerate(stack):
        seen = conv1d(seen, weight, bias, padding=weight.shape[2] // 2)
        seen = seen if number == len(stack) - 1 else leaky_relu(seen)
    return seen


@functools.cache
def _stacks() -> list[list[tuple[Any, Any]]]:
    """Weights and biases of the four stacks of convolutions."""
    check()
    spec = find_spec("perth")
    assert spec is not None and spec.submodule_search_locations
    data = (Path(next(iter(spec.submodule_search_locations))) / _FILE).read_bytes()
    if hashlib.sha256(data).hexdigest() != _SHA256:
        raise CorruptWeights(
            f"Perth's weights are not the file that was tested. Install it again: pip install {INSTALL}"
        )
    with zipfile.ZipFile(io.BytesIO(data)) as file:
        return [[_layer(file, number, depth) for depth in range(len(_KERNELS))] for number in range(_STACKS)]


def _layer(file: zipfile.ZipFile, stack: int, depth: int) -> tuple[Any, Any]:
    """A layer's weight and bias: numbers one after the other, in the order in which the network was saved."""
    import numpy
    import torch

    first, last = depth == 0, depth == len(_KERNELS) - 1
    narrow = _BINS if stack == 0 else 2
    shape = (narrow if last else _WIDE, _BINS if first else _WIDE, _KERNELS[depth])
    at = 2 * (stack * len(_KERNELS) + depth)
    weight, bias = (numpy.frombuffer(file.read(f"archive/data/{at + more}"), "<f4").copy() for more in (0, 1))
    return torch.from_numpy(weight.reshape(shape)), torch.from_numpy(bias)
