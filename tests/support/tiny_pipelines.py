"""Tiny random diffusers pipelines of the real classes, saved as a person would find them. Two pixels a latent."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

from tests.support.tiny_models import TEMPLATE, TEXT

PIXELS = 32  # a side of what they draw by themselves
READS = 32  # tokens of a prompt that CLIP reads here, its two ends included; a letter is a token
WIDE = 32  # numbers a token is told in


def clip_tokenizer() -> Any:
    """CLIP's, with a token for each letter and no merges."""
    from tokenizers.pre_tokenizers import ByteLevel
    from transformers import CLIPTokenizer

    letters = sorted(ByteLevel.alphabet())
    pieces = ["<|startoftext|>", "<|endoftext|>", *letters, *(letter + "</w>" for letter in letters)]
    return CLIPTokenizer(vocab={piece: i for i, piece in enumerate(pieces)}, merges=[], model_max_length=READS)


def clip(reader: Any, size: int = WIDE, *, projected: bool = False) -> Any:
    """CLIP's text encoder, with the projection that larger models also read."""
    from transformers import CLIPTextConfig, CLIPTextModel, CLIPTextModelWithProjection

    config = CLIPTextConfig(
        vocab_size=len(reader), hidden_size=size, intermediate_size=2 * size, num_hidden_layers=2,
        num_attention_heads=2, max_position_embeddings=READS, projection_dim=size, hidden_act="gelu",
        bos_token_id=reader.bos_token_id, eos_token_id=reader.eos_token_id, pad_token_id=reader.pad_token_id,
    )  # fmt: skip
    return (CLIPTextModelWithProjection if projected else CLIPTextModel)(config)


def autoencoder(channels: int = 4, **more: Any) -> Any:
    """Stable Diffusion's, and of every family after it."""
    from diffusers import AutoencoderKL

    return AutoencoderKL(
        block_out_channels=(16, 16), norm_num_groups=4, latent_channels=channels, sample_size=PIXELS,
        down_block_types=("DownEncoderBlock2D",) * 2, up_block_types=("UpDecoderBlock2D",) * 2, **more,
    )  # fmt: skip


def autoencoder_tiny() -> Any:
    """The one that is quick enough for previews."""
    from diffusers import AutoencoderTiny

    return AutoencoderTiny(
        encoder_block_out_channels=(16, 16), decoder_block_out_channels=(16, 16),
        num_encoder_blocks=(1, 1), num_decoder_blocks=(1, 1), latent_channels=4,
    )  # fmt: skip


def unet(**more: Any) -> Any:
    """A U-Net of two levels, the lower of which attends to the words."""
    from diffusers import UNet2DConditionModel

    settings: dict[str, Any] = {"cross_attention_dim": WIDE, "attention_head_dim": 8, **more}
    return UNet2DConditionModel(
        sample_size=PIXELS // 2, block_out_channels=(16, 32), layers_per_block=1, norm_num_groups=8,
        down_block_types=("DownBlock2D", "CrossAttnDownBlock2D"), up_block_types=("CrossAttnUpBlock2D", "UpBlock2D"),
        **settings,
    )  # fmt: skip


def noise_schedule() -> Any:
    """Stable Diffusion's, of a thousand steps."""
    from diffusers import DPMSolverMultistepScheduler

    return DPMSolverMultistepScheduler(
        beta_start=0.00085, beta_end=0.012, beta_schedule="scaled_linear", steps_offset=1
    )


def stable_diffusion(folder: Path, *, vae: Any = None, more: dict[str, Any] | None = None) -> Path:
    """Stable Diffusion 1.5. `more`: of its U-Net's settings."""
    from diffusers import StableDiffusionPipeline

    reader = clip_tokenizer()
    pipe = StableDiffusionPipeline(
        vae=vae or autoencoder(), text_encoder=clip(reader), tokenizer=reader, unet=unet(**more or {}),
        scheduler=noise_schedule(), safety_checker=None, feature_extractor=None, requires_safety_checker=False,
    )  # fmt: skip
    return _save(pipe, folder)


def stable_diffusion_tiny(folder: Path) -> Path:
    """Stable Diffusion 1.5 with the quick autoencoder."""
    return stable_diffusion(folder, vae=autoencoder_tiny())


def latent_consistency(folder: Path) -> Path:
    """LCM Dreamshaper's kind: Stable Diffusion whose U-Net is told the guidance."""
    from diffusers import LatentConsistencyModelPipeline, LCMScheduler

    reader = clip_tokenizer()
    pipe = LatentConsistencyModelPipeline(
        vae=autoencoder(), text_encoder=clip(reader), tokenizer=reader, unet=unet(time_cond_proj_dim=16),
        scheduler=LCMScheduler(beta_start=0.00085, beta_end=0.012, beta_schedule="scaled_linear"),
        safety_checker=None, feature_extractor=None, requires_safety_checker=False,
    )  # fmt: skip
    return _save(pipe, folder)


def sdxl(folder: Path) -> Path:
    """Stable Diffusion XL: two text encoders, and a U-Net that is told sizes too."""
    from diffusers import StableDiffusionXLPipeline

    reader, times = clip_tokenizer(), 8
    told = {"addition_embed_type": "text_time", "addition_time_embed_dim": times, "cross_attention_dim": 2 * WIDE}
    pipe = StableDiffusionXLPipeline(
        vae=autoencoder(), text_encoder=clip(reader), text_encoder_2=clip(reader, projected=True),
        tokenizer=reader, tokenizer_2=reader, scheduler=noise_schedule(),
        unet=unet(**told, projection_class_embeddings_input_dim=6 * times + WIDE),
    )  # fmt: skip
    return _save(pipe, folder)


def t5_tokenizer() -> Any:
    """T5's, trained on a few lines."""
    from tokenizers import Tokenizer, models, pre_tokenizers, trainers
    from transformers import T5Tokenizer

    core = Tokenizer(models.Unigram())
    core.pre_tokenizer = pre_tokenizers.Metaspace()
    trainer = trainers.UnigramTrainer(
        vocab_size=200, special_tokens=["<pad>", "</s>", "<unk>"], unk_token="<unk>", show_progress=False
    )
    core.train_from_iterator([TEXT.lower()] * 4, trainer)
    pieces = json.loads(core.to_str())["model"]["vocab"]
    return T5Tokenizer(vocab=[(piece, score) for piece, score in pieces], extra_ids=0)


def t5(reader: Any) -> Any:
    """T5's encoder."""
    from transformers import T5Config, T5EncoderModel

    return T5EncoderModel(T5Config(vocab_size=len(reader), d_model=WIDE, d_ff=64, d_kv=8, num_layers=2, num_heads=4))


def sd3(folder: Path) -> Path:
    """Stable Diffusion 3.5: three text encoders."""
    from diffusers import FlowMatchEulerDiscreteScheduler, SD3Transformer2DModel, StableDiffusion3Pipeline

    reader, reader_3, half = clip_tokenizer(), t5_tokenizer(), WIDE // 2
    pipe = StableDiffusion3Pipeline(
        vae=autoencoder(16, scaling_factor=1.5, shift_factor=0.06),
        scheduler=FlowMatchEulerDiscreteScheduler(shift=3.0),
        text_encoder=clip(reader, half, projected=True), text_encoder_2=clip(reader, half, projected=True),
        text_encoder_3=t5(reader_3), tokenizer=reader, tokenizer_2=reader, tokenizer_3=reader_3,
        transformer=SD3Transformer2DModel(
            sample_size=PIXELS // 2, patch_size=1, in_channels=16, out_channels=16, num_layers=2, attention_head_dim=8,
            num_attention_heads=4, caption_projection_dim=32, joint_attention_dim=WIDE, pooled_projection_dim=WIDE,
            pos_embed_max_size=32, qk_norm="rms_norm",
        ),
    )  # fmt: skip
    return _save(pipe, folder)


def flux(folder: Path, *, guidance: bool = True) -> Path:
    """FLUX.1: dev is told its guidance, schnell has none."""
    from diffusers import FlowMatchEulerDiscreteScheduler, FluxPipeline, FluxTransformer2DModel

    reader, reader_2 = clip_tokenizer(), t5_tokenizer()
    pipe = FluxPipeline(
        vae=autoencoder(scaling_factor=0.36, shift_factor=0.12), text_encoder=clip(reader), tokenizer=reader,
        text_encoder_2=t5(reader_2), tokenizer_2=reader_2,
        scheduler=FlowMatchEulerDiscreteScheduler(shift=3.0, use_dynamic_shifting=guidance),
        transformer=FluxTransformer2DModel(
            in_channels=16, num_layers=1, num_single_layers=1, attention_head_dim=16, num_attention_heads=2,
            joint_attention_dim=WIDE, pooled_projection_dim=WIDE, guidance_embeds=guidance, axes_dims_rope=(4, 4, 8),
        ),
    )  # fmt: skip
    return _save(pipe, folder)


def qwen_tokenizer() -> Any:
    """Qwen's: bytes, and marks around turns."""
    from tokenizers.pre_tokenizers import ByteLevel
    from transformers import Qwen2Tokenizer

    pieces = ["<|endoftext|>", *sorted(ByteLevel.alphabet())]
    made = Qwen2Tokenizer(vocab={piece: i for i, piece in enumerate(pieces)}, merges=[])
    made.add_special_tokens({"additional_special_tokens": ["<|im_start|>", "<|im_end|>"]})
    made.chat_template = TEMPLATE
    return made


_TEXT = {
    "hidden_size": WIDE, "intermediate_size": 64, "num_hidden_layers": 2, "num_attention_heads": 4,
    "num_key_value_heads": 2, "max_position_embeddings": 1200,
}  # fmt: skip


def qwen_image(folder: Path) -> Path:
    """Qwen-Image: its words are read by a model that sees."""
    from diffusers import (
        AutoencoderKLQwenImage,
        FlowMatchEulerDiscreteScheduler,
        QwenImagePipeline,
        QwenImageTransformer2DModel,
    )
    from transformers import Qwen2_5_VLConfig, Qwen2_5_VLForConditionalGeneration

    reader = qwen_tokenizer()
    rope = {"mrope_section": [1, 1, 2], "rope_type": "default", "rope_theta": 1e6}
    eye = {"depth": 1, "hidden_size": 16, "intermediate_size": 16, "num_heads": 2, "out_hidden_size": WIDE}
    config = Qwen2_5_VLConfig(
        text_config={**_TEXT, "vocab_size": len(reader), "rope_parameters": rope}, vision_config=eye
    )
    pipe = QwenImagePipeline(
        text_encoder=Qwen2_5_VLForConditionalGeneration(config), tokenizer=reader,
        scheduler=FlowMatchEulerDiscreteScheduler(shift=1.0, use_dynamic_shifting=True),
        vae=AutoencoderKLQwenImage(
            base_dim=16, z_dim=4, dim_mult=[1, 2], num_res_blocks=1, temperal_downsample=[False],
            latents_mean=[0.0] * 4, latents_std=[1.0] * 4,
        ),
        transformer=QwenImageTransformer2DModel(
            in_channels=16, out_channels=4, num_layers=2, attention_head_dim=16, num_attention_heads=2,
            joint_attention_dim=WIDE, axes_dims_rope=(8, 4, 4),
        ),
    )  # fmt: skip
    return _save(pipe, folder)


def z_image(folder: Path) -> Path:
    """Z-Image: its words are read by a language model."""
    from diffusers import FlowMatchEulerDiscreteScheduler, ZImagePipeline, ZImageTransformer2DModel
    from transformers import Qwen3Config, Qwen3Model

    reader = qwen_tokenizer()
    pipe = ZImagePipeline(
        vae=autoencoder(scaling_factor=0.36, shift_factor=0.12), tokenizer=reader,
        text_encoder=Qwen3Model(Qwen3Config(**_TEXT, vocab_size=len(reader), head_dim=8)),
        scheduler=FlowMatchEulerDiscreteScheduler(shift=3.0),
        transformer=ZImageTransformer2DModel(
            in_channels=4, dim=32, n_layers=1, n_refiner_layers=1, n_heads=2, n_kv_heads=2, cap_feat_dim=WIDE,
            axes_dims=[8, 4, 4], axes_lens=[1024, 64, 64],
        ),
    )  # fmt: skip
    return _save(pipe, folder)


def schnell(folder: Path) -> Path:
    """FLUX.1 that isn't told its guidance."""
    return flux(folder, guidance=False)


LORA = "pytorch_lora_weights.safetensors"  # as diffusers names it


def lora(folder: Path, base: Path) -> Path:
    """An adapter for the pipeline at `base`, strong enough to change what it draws."""
    import torch
    from diffusers import DiffusionPipeline
    from peft import LoraConfig
    from peft.utils import get_peft_model_state_dict

    pipe = DiffusionPipeline.from_pretrained(base)
    part = "unet" if hasattr(pipe, "unet") else "transformer"
    model = getattr(pipe, part)
    with torch.random.fork_rng():
        torch.manual_seed(3)
        config = LoraConfig(r=4, lora_alpha=32, target_modules=["to_q", "to_k", "to_v"], init_lora_weights=False)
        model.add_adapter(config)
    type(pipe).save_lora_weights(folder, **{f"{part}_lora_layers": get_peft_model_state_dict(model)})
    return folder


def controlnet(folder: Path, base: Path) -> Path:
    """A ControlNet for the U-Net at `base`. A new one says nothing, so its last layers are drawn at random here."""
    import torch
    from diffusers import ControlNetModel, UNet2DConditionModel

    unet: Any = UNet2DConditionModel.from_pretrained(base / "unet")
    with torch.random.fork_rng():
        torch.manual_seed(5)
        made: Any = ControlNetModel.from_unet(unet, conditioning_embedding_out_channels=(8, 16))
        for layer in (*made.controlnet_down_blocks, made.controlnet_mid_block, made.controlnet_cond_embedding.conv_out):
            torch.nn.init.normal_(layer.weight, std=0.3)
    return _save(made, folder)


def t2i_adapter(folder: Path, channels: int = 3) -> Path:
    """A T2I-Adapter for U-Nets of two levels, the upper of which doesn't attend."""
    import torch
    from diffusers import T2IAdapter

    with torch.random.fork_rng():
        torch.manual_seed(6)
        made = T2IAdapter(
            in_channels=channels, channels=[16, 32], num_res_blocks=1, downscale_factor=4,
            adapter_type="full_adapter_xl",
        )  # fmt: skip
    return _save(made, folder)


def _save(pipe: Any, folder: Path) -> Path:
    pipe.save_pretrained(folder, safe_serialization=True)
    return folder


FAMILIES: dict[str, Callable[[Path], Path]] = {
    "sd": stable_diffusion,
    "sd-tiny": stable_diffusion_tiny,
    "sdxl": sdxl,
    "sd3": sd3,
    "flux": flux,
    "schnell": schnell,
    "qwen": qwen_image,
    "z": z_image,
}
