"""fal's models by its queue, without Hugging Face between: https://fal.ai/docs/inference-api/queue."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from shared.backends.hosted.account import Account, account_at
from shared.backends.hosted.clip_model import ClipCall, HostedClips
from shared.backends.hosted.clips import MAKERS, PROVIDERS, ClipProfile
from shared.backends.hosted.job_frame import Seen, Sent
from shared.backends.hosted.queues import QUEUES

if TYPE_CHECKING:
    from shared.catalog import Variant
    from shared.settings import Settings

_QUEUE = QUEUES["fal-ai"]
_FROM_WORDS, _FROM_PICTURE = "text-to-video", "image-to-video"  # ends of the names of models that come in two


class FalVideo(HostedClips):
    """Models by their endpoint's name at fal in `variant.repo_id`, for example `fal-ai/pika/v2.2/text-to-video`."""

    package = distribution = "httpx2"
    provider = "fal"
    cancels = True

    def account(self, variant: Variant, settings: Settings) -> Account:
        """Raises `MissingCredentials` without a key."""
        return account_at(PROVIDERS["fal"], settings)

    def profile(self, variant: Variant) -> ClipProfile:
        """What `clips.toml` says of the model."""
        return MAKERS["fal"].profile(variant.repo_id)

    async def submit(self, call: ClipCall, prepared: Any) -> Sent:
        """Into the queue."""
        model = call.variant.repo_id
        if call.request.image is not None:
            model = model.removesuffix(_FROM_WORDS) + _FROM_PICTURE if model.endswith(_FROM_WORDS) else model
        answer = await call.http.post(f"{_root(call)}/{model}", json=_body(call), headers=_headers(call))
        answer.raise_for_status()
        return Sent(upstream=_QUEUE.path(answer.json()))

    async def look(self, call: ClipCall, upstream: str) -> Seen:
        """Only the path is taken from what fal said."""

        async def ask(path: str) -> Any:
            return await call.http.get(f"{_root(call)}{path}", headers=_headers(call))

        return await _QUEUE.look(ask, upstream, call.name)

    async def stop(self, call: ClipCall, upstream: str) -> None:
        """A job in the queue is taken out; one that runs is told to stop."""
        answer = await call.http.put(f"{_root(call)}{upstream}/cancel", headers=_headers(call))
        answer.raise_for_status()


def _root(call: ClipCall) -> str:
    return call.account.base_url.rstrip("/")


def _headers(call: ClipCall) -> dict[str, str]:
    return {"Authorization": f"Key {call.account.reveal()}"}


def _body(call: ClipCall) -> dict[str, Any]:
    request, size, profile = call.request, call.size, call.profile
    body: dict[str, Any] = {"prompt": call.prompt, **profile.body}
    if call.seconds is not None:
        body["duration"] = round(call.seconds)
    if size is not None and request.image is None:
        body["aspect_ratio"] = size.name
    if request.image is not None:
        body["image_url"] = request.image.data_url
    for name in ("seed", "negative_prompt"):
        if (value := getattr(request, name)) is not None:
            body[name] = value
    return body
