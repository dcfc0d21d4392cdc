"""Keeps what a slow conversion made, so that a GGUF file is unpacked once and then loads like any other model."""

from __future__ import annotations

import contextlib
import hashlib
import shutil
import uuid
from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING, Any

from shared.backends.local import torch_loading
from shared.backends.local.source import Source
from shared.backends.local.torch_loading import Parts, Placing
from shared.events import Progress

if TYPE_CHECKING:
    from shared.settings import Settings
    from shared.streaming import Emit

_GROWTH = 8  # a 4-bit file in float32, with room to spare


def load(source: Source, place: Placing, adapter: Source | None, settings: Settings, emit: Emit) -> Parts:
    """Load the model; a GGUF file by its unpacked copy, made at its first load if there is room on the disk."""
    if source.gguf is None:
        return torch_loading.load(source, place, adapter)
    file = source.path / source.gguf
    folder = cache_folder(settings, "gguf", file, place.dtype)
    if not (folder / "config.json").is_file():
        emit(Progress(f"Unpacking {file.name}; this takes half a minute or more, and is done once"))
        parts = torch_loading.load(source, Placing(place.device, place.dtype), None)
        kept = has_room(folder, file.stat().st_size * _GROWTH) and keep(folder, lambda to: _save(parts, to))
        if not kept:
            return torch_loading.finish(parts, place, adapter)
        del parts
        emit(Progress(f"Loading {file.name}"))
    return torch_loading.load(Source(folder, revision=source.revision), place, adapter)


def cache_folder(settings: Settings, kind: str, file: Path, *what: str) -> Path:
    """Where the conversion of this very file, in this very form, is kept."""
    stat = file.stat()
    mark = "|".join([str(file.resolve()), str(stat.st_size), str(stat.st_mtime_ns), *what])
    return settings.data_dir / "converted" / kind / f"{file.stem}-{hashlib.sha256(mark.encode()).hexdigest()[:16]}"


def has_room(folder: Path, size: int) -> bool:
    """Whether the disk under the folder has `size` bytes free."""
    near = next(parent for parent in folder.parents if parent.exists())
    return shutil.disk_usage(near).free > size


def keep(folder: Path, save: Callable[[Path], None]) -> bool:
    """Let `save` write into the folder, which appears only when it is whole. False on a disk that can't be written."""
    part = folder.with_name(f"{folder.name}.{uuid.uuid4().hex[:8]}.part")
    try:
        part.mkdir(parents=True)
        save(part)
        with contextlib.suppress(FileExistsError):
            part.rename(folder)
    except OSError:
        return False
    finally:
        shutil.rmtree(part, ignore_errors=True)
    return folder.is_dir()


def _save(parts: Parts, folder: Path) -> None:
    model: Any = parts.model
    # Unpacked weights are plain ones, but transformers still takes the model for a GGUF and refuses to save it.
    model.hf_quantizer = None
    with contextlib.suppress(AttributeError):
        del model.config.quantization_config
    model.save_pretrained(folder)
    parts.processor.save_pretrained(folder)
