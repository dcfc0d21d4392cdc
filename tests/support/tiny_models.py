"""Tiny random models of real families, saved as a person would find them: safetensors, tokenizer, chat template."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

TEXT = (
    "The quick brown fox jumps over the lazy dog. Once upon a time a small robot learned to read, to write and to "
    "draw. Café, naïve, Ærøskøbing, 東京の空は青い。 Emoji: 🦊🌙✨. Numbers 0123456789 and more words to learn from."
)
TEMPLATE = (
    "{% for message in messages %}<|{{ message['role'] }}|>{{ message['content'] }}"
    "{% if not loop.last or add_generation_prompt %}</s>{% endif %}{% endfor %}"
    "{% if add_generation_prompt %}<|assistant|>{% endif %}"
)
SEEING_TEMPLATE = (
    "{% for message in messages %}<|{{ message['role'] }}|>{% for part in message['content'] %}"
    "{% if part['type'] == 'image' %}<image>{% else %}{{ part['text'] }}{% endif %}{% endfor %}</s>{% endfor %}"
    "{% if add_generation_prompt %}<|assistant|>{% endif %}"
)
SPECIAL = ["<s>", "</s>", "<pad>", "<|user|>", "<|assistant|>", "<|system|>", "<image>"]


def tokenizer(template: str | None = TEMPLATE, kind: str = "bytes") -> Any:
    """A tokenizer trained on a few lines: byte-level BPE, or SentencePiece's way with spaces (`kind="spaces"`)."""
    from tokenizers import Tokenizer, decoders, models, normalizers, pre_tokenizers, trainers
    from transformers import PreTrainedTokenizerFast

    core = Tokenizer(models.BPE(byte_fallback=kind == "spaces", unk_token="<s>" if kind == "spaces" else None))
    alphabet: list[str] = []
    if kind == "bytes":
        core.pre_tokenizer, core.decoder = pre_tokenizers.ByteLevel(add_prefix_space=False), decoders.ByteLevel()
        alphabet = pre_tokenizers.ByteLevel.alphabet()
    else:
        core.normalizer = normalizers.Sequence([normalizers.Prepend("▁"), normalizers.Replace(" ", "▁")])
        core.decoder = decoders.Sequence(
            [decoders.Replace("▁", " "), decoders.ByteFallback(), decoders.Fuse(), decoders.Strip(" ", 1, 0)]
        )
    fallback = [f"<0x{byte:02X}>" for byte in range(256)] if kind == "spaces" else []
    trainer = trainers.BpeTrainer(
        vocab_size=640, special_tokens=SPECIAL + fallback, initial_alphabet=alphabet, show_progress=False
    )
    core.train_from_iterator([TEXT] * 4, trainer)
    made = PreTrainedTokenizerFast(
        tokenizer_object=core, bos_token="<s>", eos_token="</s>", pad_token="<pad>", model_max_length=256
    )
    made.add_special_tokens({"additional_special_tokens": SPECIAL[3:]})
    made.chat_template = template
    return made


def save(folder: Path, model: Any, reader: Any) -> Path:
    """The model and its tokenizer or processor in the folder, weights as safetensors."""
    model.eval().save_pretrained(folder)
    reader.save_pretrained(folder)
    return folder


def _ids(reader: Any) -> dict[str, int]:
    return {
        "vocab_size": len(reader),
        "bos_token_id": reader.bos_token_id,
        "eos_token_id": reader.eos_token_id,
        "pad_token_id": reader.pad_token_id,
    }


_SIZE = {
    "hidden_size": 32,
    "intermediate_size": 64,
    "num_hidden_layers": 2,
    "num_attention_heads": 4,
    "num_key_value_heads": 2,
    "max_position_embeddings": 256,
}


def llama(folder: Path, **tokenizer_options: Any) -> Path:
    """A decoder of the commonest family."""
    from transformers import LlamaConfig, LlamaForCausalLM

    reader = tokenizer(**tokenizer_options)
    return save(folder, LlamaForCausalLM(LlamaConfig(**_SIZE, **_ids(reader))), reader)


def qwen3(folder: Path) -> Path:
    """A decoder that normalizes its queries and keys."""
    from transformers import Qwen3Config, Qwen3ForCausalLM

    reader = tokenizer()
    return save(folder, Qwen3ForCausalLM(Qwen3Config(**_SIZE, **_ids(reader), head_dim=8)), reader)


def gemma3(folder: Path) -> Path:
    """A decoder whose layers take turns between the whole text and a short window of it."""
    from transformers import Gemma3ForCausalLM, Gemma3TextConfig

    reader = tokenizer()
    config = Gemma3TextConfig(**_SIZE, **_ids(reader), head_dim=8, sliding_window=8, sliding_window_pattern=2)
    return save(folder, Gemma3ForCausalLM(config), reader)


def mixtral(folder: Path) -> Path:
    """A mixture of experts."""
    from transformers import MixtralConfig, MixtralForCausalLM

    reader = tokenizer()
    config = MixtralConfig(**_SIZE, **_ids(reader), num_local_experts=4, num_experts_per_tok=2)
    return save(folder, MixtralForCausalLM(config), reader)


def mamba(folder: Path) -> Path:
    """A state-space model: no attention, no limit to its context."""
    from transformers import MambaConfig, MambaForCausalLM

    reader = tokenizer(template=None)
    config = MambaConfig(hidden_size=32, num_hidden_layers=2, state_size=8, **_ids(reader))
    return save(folder, MambaForCausalLM(config), reader)


def t5(folder: Path) -> Path:
    """An encoder-decoder, as CodeT5 is."""
    from transformers import T5Config, T5ForConditionalGeneration

    reader = tokenizer(template=None, kind="spaces")
    config = T5Config(**_ids(reader), d_model=32, d_ff=64, d_kv=8, num_layers=2, num_heads=4, decoder_start_token_id=2)
    return save(folder, T5ForConditionalGeneration(config), reader)


def llava(folder: Path) -> Path:
    """A model that sees: a tiny CLIP eye before a tiny Llama."""
    from transformers import (
        CLIPImageProcessor,
        CLIPVisionConfig,
        LlamaConfig,
        LlavaConfig,
        LlavaForConditionalGeneration,
        LlavaProcessor,
    )

    reader = tokenizer(template=SEEING_TEMPLATE)
    image = reader.convert_tokens_to_ids("<image>")
    eye = CLIPVisionConfig(
        hidden_size=32, intermediate_size=64, num_hidden_layers=2, num_attention_heads=4, image_size=28, patch_size=14
    )
    config = LlavaConfig(
        vision_config=eye, text_config=LlamaConfig(**_SIZE, **_ids(reader)), image_token_index=image,
        vision_feature_layer=-1,
    )  # fmt: skip
    size = {"height": 28, "width": 28}
    processor = LlavaProcessor(
        image_processor=CLIPImageProcessor(size=size, crop_size=size),
        tokenizer=reader,
        patch_size=14,
        vision_feature_select_strategy="default",
        num_additional_image_tokens=1,
        image_token="<image>",
        chat_template=SEEING_TEMPLATE,
    )
    return save(folder, LlavaForConditionalGeneration(config), processor)


def lora(folder: Path, base: Path) -> Path:
    """An adapter for the Llama at `base`, strong enough to change what it says."""
    import torch
    from peft import LoraConfig, get_peft_model
    from transformers import AutoModelForCausalLM

    torch.manual_seed(3)
    model = AutoModelForCausalLM.from_pretrained(base)
    config = LoraConfig(r=4, lora_alpha=64, target_modules=["q_proj", "v_proj"], init_lora_weights=False)
    get_peft_model(model, config).save_pretrained(folder)
    return folder


FAMILIES: dict[str, Callable[[Path], Path]] = {"llama": llama, "mixtral": mixtral, "mamba": mamba, "t5": t5}


def edit_json(path: Path, **changes: Any) -> None:
    """Change some keys of a JSON file."""
    path.write_text(json.dumps({**json.loads(path.read_text()), **changes}), encoding="utf-8")
