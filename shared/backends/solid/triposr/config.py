"""What a TripoSR model's published `config.yaml` says of its sizes."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import Any

CONFIG = "config.yaml"
_MOST_BYTES = 100_000
_LARGEST = 8192  # of any size: far above any model's


@dataclass(frozen=True, kw_only=True)
class Config:
    """`side`: pixels of the picture that is read. `plane`: tokens along a side of each of three planes, each `wide`.

    `heads`, of `head_wide` numbers, `layers` and `read_wide` (of what the picture's reader tells): the transformer's.
    `features`: of a place in a plane, once that is twice as fine. `neurons`, `hidden`: the field's network. The field
    fills a cube from -`radius` to `radius`; its density is the exponential of what the network tells, plus `bias`.
    """

    side: int
    plane: int
    wide: int
    heads: int
    head_wide: int
    layers: int
    read_wide: int
    features: int
    neurons: int
    hidden: int
    radius: float
    bias: float


def read_config(folder: Path) -> Config:
    """Raises `ValueError` for what is no such configuration, `OSError` where there is none."""
    import yaml

    with (folder / CONFIG).open("rb") as file:
        data = file.read(_MOST_BYTES + 1)
    if len(data) > _MOST_BYTES:
        raise ValueError("size")
    try:
        return _checked(yaml.safe_load(data))
    except (yaml.YAMLError, KeyError, TypeError, AttributeError, RecursionError) as error:
        raise ValueError(str(error)) from None


def _checked(told: Any) -> Config:
    tokens, backbone, decoder, renderer = (told[name] for name in ("tokenizer", "backbone", "decoder", "renderer"))
    if renderer.get("density_activation", "exp") != "exp" or decoder.get("activation", "silu") != "silu":
        raise ValueError("another kind of field")
    sizes = {
        "side": told["cond_image_size"],
        "plane": tokens["plane_size"],
        "wide": tokens["num_channels"],
        "heads": backbone["num_attention_heads"],
        "head_wide": backbone["attention_head_dim"],
        "layers": backbone["num_layers"],
        "read_wide": backbone["cross_attention_dim"],
        "features": told["post_processor"]["out_channels"],
        "neurons": decoder["n_neurons"],
        "hidden": decoder["n_hidden_layers"],
    }
    if not all(isinstance(size, int) and 1 <= size <= _LARGEST for size in sizes.values()) or sizes["wide"] % 32:
        raise ValueError("sizes")
    radius, bias = float(renderer["radius"]), float(renderer["density_bias"])
    if not 0 < radius < 100 or not -100 < bias < 100:
        raise ValueError("renderer")
    return Config(**sizes, radius=radius, bias=bias)
