"""Writes a GGUF model out as safetensors once, so that the next load takes a second.

transformers reads a GGUF file three times in Python and takes each weight apart: for the starter model that is
some 15 seconds, against 0.2 for the same weights in safetensors.
"""

from __future__ import annotations

import contextlib
import hashlib
import os
import shutil
import tempfile
from pathlib import Path
from typing import Any

from shared.errors import CorruptWeights
from shared.events import Progress
from shared.machine import GIB
from shared.streaming import Emit

LARGEST_GB = 8.0  # a copy larger than this is not kept


def convert(path: Path, dtype: Any, cache: Path, emit: Emit) -> Path | None:
    """A folder with the model as safetensors, under `cache`; None where no copy can be kept there.

    Raises `CorruptWeights` where the file can't be read.
    """
    folder = cache / _name(path, dtype)
    if (folder / "config.json").is_file():
        return folder
    if not _room(path, dtype, cache):
        return None
    model, tokenizer = load(path, dtype, emit)
    emit(Progress(f"Keeping {path.name} for the next time"))
    return _write(model, tokenizer, folder)


def load(path: Path, dtype: Any, emit: Emit) -> tuple[Any, Any]:
    """The model and its tokenizer straight from the GGUF file."""
    from transformers import AutoModelForCausalLM, AutoTokenizer

    options = {"gguf_file": path.name, "local_files_only": True, "trust_remote_code": False}
    try:
        emit(Progress(f"Reading the vocabulary of {path.name}"))
        tokenizer = AutoTokenizer.from_pretrained(path.parent, **options)
        emit(Progress(f"Unpacking {path.name} (only the first time)"))
        model: Any = AutoModelForCausalLM.from_pretrained(path.parent, dtype=dtype, **options)
    except (ValueError, KeyError, RuntimeError, NotImplementedError) as error:
        raise CorruptWeights(
            f"transformers can't read {path.name}: the file is damaged or its architecture is not known to it. "
            "Choose llama.cpp for this file, or another file."
        ) from error
    emit.check()
    return model, tokenizer


def _name(path: Path, dtype: Any) -> str:
    stat = path.stat()
    mark = f"{path.resolve()}|{stat.st_size}|{stat.st_mtime_ns}|{dtype}"
    return f"{path.stem}-{hashlib.sha256(mark.encode()).hexdigest()[:12]}"


def _room(path: Path, dtype: Any, cache: Path) -> bool:
    """Whether the copy fits. A quantized file grows at most to the dtype's bits over two bits a weight."""
    with contextlib.suppress(OSError):
        cache.mkdir(parents=True, exist_ok=True)
        largest = path.stat().st_size * dtype.itemsize * 8 / 2
        typical = path.stat().st_size * dtype.itemsize * 8 / 4.5
        return typical < LARGEST_GB * GIB and largest < shutil.disk_usage(cache).free and os.access(cache, os.W_OK)
    return False


def _write(model: Any, tokenizer: Any, folder: Path) -> Path:
    """Save beside the place and move there in one step, so that no half-written copy is ever used."""
    model.hf_quantizer = None  # the weights are plain now, but transformers still calls them GGUF
    model.is_quantized = False
    del model.config.quantization_config
    unfinished = Path(tempfile.mkdtemp(prefix="unfinished-", dir=folder.parent))
    try:
        model.save_pretrained(unfinished)
        tokenizer.save_pretrained(unfinished)
        with contextlib.suppress(OSError):  # another process was first
            unfinished.rename(folder)
    finally:
        shutil.rmtree(unfinished, ignore_errors=True)
    return folder
