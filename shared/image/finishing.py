"""What a finished picture goes through before anybody gets it: looked over, its receipt written in, signed last."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import closing
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

from shared.image.drawing import Drawing
from shared.media import content_credentials, moderation, nsfw
from shared.media.labelling import label
from shared.media.opening import open_picture, to_part
from shared.media.safety import safety_of
from shared.requests import ImagePart, ImageRequest
from shared.settings import Settings

if TYPE_CHECKING:
    from PIL.Image import Image

BLUR = 12  # parts of the shorter side: shapes are gone, colours stay


@dataclass(frozen=True)
class Finished:
    """The file as a person gets it. `words` explain a picture that is covered or couldn't be checked."""

    image: ImagePart
    sidecar: bytes | None = None
    words: str = ""


def finish(drawing: Drawing, request: ImageRequest, settings: Settings) -> list[Finished]:
    """The finished drawing's pictures, in order. Raises `BackendError` where a picture can't be signed."""
    return [_one(drawing, number, request, settings) for number in range(len(drawing.images))]


def _one(drawing: Drawing, number: int, request: ImageRequest, settings: Settings) -> Finished:
    assert drawing.receipt is not None
    image = drawing.images[number]
    image, words = safe(image, settings, str(drawing.receipt.extra.get("unchecked", "")))
    labelled = label(image, drawing.receipt, request, drawing.seed_of(number), drawing.variation_seed_of(number))
    data = labelled.data
    if content_credentials.signs(settings):
        data = content_credentials.sign(data, image.media_type, settings, edited=request.image is not None)
    return Finished(ImagePart(data, image.media_type), labelled.sidecar, words)


def safe(image: ImagePart, settings: Settings, told: str = "") -> tuple[ImagePart, str]:
    """The picture, covered where a check says so, and what there is to say about that.

    `told`: why the provider could not check its words; it is then not asked again.
    """
    verdict = nsfw.check(open_picture(image.data), settings) if safety_of(settings) != "off" else nsfw.Verdict(False)
    known = verdict.covered or bool(told)
    finding = moderation.Finding() if known else moderation.look_over((), (image,), settings)
    words = " ".join(filter(None, (told, verdict.words, finding.words)))
    return (_covered(image) if verdict.covered or finding.refused else image), words


def previews_looked_over(drawings: Iterator[Drawing], settings: Settings) -> Iterator[Drawing]:
    """The drawings, with previews covered from the first one on that the check for nudity would cover.

    A preview costs a fiftieth of a second more. Closing this iterator closes `drawings`.
    """
    cover, last, shown = False, None, None
    with closing(drawings):  # type: ignore[type-var]
        for drawing in drawings:
            if drawing.preview is not None and drawing.preview is not last and safety_of(settings) != "off":
                last = drawing.preview
                cover = cover or nsfw.check(last, settings).covered
                shown = blurred(last) if cover else last
            yield drawing if shown is None or drawing.preview is None else replace(drawing, preview=shown)


def _covered(image: ImagePart) -> ImagePart:
    return to_part(blurred(open_picture(image.data)))


def blurred(picture: Image) -> Image:
    """The picture with its shapes gone and its colours left."""
    from PIL import ImageFilter

    return picture.convert("RGB").filter(ImageFilter.GaussianBlur(min(picture.size) / BLUR))
