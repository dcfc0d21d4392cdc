"""The text side: a tokenizer learnt from the captions, and an untrained text encoder, both of CLIP's classes."""

from __future__ import annotations

import json
from collections.abc import Iterable

from tokenizers import Tokenizer, models, trainers
from tokenizers.pre_tokenizers import ByteLevel
from transformers import CLIPTextConfig, CLIPTextModel, CLIPTokenizer

LENGTH = 24  # tokens of a prompt, its two ends included
WIDTH, LAYERS, VOCABULARY = 256, 2, 4500
START, END = "<|startoftext|>", "<|endoftext|>"


def learn_tokenizer(captions: Iterable[str]) -> CLIPTokenizer:
    """A byte-level BPE in CLIP's form: common words are one token, unknown ones fall into pieces."""
    form = CLIPTokenizer(vocab={START: 0, END: 1}, merges=[]).backend_tokenizer
    learner = Tokenizer(models.BPE(end_of_word_suffix="</w>", continuing_subword_prefix=""))
    learner.normalizer, learner.pre_tokenizer = form.normalizer, form.pre_tokenizer
    alphabet = sorted(ByteLevel.alphabet())
    trainer = trainers.BpeTrainer(
        vocab_size=VOCABULARY,
        special_tokens=[START, END],
        initial_alphabet=alphabet,
        end_of_word_suffix="</w>",
        show_progress=False,
    )
    learner.train_from_iterator(captions, trainer)
    merges = _merges(learner)
    # CLIP also wants each letter as the end of a word.
    vocabulary = {START: 0, END: 1}
    for piece in [*alphabet, *(c + "</w>" for c in alphabet), *("".join(m) for m in merges)]:
        vocabulary.setdefault(piece, len(vocabulary))
    return CLIPTokenizer(vocab=vocabulary, merges=merges, model_max_length=LENGTH)


def _merges(learner: Tokenizer) -> list[tuple[str, str]]:
    return [(left, right) for left, right in json.loads(learner.to_str())["model"]["merges"]]


def build_encoder(tokenizer: CLIPTokenizer) -> CLIPTextModel:
    """The untrained text encoder."""
    config = CLIPTextConfig(
        vocab_size=len(tokenizer),
        hidden_size=WIDTH,
        intermediate_size=4 * WIDTH,
        num_hidden_layers=LAYERS,
        num_attention_heads=4,
        max_position_embeddings=LENGTH,
        projection_dim=WIDTH,
        bos_token_id=tokenizer.bos_token_id,
        eos_token_id=tokenizer.eos_token_id,
        pad_token_id=tokenizer.pad_token_id,
        hidden_act="gelu",
    )
    return CLIPTextModel(config)
