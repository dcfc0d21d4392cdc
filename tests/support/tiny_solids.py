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


def triposr(folder: Path) -> Path:
    """Of the TripoSR class, with the names of the published checkpoint and the form of its configuration."""
    import torch
    import yaml
    from safetensors.torch import save_file

    wide, heads_wide, read, features, neurons = 32, 16, 64, 4, 8
    config = {
        "cond_image_size": 32,
        "image_tokenizer_cls": "tsr.models.tokenizers.image.DINOSingleImageTokenizer",
        "tokenizer": {"plane_size": 4, "num_channels": wide},
        "backbone": {"in_channels": wide, "num_attention_heads": 2, "attention_head_dim": heads_wide, "num_layers": 2,
                     "cross_attention_dim": read},
        "post_processor": {"in_channels": wide, "out_channels": features},
        "decoder": {"in_channels": 3 * features, "n_neurons": neurons, "n_hidden_layers": 2, "activation": "silu"},
        "renderer": {"radius": 0.87, "density_activation": "exp", "density_bias": -1.0, "num_samples_per_ray": 128},
    }  # fmt: skip
    weights: dict[str, Any] = {}

    def line(name: str, outputs: int, inputs: int, *, bias: bool = True) -> None:
        weights[f"{name}.weight"] = torch.randn(outputs, inputs) / inputs**0.5
        if bias:
            weights[f"{name}.bias"] = torch.randn(outputs) * 0.1

    def norm(name: str, count: int) -> None:
        weights[f"{name}.weight"], weights[f"{name}.bias"] = torch.ones(count), torch.zeros(count)

    vit = "image_tokenizer.model"
    weights[f"{vit}.embeddings.cls_token"] = torch.randn(1, 1, read)
    weights[f"{vit}.embeddings.position_embeddings"] = torch.randn(1, 1 + 2 * 2, read)  # of a picture half as wide
    weights[f"{vit}.embeddings.patch_embeddings.projection.weight"] = torch.randn(read, 3, 8, 8) * 0.1
    weights[f"{vit}.embeddings.patch_embeddings.projection.bias"] = torch.zeros(read)
    for part in ("attention.attention.query", "attention.attention.key", "attention.attention.value",
                 "attention.output.dense"):  # fmt: skip
        line(f"{vit}.encoder.layer.0.{part}", read, read)
    line(f"{vit}.encoder.layer.0.intermediate.dense", 2 * read, read)
    line(f"{vit}.encoder.layer.0.output.dense", read, 2 * read)
    for name in ("encoder.layer.0.layernorm_before", "encoder.layer.0.layernorm_after", "layernorm"):
        norm(f"{vit}.{name}", read)
    line(f"{vit}.pooler.dense", read, read)
    weights["tokenizer.embeddings"] = torch.randn(3, wide, 4, 4)
    norm("backbone.norm", wide)
    line("backbone.proj_in", wide, wide)
    line("backbone.proj_out", wide, wide)
    for number in range(2):
        block = f"backbone.transformer_blocks.{number}"
        for attention, told in (("attn1", wide), ("attn2", read)):
            line(f"{block}.{attention}.to_q", wide, wide, bias=False)
            line(f"{block}.{attention}.to_k", wide, told, bias=False)
            line(f"{block}.{attention}.to_v", wide, told, bias=False)
            line(f"{block}.{attention}.to_out.0", wide, wide)
        for name in ("norm1", "norm2", "norm3"):
            norm(f"{block}.{name}", wide)
        line(f"{block}.ff.net.0.proj", 8 * wide, wide)
        line(f"{block}.ff.net.2", wide, 4 * wide)
    weights["post_processor.upsample.weight"] = torch.randn(wide, features, 2, 2)
    weights["post_processor.upsample.bias"] = torch.zeros(features)
    line("decoder.layers.0", neurons, 3 * features)
    line("decoder.layers.2", neurons, neurons)
    line("decoder.layers.4", 4, neurons)
    weights["decoder.layers.4.bias"][0] = 4.0  # near the density at the surface, so that there is one
    folder.mkdir(parents=True, exist_ok=True)
    (folder / "config.yaml").write_text(yaml.safe_dump(config), encoding="utf-8")
    save_file(weights, folder / "model.safetensors")
    return folder
