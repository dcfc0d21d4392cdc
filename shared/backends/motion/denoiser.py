"""The network of MDM: a transformer over the frames, told the step and the words by one more token before them.

Tevet et al., "Human Motion Diffusion Model" (arXiv 2209.14916, ICLR 2023). It guesses the clean motion. The parts are
named as in the published checkpoints, so that a converted one needs no new names.
"""

from __future__ import annotations

import math
from typing import TYPE_CHECKING, Any

from shared.motion.features import FEATURES

if TYPE_CHECKING:
    from shared.backends.motion.reading import Config


def built(config: Config, text_wide: int) -> Any:
    """The network with random weights, a `ModuleDict`. `text_wide`: numbers that CLIP tells a text in."""
    from torch import nn

    wide = config.latent_dim
    layer = nn.TransformerEncoderLayer(
        wide, config.num_heads, config.ff_size, dropout=0.1, activation="gelu", batch_first=True
    )
    steps = nn.Sequential(nn.Linear(wide, wide), nn.SiLU(), nn.Linear(wide, wide))
    return nn.ModuleDict(
        {
            "input_process": nn.ModuleDict({"poseEmbedding": nn.Linear(FEATURES, wide)}),
            "embed_text": nn.Linear(text_wide, wide),
            "embed_timestep": nn.ModuleDict({"time_embed": steps}),
            "seqTransEncoder": nn.TransformerEncoder(layer, config.num_layers, enable_nested_tensor=False),
            "output_process": nn.ModuleDict({"poseFinal": nn.Linear(wide, FEATURES)}),
        }
    )


def guessed(network: Any, noisy: Any, step: Any, words: Any) -> Any:
    """Clean features of noisy ones, both (batch, frames, 263) and brought to mean 0 and deviation 1.

    `step`: numbers (batch) of the training's steps. `words`: CLIP's embeddings (batch, wide), zeros for none.
    """
    import torch

    seen = network["input_process"]["poseEmbedding"](noisy)
    wide = seen.shape[-1]
    told = network["embed_timestep"]["time_embed"](_waves(step, wide)) + network["embed_text"](words)
    tokens = torch.cat([told[:, None], seen], dim=1)
    order = torch.arange(tokens.shape[1], device=tokens.device)
    return network["output_process"]["poseFinal"](network["seqTransEncoder"](tokens + _waves(order, wide))[:, 1:])


def _waves(numbers: Any, wide: int) -> Any:
    """Sines and cosines in turn (n, wide) of whole numbers (n), as transformers tell places by."""
    import torch

    rates = torch.exp(torch.arange(0, wide, 2, device=numbers.device) * (-math.log(10000.0) / wide))
    angles = numbers.float()[:, None] * rates
    return torch.stack([angles.sin(), angles.cos()], dim=-1).flatten(1)
