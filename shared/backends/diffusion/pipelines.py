"""The pipeline that fits a request, made of the parts of the one that was loaded."""

from __future__ import annotations

from typing import Any

from shared.errors import InvalidRequest
from shared.requests import ImageRequest


def fitting(pipe: Any, request: ImageRequest, scheduler: Any) -> Any:
    """For words alone the pipeline itself; otherwise its family's for a picture, or for a picture and a mask.

    `scheduler`: the pipeline's own, since it may hold that of the run before.
    Raises `InvalidRequest` where the family has none.
    """
    if request.image is None:
        return pipe
    import diffusers

    kind = diffusers.AutoPipelineForInpainting if request.mask_image else diffusers.AutoPipelineForImage2Image
    try:
        made = kind.from_pipe(pipe, scheduler=scheduler)
    except (ValueError, TypeError) as error:
        what = "a mask" if request.mask_image else "a picture"
        what = "mask, which also tells it where to draw more" if request.mask_image else "picture to start from"
        raise InvalidRequest(f"This kind of model takes no {what}. Take it away, or choose another model.") from error
    made.set_progress_bar_config(disable=True)
    return made
