"""Reads a TripoSR model's folder: its published `config.yaml`, and its weights as `model.safetensors`.

The published weights are a pickle; the README of the 3D Space says how they are converted, with their names kept.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

from shared import machine as machines
from shared.backends.local.facts import versions as versions_of
from shared.backends.solid.triposr.config import CONFIG, Config, read_config
from shared.backends.solid.triposr.network import built
from shared.errors import CorruptWeights
from shared.events import Progress
from shared.image.measuring import sources
from shared.placement import device_of
from shared.weights import PICKLES

if TYPE_CHECKING:
    from shared.catalog import Variant
    from shared.settings import Settings
    from shared.streaming import Emit

WEIGHTS = "model.safetensors"
FILES = (CONFIG, WEIGHTS)
_NEEDED = f"What is needed: {CONFIG} and {WEIGHTS}. The README of the 3D Space says how to get them, under “TripoSR”."
_PICKLE = "holds its weights as a pickle, which can run any code when it is opened, so it is refused."
_VIT = "image_tokenizer.model."
_HEAD_WIDE = 64  # of every ViT of DINO; its configuration is not among the files
_NUDGE = 0.1  # of a patch: transformers stretched places so when the model was trained
# The ViT's parts as the checkpoint calls them, and as transformers does since its version 5.
_NAMES = (
    (r"^encoder\.layer\.(\d+)\.attention\.attention\.(query|key|value)\.", r"layers.\1.attention.\2_proj."),
    (r"^encoder\.layer\.(\d+)\.attention\.output\.dense\.", r"layers.\1.attention.o_proj."),
    (r"^encoder\.layer\.(\d+)\.intermediate\.dense\.", r"layers.\1.mlp.fc1."),
    (r"^encoder\.layer\.(\d+)\.output\.dense\.", r"layers.\1.mlp.fc2."),
    (r"^encoder\.layer\.(\d+)\.(layernorm_\w+)\.", r"layers.\1.\2."),
    (r"\.(q)uery_proj\.|\.(k)ey_proj\.|\.(v)alue_proj\.", r".\1\2\3_proj."),
)


@dataclass(frozen=True)
class Parts:
    """The network on its device, and its sizes."""

    config: Config
    network: Any
    facts: Mapping[str, Any]


def find(variant: Variant, settings: Settings, emit: Emit) -> Path:
    """The folder. Raises `CorruptWeights` where it lacks what is needed, and what `sources.find` does."""
    folder = sources.find(variant.repo_id, FILES, settings, emit)
    name = Path(variant.repo_id).name
    if not (folder / WEIGHTS).is_file() and any(file.suffix.lower() in PICKLES for file in folder.glob("*")):
        raise CorruptWeights(f"{name} {_PICKLE} {_NEEDED}")
    for file in FILES:
        if not (folder / file).is_file():
            raise CorruptWeights(f"{name} has no {file}. {_NEEDED}")
    return folder


def read(folder: Path, variant: Variant, emit: Emit) -> Parts:
    """The parts. Raises `CorruptWeights` for a configuration or weights of another model."""
    import torch
    from safetensors.torch import load_file

    emit(Progress(f"Loading {folder.name}"))
    try:
        config = read_config(folder)
    except (OSError, ValueError):
        raise CorruptWeights(f"{folder.name}'s {CONFIG} describes no model of the TripoSR class. {_NEEDED}") from None
    device = device_of(variant, machines.probe())
    weights = {renamed(name): value.float() for name, value in load_file(folder / WEIGHTS).items()}
    weights = {name: value for name, value in weights.items() if not name.startswith(f"{_VIT}pooler.")}
    try:
        reader = _reader(weights, config)
        with torch.device("meta"):
            network = built(config, reader)
        network.load_state_dict(weights, assign=True)
    except (RuntimeError, KeyError, ValueError, IndexError) as error:
        why = str(error).splitlines()[-1].strip()[:200]
        raise CorruptWeights(f"{folder.name}'s {WEIGHTS} doesn't fit its {CONFIG}: {why}. {_NEEDED}") from None
    versions = versions_of("torch", "diffusers", "transformers", "trimesh")
    facts = {"device": device, "dtype": "float32", "versions": versions}
    return Parts(config, network.eval().requires_grad_(False).to(device), facts)


def renamed(name: str) -> str:
    """A weight's name in the network, from that in the checkpoint."""
    if not name.startswith(_VIT):
        return name
    rest = name.removeprefix(_VIT)
    for old, new in _NAMES:
        rest = re.sub(old, new, rest)
    return _VIT + rest


def _reader(weights: dict[str, Any], config: Config) -> Any:
    """The ViT's configuration, which its weights tell; its places are stretched to the size of the picture."""
    from transformers import ViTConfig

    patches = weights[f"{_VIT}embeddings.patch_embeddings.projection.weight"]
    layers = {name.split(".")[3] for name in weights if name.startswith(f"{_VIT}layers.")}
    wide, patch = int(patches.shape[0]), int(patches.shape[-1])
    places = f"{_VIT}embeddings.position_embeddings"
    weights[places] = _stretched(weights[places], config.side // patch)
    return ViTConfig(
        hidden_size=wide, num_hidden_layers=len(layers), num_attention_heads=max(1, wide // _HEAD_WIDE),
        intermediate_size=int(weights[f"{_VIT}layers.0.mlp.fc1.weight"].shape[0]),
        image_size=config.side, patch_size=patch, layer_norm_eps=1e-12,
    )  # fmt: skip


def _stretched(places: Any, side: int) -> Any:
    """Embeddings of places (1, 1 + n, wide) for `side` patches along each side; the first is of no patch."""
    import torch

    had = round((places.shape[1] - 1) ** 0.5)
    if had == side:
        return places
    grid = places[:, 1:].unflatten(1, (had, had)).permute(0, 3, 1, 2)
    scale = (side + _NUDGE) / had
    grid = torch.nn.functional.interpolate(grid, scale_factor=(scale, scale), mode="bicubic", align_corners=False)
    return torch.cat([places[:, :1], grid.flatten(2).transpose(1, 2)], dim=1)
