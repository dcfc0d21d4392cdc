"""What lies between two prompts, or two seeds: frames on the way from one to the other, and a moving picture of them.

Noise goes along the sphere that it lies on (slerp, Shoemake 1985), the text encoder's numbers along a line.
"""

from __future__ import annotations

import io
from collections.abc import Sequence
from dataclasses import replace
from typing import Any

from shared.errors import InvalidRequest
from shared.image.drawing import Drawing
from shared.image.sweeping import SEVERAL, Axis
from shared.media import content_credentials
from shared.media.labelling import label
from shared.requests import ImagePart, ImageRequest
from shared.settings import Settings

FEWEST, MOST = 3, 24  # frames
FORMS = {"image/webp": "WEBP", "image/gif": "GIF"}
_FRAME, _END = 120, 700  # milliseconds that a frame is shown, and that the first and last are


def way_to(prompt: str, seed: int | None, count: int) -> Axis:
    """The frames from a request to another prompt, another seed, or both. Raises `InvalidRequest` for neither."""
    if not prompt.strip() and seed is None:
        raise InvalidRequest("Give a second prompt, a second seed, or both: something to go to.")
    if not FEWEST <= count <= MOST:
        raise InvalidRequest(f"Give between {FEWEST} and {MOST} frames; {count} were given.")
    shares = [number / (count - 1) for number in range(count)]
    return Axis(SEVERAL, tuple(_fields(prompt, seed, share) for share in shares), tuple(f"{s:.0%}" for s in shares))


def _fields(prompt: str, seed: int | None, share: float) -> dict[str, Any]:
    words = {"blend_prompt": prompt.strip(), "blend": share} if prompt.strip() else {}
    noise = {} if seed is None else {"variation_seed": seed, "variation_strength": share}
    return {**words, **noise}


def moving(
    frames: Sequence[ImagePart], drawing: Drawing, request: ImageRequest, settings: Settings, kind: str
) -> tuple[ImagePart, bytes | None]:
    """The frames, there and back, without end, and the JSON to keep beside a file that can't hold it.

    `drawing` and `request`: of the last frame, whose receipt the file gets, with a note of what the others are. `kind`:
    a media type of `FORMS`. Raises `BackendError` where it can't be signed.
    """
    assert drawing.receipt is not None
    plain = ImagePart(_animated(frames, FORMS[kind]), kind)
    note = f"The last of {len(frames)} frames, each that much nearer to it than the one before."
    receipt = replace(drawing.receipt, notes=(*drawing.receipt.notes, note))
    labelled = label(plain, receipt, request, drawing.seed_of(0), drawing.variation_seed_of(0))
    data = labelled.data
    if content_credentials.signs(settings):
        data = content_credentials.sign(data, kind, settings, edited=request.image is not None)
    return ImagePart(data, kind), labelled.sidecar


def _animated(frames: Sequence[ImagePart], form: str) -> bytes:
    from PIL import Image

    pictures = [Image.open(io.BytesIO(part.data)).convert("RGB") for part in frames]
    pictures += pictures[-2:0:-1]
    times = [_END if number in (0, len(frames) - 1) else _FRAME for number in range(len(pictures))]
    file = io.BytesIO()
    more: dict[str, Any] = {"quality": 90, "method": 2} if form == "WEBP" else {"optimize": True}
    pictures[0].save(file, form, save_all=True, append_images=pictures[1:], duration=times, loop=0, **more)
    return file.getvalue()
