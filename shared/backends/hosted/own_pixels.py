"""Lays a person's own picture over what a provider drew around it: providers change every pixel."""

from __future__ import annotations

from shared.media.credentials import has_credentials
from shared.media.masks import flat
from shared.media.opening import open_picture, to_part
from shared.media.repainting import lay_over
from shared.requests import ImagePart, ImageRequest

SIGNED = "The provider signed the picture, so that your own pixels were not laid over it: they may differ a little."
RESIZED = "The picture came in another size, so that your own pixels were not laid over it: they may differ a little."


def with_own_pixels(request: ImageRequest, drawn: ImagePart) -> tuple[ImagePart, tuple[str, ...]]:
    """The picture with what was to be kept as it was, and what there is to say.

    A signed one stays as it is: changed, it would read as tampered with.
    """
    if request.outpaint is None or request.image is None or request.mask_image is None:
        return drawn, ()
    if has_credentials(drawn.data):
        return drawn, (SIGNED,)
    picture, start = flat(open_picture(drawn.data)), open_picture(request.image.data)
    if picture.size != start.size:
        return drawn, (RESIZED,)
    return to_part(lay_over(start, picture, open_picture(request.mask_image.data).convert("L"))), ()
