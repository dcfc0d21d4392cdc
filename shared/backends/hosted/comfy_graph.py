"""The graph of nodes that ComfyUI runs for one picture: the usual one of a checkpoint, a prompt and a sampler."""

from __future__ import annotations

from typing import Any

from shared.media.samplers import table
from shared.requests import ImageRequest

# What its nodes must be told where a person says nothing.
STEPS, GUIDANCE, SIDE, STRENGTH = 20, 7.0, 1024, 0.75
DRAW = "draw"  # the node whose steps are counted
SHOW = "show"  # the node whose pictures are the output
_MOST_SEED = 2**64


def sampler(scheduler: str | None) -> str | None:
    """ComfyUI's name for that diffusers scheduler; its usual one for None; None where it has none like it."""
    if scheduler is None:
        return "euler"
    return next((name for name, ours in table()["comfyui"].items() if ours == scheduler), None)


def graph(
    request: ImageRequest, checkpoint: str, seed: int, size: tuple[int, int] | None, image: str, mask: str
) -> dict[str, Any]:
    """The nodes by name. `image` and `mask`: files uploaded before, or "". `size` in pixels."""
    clip: list[Any] = ["model", 1]
    nodes = {
        "model": _node("CheckpointLoaderSimple", ckpt_name=checkpoint),
        "wanted": _node("CLIPTextEncode", text=request.prompt, clip=clip),
        "unwanted": _node("CLIPTextEncode", text=request.negative_prompt or "", clip=clip),
        **_start(size, image, mask),
        DRAW: _node(
            "KSampler",
            model=["model", 0],
            positive=["wanted", 0],
            negative=["unwanted", 0],
            latent_image=["start", 0],
            seed=seed % _MOST_SEED,
            steps=request.num_inference_steps or STEPS,
            cfg=GUIDANCE if request.guidance_scale is None else request.guidance_scale,
            sampler_name=sampler(request.scheduler) or "euler",
            scheduler="normal",
            denoise=_strength(request),
        ),
        "decode": _node("VAEDecode", samples=[DRAW, 0], vae=["model", 2]),
        SHOW: _node("PreviewImage", images=["decode", 0]),  # unlike SaveImage, it fills no folder for good
    }
    return nodes


def _strength(request: ImageRequest) -> float:
    if request.image is None:
        return 1.0
    return STRENGTH if request.strength is None else request.strength


def _start(size: tuple[int, int] | None, image: str, mask: str) -> dict[str, Any]:
    """What the sampler begins with: nothing, a picture, or a picture of which only the mask's white is drawn anew."""
    if not image:
        width, height = size or (SIDE, SIDE)
        return {"start": _node("EmptyLatentImage", width=width, height=height, batch_size=1)}
    nodes = {"image": _node("LoadImage", image=image)}
    pixels = "image"
    if size:
        nodes["scaled"] = _node(
            "ImageScale", image=["image", 0], upscale_method="lanczos", width=size[0], height=size[1], crop="center"
        )
        pixels = "scaled"
    encoded = _node("VAEEncode", pixels=[pixels, 0], vae=["model", 2])
    if not mask:
        return {**nodes, "start": encoded}
    return {
        **nodes,
        "encoded": encoded,
        "mask": _node("LoadImageMask", image=mask, channel="red"),
        "start": _node("SetLatentNoiseMask", samples=["encoded", 0], mask=["mask", 0]),
    }


def _node(kind: str, **inputs: Any) -> dict[str, Any]:
    return {"class_type": kind, "inputs": inputs}
