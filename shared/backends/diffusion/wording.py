"""How much of a prompt a pipeline's text encoders read."""

from __future__ import annotations

import inspect
from typing import Any

_NO_LIMIT = 10**6


def unread(pipe: Any, prompt: str) -> str:
    """The end of a prompt that none of its text encoders reads."""
    tokenizer, limit = _longest_reader(pipe)
    if tokenizer is None or limit > _NO_LIMIT:
        return ""
    ids = tokenizer(prompt, add_special_tokens=False).input_ids
    room = limit - tokenizer.num_special_tokens_to_add()
    return str(tokenizer.decode(ids[room:])) if len(ids) > room else ""


def _longest_reader(pipe: Any) -> tuple[Any, int]:
    """The tokenizer that reads most, and how many tokens.

    CLIP reads what its tokenizer says; T5 and language models read what the pipeline says.
    """
    said = inspect.signature(pipe.__call__).parameters.get("max_sequence_length")
    for end in ("_3", "_2", ""):
        tokenizer, encoder = getattr(pipe, f"tokenizer{end}", None), getattr(pipe, f"text_encoder{end}", None)
        if tokenizer is None or encoder is None:
            continue
        if said is not None and not type(encoder).__name__.startswith("CLIP"):
            return tokenizer, int(said.default)
        if not end:
            return tokenizer, int(tokenizer.model_max_length)
    return None, 0
