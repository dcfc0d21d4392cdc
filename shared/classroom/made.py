"""A run's output as one file that a wall can show, checked and with its receipt in it, as its Space would give it."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, cast

from shared import outputs
from shared.requests import ChatRequest, ImageRequest, Request, SolidRequest, VideoRequest

if TYPE_CHECKING:
    from shared.receipts import Receipt
    from shared.settings import Settings


@dataclass(frozen=True)
class Made:
    """The file, its media type, and what its name ends in."""

    data: bytes
    media_type: str
    ending: str


def made(output: Any, receipt: Receipt, request: Request, settings: Settings) -> Made | None:
    """The file; None of what is empty, and of what no wall can show. Raises `InferenceError`."""
    way = _WAYS.get(type(output))
    return way(output, receipt, request, settings) if way else None


def _text(output: outputs.ChatOutput, receipt: Receipt, request: Request, settings: Settings) -> Made | None:
    return Made(output.text.encode(), "text/plain", ".txt") if output.text.strip() else None


def _picture(output: outputs.ImageOutput, receipt: Receipt, request: Request, settings: Settings) -> Made | None:
    from shared.image.finishing import safe
    from shared.media.labelling import label

    if not output.images:
        return None
    image, _ = safe(output.images[0], settings, str(receipt.extra.get("unchecked", "")))
    seed = output.seeds[0] if output.seeds else receipt.seed
    data = label(image, receipt, cast(ImageRequest, request), seed).data
    return Made(data, image.media_type, f".{image.media_type.rpartition('/')[2]}")


def _sound(output: outputs.AudioOutput, receipt: Receipt, request: Request, settings: Settings) -> Made | None:
    from shared.audio.finishing import finish

    if not output.pcm:
        return None
    finished = finish(output, receipt, request, "flac")
    return Made(finished.data, finished.kind.media_type, ".flac")


def _tune(output: outputs.MusicOutput, receipt: Receipt, request: Request, settings: Settings) -> Made | None:
    from shared.music.composed import sound

    if output.piece is None or not output.piece.notes:
        return None
    return _sound(sound(output.piece, output.instrument, settings), receipt, request, settings)


def _clip(output: outputs.VideoOutput, receipt: Receipt, request: Request, settings: Settings) -> Made | None:
    from shared.video.finishing import finish

    if not output.video:
        return None
    finished = finish(output, receipt, cast(VideoRequest, request), settings)
    return Made(finished.data, finished.media_type, f".{finished.media_type.rpartition('/')[2]}")


def _solid(output: outputs.SolidOutput, receipt: Receipt, request: Request, settings: Settings) -> Made | None:
    from shared.solid.finishing import finish

    if output.solid is None:
        return None
    finished = finish(output, receipt, cast(SolidRequest, request), settings)
    return Made(finished.file("glb"), "model/gltf-binary", ".glb")


_WAYS: dict[type, Callable[[Any, Any, Request, Any], Made | None]] = {
    outputs.ChatOutput: _text,
    outputs.ImageOutput: _picture,
    outputs.AudioOutput: _sound,
    outputs.MusicOutput: _tune,
    outputs.VideoOutput: _clip,
    outputs.SolidOutput: _solid,
}


def asked(request: Request) -> str:
    """What was asked, for whom the work is shown: of a conversation its last turn."""
    texts = [text for text in request.texts() if text and text.strip()]
    if isinstance(request, ChatRequest):
        texts = [message.content for message in request.messages if message.role == "user"][-1:]
    return "\n".join(texts[:1])[:2000]
