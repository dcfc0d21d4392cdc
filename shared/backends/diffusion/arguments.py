"""What a pipeline is called with for a request, and what of the request it doesn't follow."""

from __future__ import annotations

import inspect
from collections.abc import Mapping
from typing import Any

from shared.backends.diffusion.leading import lead
from shared.errors import InvalidRequest
from shared.requests import ImagePart, ImageRequest

# Request fields that diffusers takes under the same name.
_SAME = ("negative_prompt", "num_inference_steps", "guidance_scale", "strength")
_UNGUIDED = "Without guidance (above 1) there is nothing to lead the picture away from it."
_DISTILLED = "This model was distilled with its guidance built in, and takes no negative prompt."


def arguments(pipe: Any, request: ImageRequest, size: tuple[int, int]) -> tuple[dict[str, Any], dict[str, str]]:
    """What to call the pipeline with, and why a setting is not followed. `size`: width and height.

    Raises `InvalidRequest` for a picture that can't be read, and for a strength that leaves no step to draw.
    """
    taken = inspect.signature(pipe.__call__).parameters
    given = {name: value for name in _SAME if (value := getattr(request, name)) is not None}
    left = {name: "This pipeline has no such setting." for name in given if name not in taken}
    left |= _guide(pipe, given, taken)
    if request.image is None:
        given.pop("strength", None)
        left.pop("strength", None)
    else:
        given["image"] = _start(request.image, size)
        _needs_a_step(given, taken)
    if request.mask_image is not None:
        given["mask_image"] = _mask(request.mask_image, size)
    led, unled = lead(pipe, request, size, taken)
    given |= {**led, "prompt": request.prompt, "width": size[0], "height": size[1]}
    left |= unled
    return {name: value for name, value in given.items() if name in taken}, left


def transformer(pipe: Any) -> Any:
    """The pipeline's part that takes the noise away."""
    return getattr(pipe, "unet", None) or getattr(pipe, "transformer", None)


def _guide(pipe: Any, given: dict[str, Any], taken: Mapping[str, inspect.Parameter]) -> dict[str, str]:
    """Say the guidance as the pipeline's family wants it said; returns why a negative prompt has no use."""
    name = "guidance_scale"
    if "true_cfg_scale" in taken:  # FLUX and Qwen-Image: `guidance_scale` is read by models that were trained with it
        if transformer(pipe).config.get("guidance_embeds"):
            return {"negative_prompt": _DISTILLED} if given.pop("negative_prompt", None) else {}
        name = "true_cfg_scale"
        if "guidance_scale" in given:
            given[name] = given.pop("guidance_scale")
    scale = given.get(name, taken[name].default if name in taken else 0) or 0
    if scale <= 1:
        return {"negative_prompt": _UNGUIDED} if given.pop("negative_prompt", None) else {}
    if name == "true_cfg_scale":
        given.setdefault("negative_prompt", " ")  # without one these pipelines leave the guidance out
    return {}


def _needs_a_step(given: Mapping[str, Any], taken: Mapping[str, inspect.Parameter]) -> None:
    steps, strength = (given.get(name, taken[name].default) for name in ("num_inference_steps", "strength"))
    if strength > 0 and int(steps * strength) < 1:
        raise InvalidRequest(
            f"With {steps} steps, a strength of {strength:g} leaves no step to draw. "
            "Raise the steps or the strength, so that their product is at least 1."
        )


def _start(part: ImagePart, size: tuple[int, int]) -> Any:
    """The picture to start from, on white where it is transparent. Raises `InvalidRequest` if it can't be read."""
    from shared.media.masks import fit, flat
    from shared.media.opening import open_picture

    return fit(flat(open_picture(part.data)), size)


def _mask(part: ImagePart, size: tuple[int, int]) -> Any:
    from shared.media.masks import fit, mask_from_picture

    return fit(mask_from_picture(part.data), size)
