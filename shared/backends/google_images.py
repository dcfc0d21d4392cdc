"""Google's Gemini models that draw, by `google-genai`: from words, or from words and a picture."""

from __future__ import annotations

from collections.abc import AsyncIterator, Iterator
from dataclasses import replace
from typing import TYPE_CHECKING, Any

from shared.backends.base import Usage
from shared.backends.google_chat import google_client, usage
from shared.backends.hosted.account import Account, provider_account
from shared.backends.hosted.drawing import DRAWERS, DrawingProfile
from shared.backends.hosted.image_model import HostedImages, ImageCall, ImagePiece
from shared.backends.hosted.pictures import from_bytes
from shared.errors import ContentFiltered, ModelRetired

if TYPE_CHECKING:
    from shared.catalog import Variant
    from shared.settings import Settings

_MOST_SEED = 2**31  # the API's seeds are signed 32-bit numbers
_FILTERED = frozenset({
    "SAFETY", "RECITATION", "BLOCKLIST", "PROHIBITED_CONTENT", "SPII", "IMAGE_SAFETY", "IMAGE_PROHIBITED_CONTENT",
    "IMAGE_RECITATION", "ESCALATION", "MODEL_ARMOR",
})  # fmt: skip


class GoogleImages(HostedImages):
    """Models of the Gemini API that draw, by their own names in `variant.repo_id`."""

    package, distribution = "google.genai", "google-genai"

    def account(self, variant: Variant, settings: Settings) -> Account:
        """Raises `MissingCredentials` without a key, `ModelRetired` for Imagen, which this API no longer serves."""
        account = provider_account("google", settings)
        if variant.repo_id.startswith("imagen"):
            raise ModelRetired(account.name, variant.repo_id, "a Gemini image model")
        return account

    def profile(self, variant: Variant) -> DrawingProfile:
        """What `drawing.toml` says of the model."""
        return DRAWERS["google"].profile(variant.repo_id)

    async def stream(self, call: ImageCall) -> AsyncIterator[ImagePiece]:
        """One picture a call: this API draws no more at once."""
        client, contents = google_client(call.account, call.http), _contents(call)
        for number in range(call.count):
            seed = None if (wanted := call.seed(number)) is None else wanted % _MOST_SEED
            chunks = await client.aio.models.generate_content_stream(
                model=call.variant.repo_id, contents=contents, config=_config(call, seed)
            )
            ended = False
            counted: Usage | None = None
            async for chunk in chunks:
                counted = _usage(chunk.usage_metadata) if chunk.usage_metadata else counted
                for piece in _pieces(chunk, call.account.name, seed):
                    ended = ended or piece.finish is not None
                    yield ImagePiece(**{**vars(piece), "finish": None})
            yield ImagePiece(usage=counted)
            if not ended:
                return  # cut short: what is missing is told
        yield ImagePiece(finish="stop")


def _contents(call: ImageCall) -> Any:
    from google.genai import types

    start = call.request.image
    parts = [types.Part.from_bytes(data=start.data, mime_type=start.media_type)] if start else []
    return [types.Content(role="user", parts=[*parts, types.Part.from_text(text=call.request.prompt)])]


def _config(call: ImageCall, seed: int | None) -> Any:
    from google.genai import types

    given: dict[str, Any] = {"response_modalities": ["TEXT", "IMAGE"]}
    if seed is not None:
        given["seed"] = seed
    if (size := call.size) is not None:
        given["image_config"] = types.ImageConfig(aspect_ratio=size.name, image_size=size.scale or None)
    return types.GenerateContentConfig(**given)


def _pieces(chunk: Any, provider: str, seed: int | None) -> Iterator[ImagePiece]:
    if chunk.model_version:
        yield ImagePiece(facts={"served_model": chunk.model_version, "request_id": chunk.response_id})
    if blocked := chunk.prompt_feedback and chunk.prompt_feedback.block_reason:
        raise ContentFiltered(provider, f"It names the reason “{blocked.value}”.")
    for candidate in (chunk.candidates or [])[:1]:
        for part in (candidate.content and candidate.content.parts) or []:
            yield from _part(part, provider, seed)
        reason = candidate.finish_reason and candidate.finish_reason.value
        if reason in _FILTERED:
            raise ContentFiltered(provider, f"It names the reason “{reason}”.")
        if reason:
            yield ImagePiece(finish="stop")


def _part(part: Any, provider: str, seed: int | None) -> Iterator[ImagePiece]:
    """A picture, one in the making (a thought), or words."""
    if part.inline_data and part.inline_data.data:
        if part.thought:
            yield ImagePiece(preview=part.inline_data.data)
        else:
            yield ImagePiece(picture=from_bytes(part.inline_data.data, provider), seed=seed)
    elif part.text and not part.thought:
        yield ImagePiece(words=part.text)


def _usage(counted: Any) -> Usage:
    """As for text, and the tokens of pictures, which have a price of their own."""
    return replace(
        usage(counted),
        input_image_tokens=_pictures(counted.prompt_tokens_details),
        output_image_tokens=_pictures(counted.candidates_tokens_details),
    )


def _pictures(details: Any) -> int | None:
    counts = [d.token_count or 0 for d in details or [] if d.modality and d.modality.value == "IMAGE"]
    return sum(counts) if counts else None
