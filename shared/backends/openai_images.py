"""OpenAI's image models by its Images API: from words, from a picture, within a mask, with previews."""

from __future__ import annotations

from collections.abc import AsyncIterator, Iterator
from typing import TYPE_CHECKING, Any

from shared.backends.hosted import images_api
from shared.backends.hosted.account import Account, provider_account
from shared.backends.hosted.drawing import DRAWERS, DrawingProfile
from shared.backends.hosted.image_model import HostedImages, ImageCall, ImagePiece
from shared.backends.hosted.openai_client import openai_client
from shared.backends.hosted.pictures import decoded, from_bytes

if TYPE_CHECKING:
    from shared.catalog import Variant
    from shared.settings import Settings


class OpenAIImages(HostedImages):
    """Image models of api.openai.com by their own names in `variant.repo_id`."""

    package = distribution = "openai"

    def account(self, variant: Variant, settings: Settings) -> Account:
        """Raises `MissingCredentials` without a key."""
        return provider_account("openai", settings)

    def profile(self, variant: Variant) -> DrawingProfile:
        """What `drawing.toml` says of the model."""
        return DRAWERS["openai"].profile(variant.repo_id)

    async def stream(self, call: ImageCall) -> AsyncIterator[ImagePiece]:
        """One picture comes as a stream, with previews of it; several come in one answer without."""
        given = _arguments(call)
        images = openai_client(call.account, call.http).images
        draw: Any = images.generate if call.request.image is None else images.edit
        if call.count > 1:
            async for piece in images_api.pieces(await draw(**given, n=call.count), call):
                yield piece
            yield ImagePiece(finish="stop")
            return
        async with await draw(**given, stream=True, partial_images=call.profile.previews) as events:
            async for event in events:
                for piece in _pieces(event, call):
                    yield piece


def _arguments(call: ImageCall) -> dict[str, Any]:
    request, size = call.request, call.size
    given: dict[str, Any] = {"model": call.variant.repo_id, "prompt": request.prompt}
    if size is not None:
        given["size"] = size.name
    if request.image is not None:
        given |= images_api.files(request.image, request.mask_image)
    return given


def _pieces(event: Any, call: ImageCall) -> Iterator[ImagePiece]:
    """`image_generation.…` and `image_edit.…` events are alike."""
    kind = str(getattr(event, "type", None) or "").rpartition(".")[2]
    if kind not in {"partial_image", "completed"}:
        return
    data = decoded(str(getattr(event, "b64_json", None) or ""), call.account.name)
    if kind == "completed":
        about: dict[str, Any] = {"usage": images_api.usage(event), "facts": images_api.facts(event)}
        yield ImagePiece(picture=from_bytes(data, call.account.name), finish="stop", **about)
        return
    index = getattr(event, "partial_image_index", None)
    step = index + 1 if isinstance(index, int) else None
    yield ImagePiece(preview=data, step=step, total=call.profile.previews)
