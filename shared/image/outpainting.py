"""Turns a request to draw beyond a picture's edges into one to draw within a mask on a larger picture."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace

from shared.media.masks import flat, mask_from_picture
from shared.media.opening import open_picture, to_part
from shared.media.outpainting import enlarge, enlarged_size, to_shape
from shared.requests import ImageRequest

# The size that an engine draws, in pixels, for a size that follows from the picture (False) or was asked for (True).
Fitting = Callable[[int, int, bool], tuple[int, int]]


def beyond(request: ImageRequest, fitting: Fitting) -> tuple[ImageRequest, tuple[str, ...]]:
    """The request as any engine can follow it that draws within a mask, and what there is to say about that.

    One that asks for no more stays as it is. Where the request names a size, the picture is enlarged to that shape as
    well, and scaled to it.
    Raises `InvalidRequest` for a picture that can't be read, or where nothing would be added.
    """
    if request.outpaint is None or request.image is None:
        return request, ()
    picture = flat(open_picture(request.image.data))
    mask = mask_from_picture(request.mask_image.data) if request.mask_image else None
    chosen = bool(request.width and request.height)
    size = fitting(*_wished(request, enlarged_size(picture.size, request.outpaint)), chosen)
    sides = to_shape(picture.size, request.outpaint, size) if chosen else request.outpaint
    grow = bool(request.width or request.height)
    made = enlarge(picture, sides, size, mask=mask, grow=grow)
    width, height = made.placed
    scaled = f"Your picture was scaled from {picture.width} x {picture.height} to {width} x {height} pixels."
    words = (scaled,) if made.placed != picture.size else ()
    return replace(
        request, image=to_part(made.picture), mask_image=to_part(made.mask), width=size[0], height=size[1]
    ), words


def _wished(request: ImageRequest, natural: tuple[int, int]) -> tuple[int, int]:
    """Width and height as asked; one alone decides on the other."""
    if request.width and request.height:
        return request.width, request.height
    if request.width or request.height:
        scale = request.width / natural[0] if request.width else (request.height or 0) / natural[1]
        return max(1, round(natural[0] * scale)), max(1, round(natural[1] * scale))
    return natural
