"""How a pipeline with a ControlNet or a T2I-Adapter is told of the picture that leads it."""

from __future__ import annotations

import inspect
from collections.abc import Callable, Mapping
from typing import Any

from shared.media.masks import fit, flat
from shared.media.opening import open_picture
from shared.requests import ImageRequest

_SCALES = ("controlnet_conditioning_scale", "adapter_conditioning_scale")
_ALL_STEPS = "A T2I-Adapter leads all steps alike."


def lead(
    pipe: Any, request: ImageRequest, size: tuple[int, int], taken: Mapping[str, Any]
) -> tuple[dict[str, Any], dict[str, str]]:
    """Arguments for the pipeline, which takes those that `taken` names, and why a setting is not followed.

    Raises `InvalidRequest` for a picture that can't be read.
    """
    if request.control_image is None:
        return {}, {}
    picture = fit(flat(open_picture(request.control_image.data)), size)
    adapter = getattr(pipe, "adapter", None)
    if adapter is not None and adapter.config.in_channels == 1:
        picture = picture.convert("L")
    # Families that start from words alone call the leading picture `image`.
    given: dict[str, Any] = {"control_image" if "control_image" in taken else "image": picture}
    scale = next((name for name in _SCALES if name in taken), None)
    if scale and request.controlnet_conditioning_scale is not None:
        given[scale] = request.controlnet_conditioning_scale
    left = {}
    for name in ("control_guidance_start", "control_guidance_end"):
        if (value := getattr(request, name)) is not None:
            if name in taken:
                given[name] = value
            else:
                left[name] = _ALL_STEPS
    return given, left


def told_of_steps(pipe: Any, step_ended: Callable[..., Any]) -> dict[str, Any]:
    """The argument by which a pipeline tells that a step ended. Those with a T2I-Adapter have only the older form."""
    if "callback_on_step_end" in inspect.signature(pipe.__call__).parameters:
        return {"callback_on_step_end": step_ended}
    return {"callback": lambda step, when, latents: step_ended(pipe, step, when, {"latents": latents})}
