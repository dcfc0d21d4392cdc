"""Puts a LoRA adapter into a pipeline's weights."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import Any

from shared.backends.local import hub
from shared.backends.local.sources import is_path
from shared.catalog import Variant
from shared.errors import BackendError, UnknownModel
from shared.events import Progress
from shared.settings import Settings
from shared.streaming import Emit
from shared.weights import check_weights, refuse_pickle

USUAL = "pytorch_lora_weights.safetensors"


@dataclass(frozen=True)
class Adapter:
    """A LoRA's file, and how strongly it counts: 1 as it was trained, 0 not at all.

    `called`: its Hub id, or the name of its file or folder without the way there.
    """

    called: str
    file: Path
    weight: float

    @property
    def mark(self) -> str:
        """What tells it from every other."""
        stat = self.file.stat()
        return f"{self.file.resolve()} {stat.st_size} {stat.st_mtime_ns} {self.weight}"


def find(variant: Variant, settings: Settings, emit: Emit) -> Adapter | None:
    """The adapter that the variant names. Raises `CorruptWeights` for a pickle, and what `hub.fetch` raises."""
    name = str(variant.options.get("adapter") or "")
    if not name:
        return None
    path = Path(name).expanduser()
    if is_path(name) or path.is_file():
        if not path.exists():
            raise UnknownModel(f"There is no adapter {name}. Check the path, or give a Hub id: owner/name.")
    else:
        path = hub.fetch(name, settings, emit, allow_patterns=("*.safetensors",)).path
    file = path if path.is_file() else _in_folder(path, name)
    check_weights(file)
    called = Path(name).name if is_path(name) or Path(name).expanduser().is_file() else name
    return Adapter(called, file, float(variant.options.get("adapter_weight", 1.0)))


def _in_folder(folder: Path, name: str) -> Path:
    files = sorted(folder.glob("*.safetensors"))
    usual = [file for file in files if file.name == USUAL]
    if len(usual or files) == 1:
        return (usual or files)[0]
    if not files:
        for file in sorted(folder.iterdir()):
            refuse_pickle(file)
        raise BackendError(f"{name} holds no safetensors file. Choose a LoRA adapter saved as safetensors.")
    listed = ", ".join(file.name for file in files[:5])
    raise BackendError(f"{name} holds several adapters: {listed}. Name the file of one of them.")


def put_in(pipe: Any, adapter: Adapter, emit: Emit) -> None:
    """Add it to the weights. Raises `BackendError` where it is made for another kind of model."""
    emit(Progress(f"Applying the adapter {adapter.called}"))
    if not hasattr(pipe, "load_lora_weights"):
        raise BackendError("This kind of model takes no adapters. Choose it without one.")
    try:
        pipe.load_lora_weights(adapter.file.parent, weight_name=adapter.file.name, local_files_only=True)
        loaded = any(pipe.get_list_adapters().values())
    except (ValueError, RuntimeError, KeyError, TypeError, IndexError) as error:
        raise _misfit(adapter) from error
    if not loaded:
        raise _misfit(adapter)
    pipe.fuse_lora(lora_scale=adapter.weight)
    pipe.unload_lora_weights()


def _misfit(adapter: Adapter) -> BackendError:
    return BackendError(
        f"The adapter {adapter.called} doesn't fit this model: it was made for another kind. "
        "Choose an adapter of this model's family."
    )
