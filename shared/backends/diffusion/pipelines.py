"""The pipeline that fits a request, made of the parts of the one that was loaded, and perhaps of one that leads it."""

from __future__ import annotations

import inspect
from typing import Any

from shared.errors import BackendError, InvalidRequest
from shared.requests import ImageRequest

# diffusers' class of a family -> that with a T2I-Adapter, which its Auto classes don't know
_WITH_ADAPTER = {
    "StableDiffusionPipeline": "StableDiffusionAdapterPipeline",
    "StableDiffusionXLPipeline": "StableDiffusionXLAdapterPipeline",
}
# What a ControlNet has from its U-Net
_SHARED = ("block_out_channels", "cross_attention_dim", "addition_embed_type")
_UNLED = "This kind of model can't be led by that. Choose another control, or take the control picture away."


def fitting(pipe: Any, request: ImageRequest, scheduler: Any, control: Any = None) -> Any:
    """For words alone the pipeline itself; otherwise its family's for a picture, a picture and a mask, or a control.

    `scheduler`: the pipeline's own, since it may hold that of the run before. `control`: a ControlNet or T2I-Adapter.
    Raises `InvalidRequest` where the family has none.
    """
    if request.image is None and control is None:
        return pipe
    make = _adapted if type(control).__name__ == "T2IAdapter" else _automatic
    made = make(pipe, request, scheduler, control)
    made.set_progress_bar_config(disable=True)
    return made


def _automatic(pipe: Any, request: ImageRequest, scheduler: Any, control: Any) -> Any:
    """By diffusers' Auto classes, which know each family's pipelines."""
    import diffusers

    kind: Any = diffusers.AutoPipelineForText2Image
    if request.image is not None:
        kind = diffusers.AutoPipelineForInpainting if request.mask_image else diffusers.AutoPipelineForImage2Image
    more = {} if control is None else {"controlnet": control}
    if control is not None:
        _check_fit(control, getattr(pipe, "unet", None))
    try:
        return kind.from_pipe(pipe, scheduler=scheduler, **more)
    except (ValueError, TypeError) as error:
        if control is not None:
            raise InvalidRequest(_UNLED) from error
        what = "mask, which also tells it where to draw more" if request.mask_image else "picture to start from"
        raise InvalidRequest(f"This kind of model takes no {what}. Take it away, or choose another model.") from error


def _adapted(pipe: Any, request: ImageRequest, scheduler: Any, adapter: Any) -> Any:
    import diffusers

    if request.image is not None:
        raise InvalidRequest(
            "A T2I-Adapter leads drawings from words alone. Take the start picture away, or choose a ControlNet."
        )
    name = _WITH_ADAPTER.get(type(pipe).__name__)
    if name is None:
        raise InvalidRequest(_UNLED)
    kind: Any = getattr(diffusers, name)
    wanted = inspect.signature(kind.__init__).parameters
    # Of the parts as they are: `from_pipe` leaves out those of a class that it doesn't expect, and casts the others.
    held = {**{n: pipe.config[n] for n in wanted if n in pipe.config}, **pipe.components}
    return kind(**{**{n: held[n] for n in wanted if n in held}, "scheduler": scheduler, "adapter": adapter})


def _check_fit(control: Any, unet: Any) -> None:
    """Raises `BackendError` for a ControlNet that was made for another U-Net."""
    if unet is None:
        raise InvalidRequest(_UNLED)
    if any(control.config.get(name) != unet.config.get(name) for name in _SHARED):
        raise BackendError("This ControlNet was made for another kind of model. Choose another one.")
