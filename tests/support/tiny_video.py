"""Tiny random video pipelines of three families, of the real classes, saved as a person would find them."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from tests.support.tiny_pipelines import WIDE, autoencoder, clip, clip_tokenizer, noise_schedule, t5, t5_tokenizer, unet

SIDE = 32  # pixels of what is asked of them


def wan(folder: Path) -> Path:
    """Wan: latents of a quarter of the frames and an eighth of each side."""
    from diffusers import AutoencoderKLWan, UniPCMultistepScheduler, WanPipeline, WanTransformer3DModel

    reader = t5_tokenizer()
    reader.model_max_length = 32
    return _saved(
        WanPipeline(
            transformer=WanTransformer3DModel(
                patch_size=(1, 2, 2), num_attention_heads=2, attention_head_dim=16, in_channels=16, out_channels=16,
                text_dim=WIDE, freq_dim=32, ffn_dim=32, num_layers=3, cross_attn_norm=True, rope_max_seq_len=32,
            ),
            vae=AutoencoderKLWan(
                base_dim=3, z_dim=16, dim_mult=[1, 1, 1, 1], num_res_blocks=1, temperal_downsample=[False, True, True]
            ),
            scheduler=UniPCMultistepScheduler(
                prediction_type="flow_prediction", use_flow_sigmas=True, flow_shift=3.0, num_train_timesteps=1000
            ),
            text_encoder=t5(reader), tokenizer=reader,
        ),
        folder,
    )  # fmt: skip


def wan_gguf(pipeline: Path, file: Path, seed: int = 1) -> Path:
    """Other weights for that folder's transformer as the Hub's GGUF files have them: Wan's own names, Q8_0."""
    import gguf
    import torch
    from diffusers import WanTransformer3DModel

    with torch.random.fork_rng():
        torch.manual_seed(seed)
        made = WanTransformer3DModel.from_config(WanTransformer3DModel.load_config(pipeline / "transformer"))
    writer = gguf.GGUFWriter(file, "wan")
    for name, tensor in made.state_dict().items():
        called = "head.modulation" if name == "scale_shift_table" else name
        for theirs, own in _WAN_NAMES:
            called = called.replace(own, theirs)
        array = tensor.detach().float().numpy()
        narrow = called.endswith(".weight") and array.ndim == 2 and array.shape[1] % 32 == 0
        kind = gguf.GGMLQuantizationType.Q8_0 if narrow else gguf.GGMLQuantizationType.F32
        writer.add_tensor(called, gguf.quants.quantize(array, kind) if narrow else array, raw_dtype=kind)
    writer.write_header_to_file()
    writer.write_kv_data_to_file()
    writer.write_tensors_to_file()
    writer.close()
    return file


# What Wan's authors and what diffusers call the same, in the order in which the names are put back
_WAN_NAMES = (
    ("time_embedding.0", "condition_embedder.time_embedder.linear_1"),
    ("time_embedding.2", "condition_embedder.time_embedder.linear_2"),
    ("text_embedding.0", "condition_embedder.text_embedder.linear_1"),
    ("text_embedding.2", "condition_embedder.text_embedder.linear_2"),
    ("time_projection.1", "condition_embedder.time_proj"),
    ("modulation", "scale_shift_table"),
    ("head.head", "proj_out"),
    ("norm3", "norm2"),
    ("ffn.0", "ffn.net.0.proj"),
    ("ffn.2", "ffn.net.2"),
    ("cross_attn", "attn2"),
    ("self_attn", "attn1"),
    (".o.", ".to_out.0."),
    (".q.", ".to_q."),
    (".k.", ".to_k."),
    (".v.", ".to_v."),
)


def ltx(folder: Path) -> Path:
    """LTX: latents that the pipeline packs into a row."""
    from diffusers import (
        AutoencoderKLLTXVideo,
        FlowMatchEulerDiscreteScheduler,
        LTXPipeline,
        LTXVideoTransformer3DModel,
    )

    reader = t5_tokenizer()
    reader.model_max_length = 32
    return _saved(
        LTXPipeline(
            transformer=LTXVideoTransformer3DModel(
                in_channels=8, out_channels=8, patch_size=1, patch_size_t=1, num_attention_heads=2,
                attention_head_dim=8, cross_attention_dim=16, num_layers=3, caption_channels=WIDE,
            ),
            vae=AutoencoderKLLTXVideo(
                latent_channels=8, block_out_channels=(8, 8, 8, 8), decoder_block_out_channels=(8, 8, 8, 8),
                layers_per_block=(1, 1, 1, 1, 1), decoder_layers_per_block=(1, 1, 1, 1, 1),
                spatio_temporal_scaling=(True, True, True, False),
                decoder_spatio_temporal_scaling=(True, True, True, False), patch_size=4, patch_size_t=1,
            ),
            scheduler=FlowMatchEulerDiscreteScheduler(), text_encoder=t5(reader), tokenizer=reader,
        ),
        folder,
    )  # fmt: skip


def animatediff(folder: Path) -> Path:
    """AnimateDiff: Stable Diffusion with modules that attend to the other frames."""
    from diffusers import AnimateDiffPipeline, MotionAdapter, UNetMotionModel

    reader = clip_tokenizer()
    motion = MotionAdapter(
        block_out_channels=(16, 32), motion_layers_per_block=1, motion_norm_num_groups=4, motion_num_attention_heads=2
    )
    return _saved(
        AnimateDiffPipeline(
            vae=autoencoder(), text_encoder=clip(reader), tokenizer=reader,
            unet=UNetMotionModel.from_unet2d(unet(), motion), motion_adapter=motion, scheduler=noise_schedule(),
        ),
        folder,
    )  # fmt: skip


def sana_wm(folder: Path) -> Path:
    """SANA-WM, a world model: latents of an eighth of the frames and a 32nd of each side."""
    from diffusers import (
        AutoencoderKLLTX2Video,
        FlowMatchEulerDiscreteScheduler,
        SanaWMPipeline,
        SanaWMTransformer3DModel,
    )
    from transformers import Gemma2Config, Gemma2Model

    reader = t5_tokenizer()
    gemma = Gemma2Config(
        vocab_size=len(reader), hidden_size=WIDE, intermediate_size=WIDE, num_hidden_layers=1, num_attention_heads=2,
        num_key_value_heads=1, head_dim=16,
    )  # fmt: skip
    return _saved(
        SanaWMPipeline(
            transformer=SanaWMTransformer3DModel(
                in_channels=8, num_layers=2, hidden_size=32, num_attention_heads=2, softmax_every_n=2,
                linear_head_dim=16, caption_channels=WIDE, chunk_plucker_post_attn_blocks=1, image_size=64,
            ),
            vae=AutoencoderKLLTX2Video(
                latent_channels=8, block_out_channels=(8, 16, 32, 64), decoder_block_out_channels=(8, 16, 32),
                layers_per_block=(1, 1, 1, 1, 1), decoder_layers_per_block=(1, 1, 1, 1),
                spatial_compression_ratio=32, temporal_compression_ratio=8,
            ),
            scheduler=FlowMatchEulerDiscreteScheduler(), text_encoder=Gemma2Model(gemma), tokenizer=reader,
        ),
        folder,
    )  # fmt: skip


MAKERS = {"wan": wan, "ltx": ltx, "animatediff": animatediff}


def _saved(pipe: Any, folder: Path) -> Path:
    pipe.save_pretrained(folder, safe_serialization=True)
    return folder
