"""Models of the true shapes and with random weights, for an NVIDIA card: speed and memory are those of the real ones.

Shapes: the config.json files of stable-diffusion-v1-5, stable-diffusion-xl-base-1.0, Wan2.1-T2V-1.3B-Diffusers and
Llama-3.2-1B. Wan's text encoder has two of its 24 layers, and words are read letter by letter.
"""

from __future__ import annotations

from pathlib import Path
from typing import Any

from tests.support.tiny_models import tokenizer
from tests.support.tiny_pipelines import clip_tokenizer, t5_tokenizer

DEVICE = "cuda"
DOWN, UP = ("DownEncoderBlock2D",) * 4, ("UpDecoderBlock2D",) * 4


def on_card(make: Any) -> Any:
    """What `make` gives, drawn at random on the card and kept in bfloat16."""
    import torch

    torch.manual_seed(0)
    with torch.device(DEVICE):
        return make().to(torch.bfloat16).eval()


def clip(reader: Any, size: int, layers: int, heads: int, act: str, *, projected: bool = False) -> Any:
    """One of CLIP's text encoders."""
    from transformers import CLIPTextConfig, CLIPTextModel, CLIPTextModelWithProjection

    config = CLIPTextConfig(
        hidden_size=size, intermediate_size=4 * size, num_hidden_layers=layers, num_attention_heads=heads,
        projection_dim=size, hidden_act=act, bos_token_id=reader.bos_token_id, eos_token_id=reader.eos_token_id,
    )  # fmt: skip
    return on_card(lambda: (CLIPTextModelWithProjection if projected else CLIPTextModel)(config))


def autoencoder() -> Any:
    """Stable Diffusion's."""
    from diffusers import AutoencoderKL

    made: Any = AutoencoderKL
    return on_card(
        lambda: made(
            block_out_channels=(128, 256, 512, 512), layers_per_block=2, latent_channels=4, sample_size=512,
            down_block_types=DOWN, up_block_types=UP,
        )
    )  # fmt: skip


def schedule() -> Any:
    """Of a thousand steps."""
    from diffusers import EulerDiscreteScheduler

    made: Any = EulerDiscreteScheduler
    return made(beta_start=0.00085, beta_end=0.012, beta_schedule="scaled_linear", steps_offset=1)


def reader() -> Any:
    """Letters by CLIP's rules, as many as CLIP reads."""
    made = clip_tokenizer()
    made.model_max_length = 77
    return made


def sd15(folder: Path) -> Path:
    """Stable Diffusion 1.5."""
    from diffusers import StableDiffusionPipeline, UNet2DConditionModel

    words, net, whole = reader(), UNet2DConditionModel, StableDiffusionPipeline
    unet = on_card(lambda: net(sample_size=64, cross_attention_dim=768, attention_head_dim=8))
    pipe: Any = whole(
        vae=autoencoder(), text_encoder=clip(words, 768, 12, 12, "quick_gelu"), tokenizer=words, unet=unet,
        scheduler=schedule(), safety_checker=None, feature_extractor=None, requires_safety_checker=False,
    )  # type: ignore[arg-type]  # fmt: skip
    pipe.save_pretrained(folder)
    return folder


def sdxl(folder: Path) -> Path:
    """Stable Diffusion XL."""
    from diffusers import StableDiffusionXLPipeline, UNet2DConditionModel

    words, net, whole = reader(), UNet2DConditionModel, StableDiffusionXLPipeline
    unet = on_card(
        lambda: net(
            sample_size=128, block_out_channels=(320, 640, 1280), cross_attention_dim=2048,
            down_block_types=("DownBlock2D", "CrossAttnDownBlock2D", "CrossAttnDownBlock2D"),
            up_block_types=("CrossAttnUpBlock2D", "CrossAttnUpBlock2D", "UpBlock2D"),
            transformer_layers_per_block=(1, 2, 10), attention_head_dim=(5, 10, 20), use_linear_projection=True,
            addition_embed_type="text_time", addition_time_embed_dim=256, projection_class_embeddings_input_dim=2816,
        )
    )  # fmt: skip
    pipe: Any = whole(
        vae=autoencoder(), text_encoder=clip(words, 768, 12, 12, "quick_gelu"), tokenizer=words, tokenizer_2=words,
        text_encoder_2=clip(words, 1280, 32, 20, "gelu", projected=True), unet=unet, scheduler=schedule(),
        force_zeros_for_empty_prompt=True,
    )  # type: ignore[arg-type]  # fmt: skip
    pipe.save_pretrained(folder)
    return folder


def wan(folder: Path) -> Path:
    """Wan 2.1, 1.3B."""
    from diffusers import AutoencoderKLWan, UniPCMultistepScheduler, WanPipeline, WanTransformer3DModel
    from transformers import UMT5Config, UMT5EncoderModel

    words, vae, net = t5_tokenizer(), AutoencoderKLWan, WanTransformer3DModel
    whole, steps = WanPipeline, UniPCMultistepScheduler
    words.model_max_length = 512
    config = UMT5Config(vocab_size=len(words), d_model=4096, d_ff=10240, d_kv=64, num_layers=2, num_heads=64)
    transformer = on_card(
        lambda: net(
            num_attention_heads=12, attention_head_dim=128, in_channels=16, out_channels=16, text_dim=4096,
            freq_dim=256, ffn_dim=8960, num_layers=30, cross_attn_norm=True,
        )
    )  # fmt: skip
    pipe: Any = whole(
        transformer=transformer, vae=on_card(vae), tokenizer=words,
        text_encoder=on_card(lambda: UMT5EncoderModel(config)),
        scheduler=steps(prediction_type="flow_prediction", use_flow_sigmas=True, flow_shift=3.0),
    )  # type: ignore[arg-type]  # fmt: skip
    pipe.save_pretrained(folder)
    return folder


def llama(folder: Path) -> Path:
    """Llama 3.2, 1B."""
    from transformers import LlamaConfig, LlamaForCausalLM

    words = tokenizer()
    config = LlamaConfig(
        vocab_size=128256, hidden_size=2048, intermediate_size=8192, num_hidden_layers=16, num_attention_heads=32,
        num_key_value_heads=8, head_dim=64, max_position_embeddings=8192, tie_word_embeddings=True,
        bos_token_id=words.bos_token_id, eos_token_id=words.eos_token_id, pad_token_id=words.pad_token_id,
    )  # fmt: skip
    on_card(lambda: LlamaForCausalLM(config)).save_pretrained(folder)
    words.save_pretrained(folder)
    return folder
