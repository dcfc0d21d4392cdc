"""Servers that speak OpenAI's Images API: rows of `endpoints.toml` that draw, or a URL that a person gave."""

from __future__ import annotations

from collections.abc import AsyncIterator
from typing import TYPE_CHECKING, Any

from shared.backends.hosted import images_api
from shared.backends.hosted.account import Account, listed_account, row_of
from shared.backends.hosted.drawing import DRAWERS, DrawingProfile
from shared.backends.hosted.image_model import HostedImages, ImageCall, ImagePiece
from shared.backends.hosted.openai_client import openai_client

if TYPE_CHECKING:
    from shared.catalog import Variant
    from shared.settings import Settings

_SETTINGS = ("num_inference_steps", "guidance_scale", "negative_prompt")


class OpenAICompatibleImages(HostedImages):
    """`variant.options`: `endpoint` (a row's name), or `base_url` (a visitor's own server)."""

    package = distribution = "openai"

    def account(self, variant: Variant, settings: Settings) -> Account:
        """The row's account; for a visitor's own URL only the key typed for it in that session."""
        return listed_account(variant, settings, DRAWERS, "draws no pictures")

    def profile(self, variant: Variant) -> DrawingProfile:
        """What `drawing.toml` says of the model."""
        return row_of(variant, DRAWERS).profile(variant.repo_id)

    async def stream(self, call: ImageCall) -> AsyncIterator[ImagePiece]:
        """One picture a call, each with a seed of its own: not all of these servers draw several."""
        images = openai_client(call.account, call.http).images
        given = _arguments(call)
        draw: Any = images.edit if "image" in given else images.generate
        for number in range(call.count):
            seed = call.seed(number)
            body = given["extra_body"] | ({} if seed is None else {"seed": seed})
            async for piece in images_api.pieces(await draw(**{**given, "extra_body": body}), call, seed):
                yield piece
        yield ImagePiece(finish="stop")


def _arguments(call: ImageCall) -> dict[str, Any]:
    request, size, sent_as = call.request, call.size, call.profile.sent_as
    given: dict[str, Any] = {"model": call.variant.repo_id, "prompt": request.prompt}
    body = {sent_as.get(name, name): value for name in _SETTINGS if (value := getattr(request, name)) is not None}
    if size is not None and "width" in sent_as:
        body |= {sent_as["width"]: size.width, sent_as["height"]: size.height}
    elif size is not None:
        given["size"] = size.name
    if request.image is not None and "image" in sent_as:
        body[sent_as["image"]] = request.image.data_url
    elif request.image is not None and "images" in sent_as:
        body[sent_as["images"]] = [request.image.data_url]
    elif request.image is not None:
        given |= images_api.files(request.image, request.mask_image)
    return {**given, "extra_body": {**call.profile.body, **body}}
