"""Weights of the real classes that measure pictures, tiny or random, saved as the Hub has them."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from tests.support.tiny_pipelines import READS, WIDE, clip_tokenizer


def clip(folder: Path) -> Path:
    """A random CLIP that sees 32 pixels a side."""
    import torch
    from transformers import CLIPConfig, CLIPModel

    reader = clip_tokenizer()
    shape: dict[str, Any] = {
        "hidden_size": WIDE, "intermediate_size": 2 * WIDE, "num_hidden_layers": 2, "num_attention_heads": 2,
    }  # fmt: skip
    words = {
        "vocab_size": len(reader), "max_position_embeddings": READS, "bos_token_id": reader.bos_token_id,
        "eos_token_id": reader.eos_token_id, "pad_token_id": reader.pad_token_id,
    }  # fmt: skip
    config = CLIPConfig(
        text_config={**shape, **words}, vision_config={**shape, "image_size": 32, "patch_size": 8}, projection_dim=16
    )
    with torch.random.fork_rng():
        torch.manual_seed(0)
        CLIPModel(config).save_pretrained(folder)
    reader.save_pretrained(folder)
    return folder


def vgg(folder: Path) -> Path:
    """VGG16's convolutions as timm names them, at random."""
    import torch
    from safetensors.torch import save_file

    folder.mkdir()
    weights, channels, number = {}, 3, 0
    with torch.random.fork_rng():
        torch.manual_seed(0)
        for group in ((64, 64), (128, 128), (256, 256, 256), (512, 512, 512), (512, 512, 512)):
            for wide in group:
                weight = torch.randn(wide, channels, 3, 3) * (2 / (9 * channels)) ** 0.5
                weights[f"features.{number}.weight"] = weight.half()
                weights[f"features.{number}.bias"] = torch.zeros(wide, dtype=torch.float16)
                channels, number = wide, number + 2
            number += 1
    save_file(weights, folder / "model.safetensors")
    return folder
