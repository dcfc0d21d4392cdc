"""LPIPS: how different two pictures look, by what a network trained on photographs sees (Zhang et al. 2018).

https://arxiv.org/abs/1801.03924, with VGG16 (Simonyan & Zisserman 2015). The network's weights are a safetensors file
of timm's on the Hub; the small learned weights over its layers come with torchmetrics.
"""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import Any

from shared.errors import BackendError, CorruptWeights
from shared.image.measuring import sources
from shared.media.opening import open_picture
from shared.requests import ImagePart
from shared.settings import Settings
from shared.streaming import Emit

USUAL = "timm/vgg16.tv_in1k"
FILES = ("model.safetensors", "config.json")
# VGG16's layers: channels of each convolution, and M where sides are halved. LPIPS looks after each group.
_GROUPS = ((64, 64), (128, 128), (256, 256, 256), (512, 512, 512), (512, 512, 512))
# ImageNet's mean and spread for pixels of -1 to 1, as LPIPS has them.
_SHIFT, _SCALE = (-0.030, -0.088, -0.188), (0.458, 0.448, 0.450)


class Lpips:
    """The network and the weights over its layers."""

    def __init__(self, groups: Sequence[Any], heads: Sequence[Any]) -> None:
        self._groups, self._heads = groups, heads

    def __call__(self, one: ImagePart, other: ImagePart) -> float | None:
        """0 for equal pictures, and more the less alike they look; None where their sizes differ."""
        import torch

        first, second = _pixels(one), _pixels(other)
        if first.shape != second.shape or min(first.shape[2:]) < 16:
            return None
        total = 0.0
        with torch.inference_mode():
            for group, head in zip(self._groups, self._heads, strict=True):
                first, second = group(first), group(second)
                apart = (_length_one(first) - _length_one(second)).square()
                total += float((apart * head).sum(1).mean())
        return total


def load(name: str, settings: Settings, emit: Emit) -> Lpips:
    """By a Hub id or a folder. Raises what `sources.find` raises, and `CorruptWeights` where it is no VGG16."""
    folder = sources.find(name, FILES, settings, emit)
    file = folder / "model.safetensors"
    if not file.is_file():
        raise BackendError(f"{Path(name).name} holds no model.safetensors. Choose VGG16's weights as timm saves them.")
    return Lpips(_network(file), _heads())


def _network(file: Path) -> list[Any]:
    import torch
    from safetensors import SafetensorError, safe_open

    layers: list[Any] = []
    groups, channels, number = [], 3, 0
    try:
        with safe_open(file, framework="pt") as weights:
            for group in _GROUPS:
                for wide in group:
                    convolution = torch.nn.Conv2d(channels, wide, 3, padding=1)
                    given = {n: weights.get_tensor(f"features.{number}.{n}").float() for n in ("weight", "bias")}
                    convolution.load_state_dict(given)
                    layers += [convolution, torch.nn.ReLU()]
                    channels, number = wide, number + 2
                groups.append(torch.nn.Sequential(*layers).eval())
                layers, number = [torch.nn.MaxPool2d(2)], number + 1
    except (SafetensorError, RuntimeError) as error:
        raise CorruptWeights(f"{file.name} doesn't hold VGG16's weights as timm saves them. Choose another.") from error
    return groups


def _heads() -> list[Any]:
    """Weights (1, channels, 1, 1) for each group, as torchmetrics' file holds them; nothing in it is run."""
    import torch
    import torchmetrics

    file = Path(torchmetrics.__file__).parent / "functional" / "image" / "lpips_models" / "vgg.pth"
    found = torch.load(file, map_location="cpu", weights_only=True)
    return [found[f"lin{number}.model.1.weight"] for number in range(len(_GROUPS))]


def _length_one(features: Any) -> Any:
    return features / (features.square().sum(1, keepdim=True).sqrt() + 1e-10)


def _pixels(part: ImagePart) -> Any:
    """Tensor (1, 3, rows, columns), scaled as the network knows pictures."""
    import numpy
    import torch

    pixels = torch.from_numpy(numpy.array(open_picture(part.data).convert("RGB"))).permute(2, 0, 1)[None].float()
    shift, scale = (torch.tensor(values).view(1, 3, 1, 1) for values in (_SHIFT, _SCALE))
    return (pixels / 127.5 - 1 - shift) / scale
