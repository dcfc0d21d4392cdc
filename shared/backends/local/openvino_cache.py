"""Keeps each OpenVINO export, so that a model is traced and quantized once."""

from __future__ import annotations

import contextlib
import dataclasses
import hashlib
import shutil
import tempfile
from pathlib import Path
from typing import TYPE_CHECKING, Any

from shared.backends.local.loading import SAFE, Loaded, load
from shared.backends.local.openvino_export import MODEL_FILE, export
from shared.backends.local.sources import Source, fetch_adapter, find
from shared.errors import BackendError
from shared.events import Progress
from shared.machine import GIB

if TYPE_CHECKING:
    from shared.catalog import Variant
    from shared.settings import Settings
    from shared.streaming import Emit

FORMAT = "1"  # raise it when exports change, so that those of older versions are made anew


def exported(variant: Variant, settings: Settings, emit: Emit) -> tuple[Path, str | None]:
    """The folder with the export of these very weights, made now if it isn't there, and their commit."""
    source = find(variant, settings, emit)
    files = _weights(source, variant, settings, emit)
    folder = settings.data_dir / "converted" / f"{_stem(source)}-openvino-{_mark(files, variant)}"
    if not (folder / MODEL_FILE).is_file():
        size = sum(file.stat().st_size for file in files) * (8 if source.gguf else 2)
        _make_room(folder.parent, size)
        emit(Progress("Exporting the model for OpenVINO; this takes a minute or more, and is done once"))
        full = dataclasses.replace(variant, device="cpu", dtype="float32", quantization=None)
        _write(load(full, settings, emit), variant.quantization, folder, emit)
    return folder, source.revision


def read(folder: Path, settings: Settings, *, exact: bool) -> Loaded:
    """The exported model, compiled for this processor. `exact`: nothing in it is quantized, its cache neither."""
    import transformers

    from shared.backends.local.openvino_decoder import OpenVinoDecoder

    library: Any = transformers
    config = library.AutoConfig.from_pretrained(folder, **SAFE)
    generation = library.GenerationConfig.from_pretrained(folder, local_files_only=True)
    tokenizer = library.AutoTokenizer.from_pretrained(folder, **SAFE)
    model = OpenVinoDecoder(folder / MODEL_FILE, config, generation, settings.threads, exact)
    return Loaded(model=model, tokenizer=tokenizer, device="cpu", dtype="float32")


def _weights(source: Source, variant: Variant, settings: Settings, emit: Emit) -> list[Path]:
    name = variant.options.get("adapter")
    if not name:
        return source.weights
    return [*source.weights, fetch_adapter(str(name), settings, emit) / "adapter_model.safetensors"]


def _stem(source: Source) -> str:
    return Path(source.gguf).stem if source.gguf else source.folder.name


def _mark(files: list[Path], variant: Variant) -> str:
    seen = [f"{file.resolve()}|{file.stat().st_size}|{file.stat().st_mtime_ns}" for file in files]
    return hashlib.sha256("\n".join([FORMAT, str(variant.quantization), *seen]).encode()).hexdigest()[:12]


def _make_room(folder: Path, size: int) -> None:
    try:
        folder.mkdir(parents=True, exist_ok=True)
        free = shutil.disk_usage(folder).free
    except OSError as error:
        raise BackendError(
            "The server's folder for exports can't be written. Set PLAYGROUND_DATA to one that can."
        ) from error
    if free < size:
        raise BackendError(
            f"The export needs up to {size / GIB:.1f} GB of disk and {free / GIB:.1f} GB is free. "
            "Free some, or choose llama.cpp."
        )


def _write(loaded: Loaded, quantization: str | None, folder: Path, emit: Emit) -> None:
    """Save beside the place and move there in one step, so that no half-written export is ever used."""
    unfinished = Path(tempfile.mkdtemp(prefix="unfinished-", dir=folder.parent))
    try:
        export(loaded.model, quantization, unfinished, emit)
        loaded.model.config.save_pretrained(unfinished)
        loaded.model.generation_config.save_pretrained(unfinished)
        loaded.tokenizer.save_pretrained(unfinished)
        with contextlib.suppress(OSError):  # another process was first
            unfinished.rename(folder)
    finally:
        shutil.rmtree(unfinished, ignore_errors=True)
