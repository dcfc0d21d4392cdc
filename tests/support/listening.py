"""Listeners for tests: one that hears what it is told to, and Whisper with tiny random weights."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from shared.audio.listening.loaded import Written
from shared.audio.listening.rows import Listener
from shared.settings import Settings
from shared.streaming import Emit
from tests.support.tiny_models import save, tokenizer

HEARD: list[Written] = []  # what `Told` hears in each window
FAILS: list[Exception] = []  # what it raises first
ASKED: list[tuple[int, str | None]] = []  # samples and language of each window


class Told:
    """Keeps what it was asked, and writes down what stands in `HEARD`."""

    def __init__(self, listener: Listener, settings: Settings, emit: Emit) -> None:
        self.versions = {"told": "1"}
        ASKED.clear()

    def write(self, samples: Any, language: str | None, emit: Emit) -> Written:
        """See `Reader`."""
        if FAILS:
            raise FAILS.pop()
        ASKED.append((len(samples), language))
        return HEARD[len(ASKED) - 1]


def told(*languages: str) -> Listener:
    """A row for `Told`."""
    return Listener(
        id="told", name="Told", about="a test's", reader="tests.support.listening:Told", languages=languages,
        license="MIT", source="here",
    )  # fmt: skip


def whisper(folder: Path) -> Path:
    """Whisper, English alone."""
    import torch
    from transformers import WhisperConfig, WhisperForConditionalGeneration

    torch.manual_seed(1)
    reader = tokenizer(template=None)
    size = {"d_model": 16, "encoder_ffn_dim": 32, "decoder_ffn_dim": 32}
    heads = {"encoder_attention_heads": 2, "decoder_attention_heads": 2, "encoder_layers": 1, "decoder_layers": 1}
    config = WhisperConfig(
        vocab_size=len(reader), num_mel_bins=80, max_target_positions=400, pad_token_id=reader.pad_token_id,
        bos_token_id=reader.bos_token_id, eos_token_id=reader.eos_token_id,
        decoder_start_token_id=reader.bos_token_id, **size, **heads,
    )  # fmt: skip
    model = WhisperForConditionalGeneration(config)
    return save(folder, model, reader)
