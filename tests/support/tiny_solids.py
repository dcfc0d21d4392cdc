"""Tiny random models that make solids, of the real classes, saved as a person would find them."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from tests.support.tiny_pipelines import WIDE, clip, clip_tokenizer

_HIDDEN = 8  # numbers a layer of the field is wide


def _prior(wide: int, tokens: int, *, pictures: bool) -> Any:
    from diffusers import PriorTransformer

    return PriorTransformer(
        num_attention_heads=2, attention_head_dim=8, embedding_dim=wide, num_embeddings=4 * _HIDDEN, num_layers=1,
        embedding_proj_dim=wide, time_embed_dim=16, clip_embed_dim=2 * wide, additional_embeddings=tokens,
        time_embed_act_fn="gelu", norm_in_type="layer", encoder_hid_proj_type=None, added_emb_type=None,
        embedding_proj_norm_type="layer" if pictures else None,
    )  # fmt: skip


def _renderer() -> Any:
    from diffusers.pipelines.shap_e.renderer import ShapERenderer

    shapes = ((_HIDDEN, 93), *((_HIDDEN, _HIDDEN),) * 3)
    return ShapERenderer(param_shapes=shapes, d_latent=WIDE, d_hidden=_HIDDEN, n_output=12)


def _scheduler() -> Any:
    from diffusers import HeunDiscreteScheduler

    return HeunDiscreteScheduler(
        beta_schedule="exp", num_train_timesteps=1024, prediction_type="sample", use_karras_sigmas=True,
        clip_sample=True, clip_sample_range=1.0,
    )  # fmt: skip


def shap_e(folder: Path) -> Path:
    """From words."""
    from diffusers import ShapEPipeline

    reader = clip_tokenizer()
    pipe = ShapEPipeline(
        prior=_prior(WIDE, 0, pictures=False), text_encoder=clip(reader, projected=True), tokenizer=reader,
        scheduler=_scheduler(), shap_e_renderer=_renderer(),
    )  # fmt: skip
    pipe.save_pretrained(folder)
    return folder


def shap_e_pictures(folder: Path) -> Path:
    """From a picture."""
    from diffusers import ShapEImg2ImgPipeline
    from transformers import CLIPImageProcessor, CLIPVisionConfig, CLIPVisionModel

    seen = CLIPVisionModel(
        CLIPVisionConfig(hidden_size=WIDE, intermediate_size=37, image_size=32, patch_size=8, num_hidden_layers=1,
                         num_attention_heads=2, projection_dim=WIDE)
    )  # fmt: skip
    pipe = ShapEImg2ImgPipeline(
        prior=_prior(WIDE, 0, pictures=True), image_encoder=seen,
        image_processor=CLIPImageProcessor(crop_size={"height": 32, "width": 32}, size={"shortest_edge": 32}),
        scheduler=_scheduler(), shap_e_renderer=_renderer(),
    )  # fmt: skip
    pipe.save_pretrained(folder)
    return folder


def depth(folder: Path) -> Path:
    """A depth model of the Depth Anything class."""
    from transformers import DepthAnythingConfig, DepthAnythingForDepthEstimation, DPTImageProcessor

    backbone = {
        "model_type": "dinov2", "hidden_size": 16, "num_hidden_layers": 4, "num_attention_heads": 2, "image_size": 28,
        "patch_size": 14, "out_indices": [1, 2, 3, 4], "reshape_hidden_states": False, "apply_layernorm": True,
    }  # fmt: skip
    config = DepthAnythingConfig(
        backbone_config=backbone, patch_size=14, reassemble_hidden_size=16, reassemble_factors=[4, 2, 1, 0.5],
        neck_hidden_sizes=[8, 8, 8, 8], fusion_hidden_size=8, head_hidden_size=8,
    )  # fmt: skip
    DepthAnythingForDepthEstimation(config).save_pretrained(folder)
    DPTImageProcessor(size={"height": 56, "width": 56}, ensure_multiple_of=14).save_pretrained(folder)
    return folder
