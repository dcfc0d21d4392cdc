"""Hugging Face's inference providers that draw, asked in the form that `huggingface_hub` gives each.

Its own `text_to_image` unpacks a picture, and with it throws away what proves where the picture came from; and it
fetches pictures from any address, of any size. So its requests are sent, and its answers read, here.
"""

from __future__ import annotations

from collections.abc import AsyncIterator
from typing import TYPE_CHECKING, Any

from shared.backends.endpoints import PROVIDERS
from shared.backends.hosted import hub_providers
from shared.backends.hosted.account import Account, provider_account
from shared.backends.hosted.download import fetch
from shared.backends.hosted.drawing import DRAWERS, DrawingProfile
from shared.backends.hosted.failures import UNSAFE
from shared.backends.hosted.hub_queue import settled
from shared.backends.hosted.image_model import HostedImages, ImageCall, ImagePiece
from shared.backends.hosted.pictures import from_base64, from_bytes, no_picture
from shared.backends.hosted.redaction import redact
from shared.errors import ContentFiltered, KeyRefused, ProviderError
from shared.requests import ImagePart

if TYPE_CHECKING:
    from huggingface_hub.inference._common import RequestParameters

    from shared.catalog import Variant
    from shared.settings import Settings


class HuggingFaceImages(HostedImages):
    """`variant.options["provider"]`: one of the Hub's inference providers, or "auto"."""

    package = distribution = "huggingface_hub"

    def account(self, variant: Variant, settings: Settings) -> Account:
        """Raises `MissingCredentials` without a token."""
        return provider_account("huggingface", settings)

    def profile(self, variant: Variant) -> DrawingProfile:
        """What `drawing.toml` says."""
        return DRAWERS["huggingface"].profile(variant.repo_id)

    async def stream(self, call: ImageCall) -> AsyncIterator[ImagePiece]:
        """One picture a call, each with a seed of its own."""
        if not call.account.reveal().startswith("hf_"):  # its requests would go to the provider itself
            raise KeyRefused(call.account.name, PROVIDERS["huggingface"].env_var)
        provider, provider_id = await hub_providers.choose(call, hub_providers.task_of(call))
        yield ImagePiece(progress=f"{provider} draws", facts={"inference_provider": provider})
        for number in range(call.count):
            seed = call.seed(number)
            made = hub_providers.request_for(call, provider, provider_id, seed)
            if left := hub_providers.left_out(call, made, provider):
                yield ImagePiece(facts={"unhonoured": left})
            yield ImagePiece(picture=await _picture(call, provider, made), seed=seed)
        yield ImagePiece(finish="stop")


async def _picture(call: ImageCall, provider: str, made: RequestParameters) -> ImagePart:
    """Ask the router for it. Raises what a refusal raises, or `ProviderError`."""
    import httpx2

    router = httpx2.URL(call.account.base_url)
    url = httpx2.URL(made.url).copy_with(scheme=router.scheme, host=router.host, port=router.port)
    headers = {"accept": "image/png", **made.headers}
    answer = await call.http.post(url, json=made.json, content=made.data, headers=headers)
    answer.raise_for_status()
    name = call.account.name
    if answer.headers.get("content-type", "").startswith("image/"):
        return from_bytes(answer.content, name)
    body = await settled(provider, answer.json(), str(url), made.headers, call)
    _refusal(body, name)
    found = _found(body)
    if found is None:
        raise no_picture(name)
    if found.startswith(("http://", "https://", "data:")):
        return from_bytes(await fetch(found, call), name)
    return from_base64(found, name)


def _found(body: Any) -> str | None:
    """The base64 or the address of the picture, wherever a provider puts it."""
    body = body if isinstance(body, dict) else {}
    for place in ("data", "images", "output"):
        first = body.get(place)
        first = first[0] if isinstance(first, list) and first else first
        if isinstance(first, str):
            return first
        if isinstance(first, dict):
            return next((v for k in ("b64_json", "url") if isinstance(v := first.get(k), str) and v), None)
    return None


def _refusal(body: Any, name: str) -> None:
    """Raise for what some providers say with status 200: fal draws all black, Replicate reports a failure."""
    if not isinstance(body, dict):
        return
    flags = body.get("has_nsfw_concepts")
    if isinstance(flags, list) and any(flag is True for flag in flags):
        raise ContentFiltered(name, "It saw something unsafe in the picture.")
    if body.get("status") in {"failed", "canceled"}:
        words = redact(str(body.get("error") or "it gave no reason"))
        if UNSAFE.search(words):
            raise ContentFiltered(name, words)
        raise ProviderError(name, f"{name} failed to draw this: {words}")
