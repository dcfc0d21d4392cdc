"""Reads a motion model's folder: safetensors and JSON only.

    config.json            {"model_type": "mdm", "latent_dim": 512, "num_layers": 8, "num_heads": 4, "ff_size": 1024,
                            "max_frames": 196, "steps": 1000, "beta_schedule": "squaredcos_cap_v2",
                            "guidance_scale": 2.5, "max_text_tokens": 22}; `steps`: that it was trained with
    model.safetensors      the network's weights as `denoiser.py` names them, and HumanML3D's `mean` and `std` (263)
    text_encoder/, tokenizer/   CLIP's, as transformers' `CLIPTextModelWithProjection` and `CLIPTokenizer` save them

The published checkpoints are pickles; the README of the 3D Space says how one is converted.
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

from shared import machine as machines
from shared.backends.local.facts import versions as versions_of
from shared.backends.motion.denoiser import built
from shared.errors import CorruptWeights
from shared.events import Progress
from shared.image.measuring import sources
from shared.motion.features import FEATURES
from shared.placement import device_of
from shared.weights import PICKLES, check_weights

if TYPE_CHECKING:
    from shared.catalog import Variant
    from shared.settings import Settings
    from shared.streaming import Emit

CONFIG, WEIGHTS, TEXT, TOKENIZER = "config.json", "model.safetensors", "text_encoder", "tokenizer"
FILES = (CONFIG, WEIGHTS, f"{TEXT}/*.json", f"{TEXT}/*.safetensors", f"{TOKENIZER}/*.json", f"{TOKENIZER}/*.txt")
MOST_FRAMES, MOST_STEPS = 2000, 10_000
SCHEDULES = ("squaredcos_cap_v2", "linear")
_NEEDED = (
    f"What is needed: a folder or a Hub repository with {CONFIG}, {WEIGHTS}, {TEXT}/ and {TOKENIZER}/. The README of "
    "the 3D Space describes them under “Motion”."
)
_PICKLE = (
    "is or holds only a pickle, which can run any code when it is opened, so it is refused. Convert it yourself where "
    "that can do no harm."
)


@dataclass(frozen=True, kw_only=True)
class Config:
    """What `config.json` says; those with a value here may be left out."""

    latent_dim: int
    num_layers: int
    num_heads: int
    ff_size: int
    max_frames: int = 196
    steps: int = 1000
    max_text_tokens: int = 22
    guidance_scale: float = 2.5
    beta_schedule: str = SCHEDULES[0]


@dataclass(frozen=True)
class Parts:
    """A model's parts, on their device. `mean`, `std`: of the features, tensors (263)."""

    config: Config
    network: Any
    text_encoder: Any
    tokenizer: Any
    mean: Any
    std: Any
    facts: Mapping[str, Any]


def find(variant: Variant, settings: Settings, emit: Emit) -> Path:
    """The folder. Raises `CorruptWeights` where it lacks what is needed, and what `sources.find` does."""
    name = Path(variant.repo_id).name
    if Path(name).suffix.lower() in PICKLES:
        raise CorruptWeights(f"{name} {_PICKLE} {_NEEDED}")
    folder = sources.find(variant.repo_id, FILES, settings, emit)
    if not (folder / WEIGHTS).is_file() and any(file.suffix.lower() in PICKLES for file in folder.glob("*")):
        raise CorruptWeights(f"{name} {_PICKLE} {_NEEDED}")
    for part in (CONFIG, WEIGHTS, TEXT, TOKENIZER):
        if not (folder / part).exists():
            raise CorruptWeights(f"{name} has no {part}. {_NEEDED}")
    for file in sorted(folder.glob(f"{TEXT}/*.safetensors")):
        check_weights(file)
    return folder


def config_of(folder: Path) -> Config:
    """Raises `CorruptWeights` for what is no configuration of such a model."""
    try:
        told = json.loads((folder / CONFIG).read_text(encoding="utf-8"))
        if told.pop("model_type") != "mdm":
            raise ValueError("model_type")
        config = Config(**told)
        sizes = (config.latent_dim, config.num_layers, config.num_heads, config.ff_size, config.max_text_tokens)
        whole = all(isinstance(each, int) and 1 <= each <= 8192 for each in sizes)
        frames = 2 <= config.max_frames <= MOST_FRAMES and 1 <= config.steps <= MOST_STEPS
        if not whole or not frames or config.latent_dim % (2 * config.num_heads):
            raise ValueError("sizes")
        if config.beta_schedule not in SCHEDULES or not 0 <= config.guidance_scale <= 20:
            raise ValueError("settings")
    except (OSError, ValueError, TypeError, KeyError, AttributeError, RecursionError):
        raise CorruptWeights(f"{folder.name}'s {CONFIG} describes no motion model. {_NEEDED}") from None
    return config


def read(folder: Path, variant: Variant, emit: Emit) -> Parts:
    """The parts. Raises `CorruptWeights` for weights that don't fit; other errors are transformers'."""
    import torch
    import transformers
    from safetensors.torch import load_file

    emit(Progress(f"Loading {folder.name}"))
    config, device = config_of(folder), device_of(variant, machines.probe())
    safe: dict[str, Any] = {"local_files_only": True, "trust_remote_code": False}
    library: Any = transformers
    tokenizer = library.CLIPTokenizer.from_pretrained(folder / TOKENIZER, **safe)
    text, found = library.CLIPTextModelWithProjection.from_pretrained(
        folder / TEXT, dtype=torch.float32, use_safetensors=True, output_loading_info=True, **safe
    )
    if found["missing_keys"]:
        raise CorruptWeights(f"{folder.name}'s {TEXT} lacks some of its weights. Convert or download it again.")
    weights = {name: value.float() for name, value in load_file(folder / WEIGHTS).items()}
    mean, std = (weights.pop(name, torch.empty(0)) for name in ("mean", "std"))
    with torch.device("meta"):
        network = built(config, text.config.projection_dim)
    try:
        if mean.shape != (FEATURES,) or std.shape != (FEATURES,):
            raise RuntimeError("mean and std of 263 features are lacking")
        network.load_state_dict(weights, assign=True)
    except RuntimeError as error:
        why = str(error).splitlines()[-1].strip()[:200]
        raise CorruptWeights(f"{folder.name}'s {WEIGHTS} doesn't fit its {CONFIG}: {why} {_NEEDED}") from None
    versions = versions_of("torch", "diffusers", "transformers")
    facts = {"device": device, "dtype": "float32", "versions": versions}
    network, text = network.eval().to(device), text.eval().to(device)
    return Parts(config, network, text, tokenizer, mean.to(device), std.to(device), facts)
