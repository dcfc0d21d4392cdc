"""Reads a diffusers folder onto its device: precision, offload, tiling."""

from __future__ import annotations

from collections.abc import Collection, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from shared import machine as machines
from shared.backends.diffusion import adapters, gguf_part, placing
from shared.backends.diffusion.folder import check_folder
from shared.backends.local import hub
from shared.backends.local.sources import is_path
from shared.backends.transformers_text import quiet
from shared.catalog import Variant
from shared.errors import CorruptWeights, UnknownModel
from shared.events import Progress
from shared.placement import device_of
from shared.settings import Settings
from shared.streaming import Emit
from shared.weights import refuse_pickle

# A pipeline's parts lie in folders; of each only its safest and smallest form is fetched.
FILES = ("model_index.json", "*/*.json", "*/*.txt", "*/*.model", "*/*.safetensors")
NEVER = (*hub.NEVER, "*/*.bin", "*/*.ckpt", "*/*.onnx", "*/*.msgpack", "*non_ema*", "*/*.fp16.safetensors")
# No pickle, no network, and no code that comes with a model.
SAFE: dict[str, Any] = {"use_safetensors": True, "local_files_only": True, "trust_remote_code": False}
EIGHT_BITS = "fp8"  # how weights may be kept; they are widened layer by layer as they are used


@dataclass(frozen=True)
class Loaded:
    """A pipeline, its folder, and what it really is."""

    pipe: Any
    folder: Path
    revision: str | None
    device: str
    dtype: str
    adapter: adapters.Adapter | None = None
    way: placing.Way = placing.Way.WHOLE


def load(variant: Variant, settings: Settings, emit: Emit) -> Loaded:
    """The variant's pipeline on its device. Errors are those of `find` and of diffusers."""
    import diffusers

    quiet(settings)
    diffusers.utils.logging.set_verbosity_error()
    diffusers.utils.logging.disable_progress_bar()
    folder, revision = find(variant, settings, emit)
    called = Path(variant.repo_id).name
    narrow = gguf_part.find(variant, settings, emit)
    parts = check_folder(folder, called, elsewhere=() if narrow is None else (gguf_part.PART,))
    adapter = adapters.find(variant, settings, emit)
    device = device_of(variant, machines.probe())
    dtype = _dtype(variant.dtype, device)
    emit(Progress(f"Loading {called}"))
    held = _text_encoders(folder, parts, dtype, called)
    reader: Any = diffusers.DiffusionPipeline
    if narrow is not None:
        held[gguf_part.PART], reader = gguf_part.read(narrow, folder, dtype), gguf_part.without(folder)
    pipe = reader.from_pretrained(folder, dtype=dtype, **held, **SAFE)
    _nothing_lacks(_unread(pipe), called)
    emit.check()
    pipe.set_progress_bar_config(disable=True)
    if adapter:
        adapters.put_in(pipe, adapter, emit)
    if variant.quantization == EIGHT_BITS:
        _in_eight_bits(pipe, dtype)
    way = placing.place(pipe, variant, device, emit)
    return Loaded(pipe, folder, revision, device, str(dtype).removeprefix("torch."), adapter, way)


def find(variant: Variant, settings: Settings, emit: Emit) -> tuple[Path, str | None]:
    """The pipeline's folder and its commit. Raises `UnknownModel`, `HubUnavailable`."""
    if name := variant.options.get("starter"):
        from shared.starter import locate_folder

        folder, revision = locate_folder(name, settings.weights_dir), None
    elif is_path(variant.repo_id):
        folder, revision = Path(variant.repo_id).expanduser(), None
        refuse_pickle(folder)
        if not folder.exists():
            raise UnknownModel(f"There is no folder {folder.name} at that place. Check the path.")
    else:
        fetched = hub.fetch(
            variant.repo_id,
            settings,
            emit,
            revision=variant.revision,
            allow_patterns=variant.options.get("files", FILES),
            ignore_patterns=(*NEVER, "transformer/*.safetensors") if variant.options.get("gguf") else NEVER,
        )
        folder, revision = fetched.path, fetched.revision
    return folder, revision


def _text_encoders(folder: Path, parts: Mapping[str, tuple[str, str]], dtype: Any, called: str) -> dict[str, Any]:
    """The parts that transformers reads. Raises `CorruptWeights` for lacking weights: it would draw them at random."""
    import transformers

    read: dict[str, Any] = {}
    for name, (library, kind) in parts.items():
        reader: Any = getattr(transformers, kind, None) if library == "transformers" else None
        if isinstance(reader, type) and issubclass(reader, transformers.PreTrainedModel):
            load: Any = reader.from_pretrained
            read[name], found = load(folder / name, dtype=dtype, output_loading_info=True, **SAFE)
            _nothing_lacks(found["missing_keys"], called)
    return read


def _unread(pipe: Any) -> list[str]:
    """Weights that no file had: diffusers leaves them without numbers."""
    models = [part for part in pipe.components.values() if hasattr(part, "named_parameters")]
    return [name for model in models for name, value in model.named_parameters() if value.is_meta]


def _nothing_lacks(names: Collection[str], called: str) -> None:
    if names:
        raise CorruptWeights(f"{called} lacks some of its weights, {min(names)} for one. Download the model again.")


def _dtype(name: str, device: str) -> Any:
    import torch

    if name != "auto":
        return getattr(torch, name)
    if device == "cuda":
        return torch.bfloat16 if torch.cuda.is_bf16_supported() else torch.float16
    return torch.float16 if device == "mps" else torch.float32


def _in_eight_bits(pipe: Any, dtype: Any) -> None:
    """Keep the large part's weights in eight bits: half the memory, for some speed, by diffusers' layerwise casting."""
    import torch

    part = getattr(pipe, "transformer", None) or getattr(pipe, "unet", None)
    if part is not None:
        part.enable_layerwise_casting(storage_dtype=torch.float8_e4m3fn, compute_dtype=dtype)
