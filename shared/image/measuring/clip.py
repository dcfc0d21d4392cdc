"""CLIP: pictures and words as points of one space, for CLIP scores and as features of sets of pictures.

Radford et al. 2021 (https://arxiv.org/abs/2103.00020); the score is Hessel et al. 2021's (https://arxiv.org/abs/2104.08718)
without its factor, on a scale to 100, as most reports have it.
"""

from __future__ import annotations

import json
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from shared.errors import BackendError, CorruptWeights
from shared.image.measuring import sources
from shared.media.opening import open_picture
from shared.requests import ImagePart
from shared.settings import Settings
from shared.streaming import Emit

USUAL = "openai/clip-vit-large-patch14"
FILES = ("model*.safetensors", "*.json", "*.txt")
_BATCH = 8
# What OpenAI's models were trained with, where a folder doesn't say it.
_MEAN, _STD = (0.48145466, 0.4578275, 0.40821073), (0.26862954, 0.26130258, 0.27577711)


@dataclass(frozen=True)
class Clip:
    """A CLIP model in memory. `called`: what a person calls it."""

    model: Any
    tokenizer: Any
    called: str
    mean: Sequence[float] = _MEAN
    std: Sequence[float] = _STD

    def pictures(self, parts: Sequence[ImagePart], emit: Emit) -> Any:
        """Tensor (pictures, features), each of length 1."""
        import torch

        found = []
        for at in range(0, len(parts), _BATCH):
            emit.check()
            batch = torch.stack([self._seen(part) for part in parts[at : at + _BATCH]])
            with torch.inference_mode():
                found.append(_projected(self.model.get_image_features(pixel_values=batch)))
        return torch.nn.functional.normalize(torch.cat(found).float(), dim=-1)

    def words(self, text: str) -> Any:
        """Tensor (1, features) of length 1; what the model doesn't read, behind its 77 tokens, is cut off."""
        import torch

        most = self.model.config.text_config.max_position_embeddings
        ids = self.tokenizer([text], truncation=True, max_length=most, return_tensors="pt")
        with torch.inference_mode():
            found = _projected(self.model.get_text_features(**ids))
        return torch.nn.functional.normalize(found.float(), dim=-1)

    def _seen(self, part: ImagePart) -> Any:
        """The middle of the picture, at the size that the model sees."""
        import numpy
        import torch
        from PIL import Image, ImageOps

        side = self.model.config.vision_config.image_size
        flat = Image.new("RGB", (picture := open_picture(part.data)).size, "white")
        flat.paste(picture.convert("RGB"), mask=picture.getchannel("A") if picture.mode == "RGBA" else None)
        middle = ImageOps.fit(flat, (side, side), Image.Resampling.BICUBIC)
        pixels = (numpy.asarray(middle, numpy.float32) / 255 - self.mean) / self.std
        return torch.from_numpy(pixels.astype(numpy.float32)).permute(2, 0, 1)


def score(pictures: Any, words: Any) -> list[float]:
    """CLIP score of each picture: 100 max(cos, 0)."""
    return [100 * max(float(value), 0.0) for value in (pictures @ words.T).flatten()]


def load(name: str, settings: Settings, emit: Emit) -> Clip:
    """The model by a Hub id or a folder. Raises what `sources.find` raises, and `BackendError` where it is none."""
    folder = sources.find(name, FILES, settings, emit)
    from transformers import AutoTokenizer, CLIPModel

    called = Path(name.strip()).name
    safe: dict[str, Any] = {"local_files_only": True, "trust_remote_code": False}
    reader: Any = CLIPModel
    try:
        model, info = reader.from_pretrained(folder, use_safetensors=True, output_loading_info=True, **safe)
        tokenizer = AutoTokenizer.from_pretrained(folder, **safe)
    except (OSError, ValueError, KeyError, RuntimeError, TypeError, AttributeError) as error:
        raise BackendError(f"{called} is no CLIP model that can be read here. Choose another one.") from error
    if info["missing_keys"]:
        raise CorruptWeights(f"{called} is no whole CLIP model. Choose another, or download it again.")
    return Clip(model.eval(), tokenizer, called, *_scale(folder))


def _scale(folder: Path) -> tuple[Sequence[float], Sequence[float]]:
    try:
        said = json.loads((folder / "preprocessor_config.json").read_text("utf-8"))
        mean, std = (tuple(float(value) for value in said[name]) for name in ("image_mean", "image_std"))
    except (OSError, ValueError, KeyError, TypeError):
        return _MEAN, _STD
    return (mean, std) if len(mean) == len(std) == 3 and min(std) > 0 else (_MEAN, _STD)


def _projected(output: Any) -> Any:
    return output if hasattr(output, "shape") else output.pooler_output
