"""TripoSR's network: a picture becomes three planes of features, and of these is asked what stands at a place.

Tochilkin et al., "TripoSR: Fast 3D Object Reconstruction from a Single Image" (arXiv 2403.02151, 2024), after Hong et
al., "LRM" (ICLR 2024). A ViT (DINO's) reads the picture; learned tokens of three planes look at what it read, layer by
layer, and a small network tells density and colour from a place's features in the planes. The blocks are diffusers' and
the ViT is transformers'; parts are named as in the published checkpoint, but for the ViT's, which `reading.py` renames.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from shared.backends.solid.triposr.config import Config

_GROUPS, _EPSILON = 32, 1e-6
MEAN, DEVIATION = (0.485, 0.456, 0.406), (0.229, 0.224, 0.225)  # of ImageNet's pictures, red, green and blue
_PLANES = ((0, 1), (0, 2), (1, 2))  # which axes each plane lies in


def built(config: Config, reader: Any) -> Any:
    """The network with random weights, a `ModuleDict`. `reader`: transformers' configuration of the ViT."""
    import torch
    from diffusers.models.attention import BasicTransformerBlock
    from torch import nn
    from transformers import ViTModel

    inner = config.heads * config.head_wide
    blocks = [
        BasicTransformerBlock(inner, config.heads, config.head_wide, cross_attention_dim=config.read_wide)
        for _ in range(config.layers)
    ]
    field: list[Any] = []
    for wide in (3 * config.features, *[config.neurons] * (config.hidden - 1)):
        field += [nn.Linear(wide, config.neurons), nn.SiLU()]
    embeddings = nn.Parameter(torch.zeros(3, config.wide, config.plane, config.plane))
    return nn.ModuleDict(
        {
            "image_tokenizer": nn.ModuleDict({"model": ViTModel(reader, add_pooling_layer=False)}),
            "tokenizer": nn.ParameterDict({"embeddings": embeddings}),
            "backbone": nn.ModuleDict(
                {
                    "norm": nn.GroupNorm(_GROUPS, config.wide, eps=_EPSILON),
                    "proj_in": nn.Linear(config.wide, inner),
                    "transformer_blocks": nn.ModuleList(blocks),
                    "proj_out": nn.Linear(inner, config.wide),
                }
            ),
            "post_processor": nn.ModuleDict(
                {"upsample": nn.ConvTranspose2d(config.wide, config.features, kernel_size=2, stride=2)}
            ),
            "decoder": nn.ModuleDict({"layers": nn.Sequential(*field, nn.Linear(config.neurons, 4))}),
        }
    )


def planes_of(network: Any, picture: Any, step: Callable[[int], None]) -> Any:
    """The three planes (3, features, 2 plane, 2 plane) of a picture (3, side, side) of 0 to 1.

    `step` is told how many layers are done.
    """
    import torch

    mean, deviation = (torch.tensor(each, device=picture.device)[:, None, None] for each in (MEAN, DEVIATION))
    read = network["image_tokenizer"]["model"](((picture - mean) / deviation)[None]).last_hidden_state
    learned, backbone = network["tokenizer"]["embeddings"], network["backbone"]
    step(0)
    tokens = learned.transpose(0, 1).flatten(1)[None]  # (1, wide, 3 planes one after another)
    hidden = backbone["proj_in"](backbone["norm"](tokens).transpose(1, 2))
    for number, block in enumerate(backbone["transformer_blocks"], start=1):
        hidden = block(hidden, encoder_hidden_states=read)
        step(number)
    told = (backbone["proj_out"](hidden).transpose(1, 2) + tokens)[0]
    return network["post_processor"]["upsample"](told.unflatten(1, (3, *learned.shape[2:])).transpose(0, 1))


def asked(network: Any, planes: Any, places: Any) -> tuple[Any, Any]:
    """What the network tells of places (n, 3) in the cube from -1 to 1: the logarithm of their density (n), but for the
    bias, and their colours (n, 3), 0 to 1."""
    import torch

    flat = torch.stack([places[:, axes] for axes in _PLANES])[:, None]  # (3, 1, n, 2)
    features = torch.nn.functional.grid_sample(planes, flat, align_corners=False)[:, :, 0]
    told = network["decoder"]["layers"](features.flatten(0, 1).T)
    return told[:, 0], told[:, 1:].sigmoid()
