"""Reads a diffusers folder onto its device: precision, offload, tiling."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import Any

from shared import machine as machines
from shared.backends.local import hub
from shared.catalog import Variant
from shared.errors import BackendError
from shared.events import Progress
from shared.machine import Machine
from shared.placement import device_of
from shared.settings import Settings
from shared.streaming import Emit
from shared.weights import check_weights, refuse_pickle

# A pipeline's parts lie in folders; of each only its safest and smallest form is fetched.
FILES = ("model_index.json", "*/*.json", "*/*.txt", "*/*.model", "*/*.safetensors")
NEVER = (*hub.NEVER, "*/*.bin", "*/*.ckpt", "*/*.onnx", "*/*.msgpack", "*non_ema*", "*/*.fp16.safetensors")
ROOMY = 0.85  # of the GPU's memory: a model that needs more is moved there part by part


@dataclass(frozen=True)
class Loaded:
    """A pipeline, its folder, and what it really is."""

    pipe: Any
    folder: Path
    revision: str | None
    device: str
    dtype: str


def load(variant: Variant, settings: Settings, emit: Emit) -> Loaded:
    """The variant's pipeline on its device. Errors are those of `find` and of diffusers."""
    import diffusers
    import torch

    diffusers.utils.logging.set_verbosity_error()
    diffusers.utils.logging.disable_progress_bar()
    if settings.threads:
        torch.set_num_threads(settings.threads)
    folder, revision = find(variant, settings, emit)
    machine = machines.probe()
    device = device_of(variant, machine)
    dtype = _dtype(variant.dtype, device)
    emit(Progress(f"Loading {folder.name}"))
    safe: dict[str, Any] = {"use_safetensors": True, "local_files_only": True, "trust_remote_code": False}
    reader: Any = diffusers.DiffusionPipeline
    pipe = reader.from_pretrained(folder, dtype=dtype, **safe)
    emit.check()
    pipe.set_progress_bar_config(disable=True)
    _place(pipe, variant, device, machine)
    return Loaded(pipe, folder, revision, device, str(dtype).removeprefix("torch."))


def find(variant: Variant, settings: Settings, emit: Emit) -> tuple[Path, str | None]:
    """The pipeline's folder and its commit. Raises `UnknownModel`, `HubUnavailable`, `CorruptWeights`."""
    if name := variant.options.get("starter"):
        from shared.starter import locate_folder

        folder, revision = locate_folder(name), None
    elif (path := Path(variant.repo_id).expanduser()).exists():
        refuse_pickle(path)
        folder, revision = path, None
    else:
        fetched = hub.fetch(
            variant.repo_id,
            settings,
            emit,
            revision=variant.revision,
            allow_patterns=variant.options.get("files", FILES),
            ignore_patterns=NEVER,
        )
        folder, revision = fetched.path, fetched.revision
    if not (folder / "model_index.json").is_file():
        raise BackendError(
            f"{folder.name} is not a diffusers folder: it has no model_index.json. Choose another model."
        )
    for file in sorted(folder.rglob("*.safetensors")):
        check_weights(file)
    _refuse_pickles(folder)
    return folder, revision


def _refuse_pickles(folder: Path) -> None:
    """A part that comes as a pickle only is refused by its name, before diffusers says so in its own words."""
    for part in filter(Path.is_dir, folder.iterdir()):
        weights = [f for f in part.iterdir() if f.suffix in {".bin", ".pt", ".pth", ".ckpt"}]
        if weights and not any(part.glob("*.safetensors")):
            refuse_pickle(weights[0])


def _dtype(name: str, device: str) -> Any:
    import torch

    if name != "auto":
        return getattr(torch, name)
    if device == "cuda":
        return torch.bfloat16 if torch.cuda.is_bf16_supported() else torch.float16
    return torch.float16 if device == "mps" else torch.float32


def _place(pipe: Any, variant: Variant, device: str, machine: Machine) -> None:
    tiles = getattr(getattr(pipe, "vae", None), "enable_tiling", None)
    if tiles and device != "cpu":
        tiles()
    if device == "cuda" and variant.memory_gb > ROOMY * machine.cuda_gb:
        pipe.enable_model_cpu_offload()
    else:
        pipe.to(device)
