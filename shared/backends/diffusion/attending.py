"""Looks on while a U-Net attends to the words, and keeps where in the picture each word was looked for.

The layers are watched from outside, and their queries and keys are computed a second time: the picture stays the same
to the last bit. Averaging over heads and steps is Hertz et al. 2022 (https://arxiv.org/abs/2208.01626); over layers of
all sizes, Tang et al. 2023 (https://arxiv.org/abs/2210.04885).
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from typing import Any

from shared.outputs import AttentionMaps

UNWATCHED = "This model mixes words and picture in one attention of its own; only U-Nets can be looked into here."
_WORD = re.compile(r"\w[\w'’-]*")


class Watch:
    """What was seen so far: for each size of layer, the sum of its maps and how many there were."""

    def __init__(self, pipe: Any, size: tuple[int, int]) -> None:
        self._pipe = pipe
        block = int(getattr(pipe, "vae_scale_factor", 8))
        self._latent = (size[1] // block, size[0] // block)
        self._sums: dict[int, Any] = {}
        self._counts: dict[int, int] = {}

    def see(self, layer: Any, args: tuple[Any, ...], given: dict[str, Any]) -> None:
        """Note one layer's attention; a hook of torch's, called before the layer runs."""
        picture = given.get("hidden_states", args[0] if args else None)
        words = given.get("encoder_hidden_states", args[1] if len(args) > 1 else None)
        if words is None or picture is None or picture.ndim != 3 or not hasattr(words, "ndim"):
            return
        # With guidance there are two of everything, and the one with the words comes last.
        queries, keys = (layer.head_to_batch_dim(part) for part in (layer.to_q(picture[-1:]), layer.to_k(words[-1:])))
        shares = layer.get_attention_scores(queries, keys).float().mean(0).cpu()
        patches = shares.shape[0]
        self._sums[patches] = shares if patches not in self._sums else self._sums[patches] + shares
        self._counts[patches] = self._counts.get(patches, 0) + 1

    def maps(self, prompt: str) -> AttentionMaps | None:
        """What was seen of each word of the prompt that the model reads; None where nothing was."""
        words = _words(getattr(self._pipe, "tokenizer", None), prompt) if self._sums else []
        by_size: dict[tuple[int, int], Any] = {}
        for patches, total in self._sums.items():
            shape = _shape(patches, self._latent)
            if shape and words:
                mean = (total / self._counts[patches]).T.reshape(-1, *shape)
                by_size[shape] = _stacked(mean, words)
        return AttentionMaps(words=tuple(word for word, _ in words), by_size=by_size) if by_size else None


@contextmanager
def watching(pipe: Any, size: tuple[int, int], *, wanted: bool) -> Iterator[Watch]:
    """Watch the pipeline's cross-attention within the block, where that is wanted. `size`: width and height."""
    watch = Watch(pipe, size)
    with ExitStack() as stack:
        for layer in _layers(pipe) if wanted else ():
            stack.callback(layer.register_forward_pre_hook(watch.see, with_kwargs=True).remove)
        yield watch


def _layers(pipe: Any) -> list[Any]:
    from diffusers.models.attention_processor import Attention

    parts: Any = getattr(getattr(pipe, "unet", None), "modules", list)
    return [part for part in parts() if isinstance(part, Attention)]


def _shape(patches: int, latent: tuple[int, int]) -> tuple[int, int] | None:
    """Rows and columns of a layer of so many patches: each level of a U-Net halves the sides, rounding up."""
    rows, columns = latent
    while rows * columns > patches and rows * columns > 1:
        rows, columns = (rows + 1) // 2, (columns + 1) // 2
    return (rows, columns) if rows * columns == patches else None


def _words(tokenizer: Any, prompt: str) -> list[tuple[str, list[int]]]:
    """The prompt's words, and the places of each one's tokens; words that are cut off are left out."""
    if not getattr(tokenizer, "is_fast", False):
        return []
    read = tokenizer(prompt, return_offsets_mapping=True, truncation=True, max_length=tokenizer.model_max_length)
    spans = list(enumerate(read["offset_mapping"]))
    found = (
        (match.group(), [i for i, (begin, end) in spans if begin < match.end() and end > match.start()])
        for match in _WORD.finditer(prompt)
    )
    return [(word, places) for word, places in found if places]


def _stacked(mean: Any, words: list[tuple[str, list[int]]]) -> Any:
    """Array (words, rows, columns) of each word's share: that of its tokens together."""
    import torch

    return torch.stack([mean[places].sum(0) for _, places in words]).numpy()
