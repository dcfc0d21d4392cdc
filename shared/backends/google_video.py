"""Google's Gemini Omni by `google-genai`'s interactions, in the background: clips with sound, from words or a picture.

https://ai.google.dev/gemini-api/docs/video. Veo is no longer served by this API.
"""

from __future__ import annotations

import base64
import binascii
import re
from dataclasses import replace
from typing import TYPE_CHECKING, Any
from urllib.parse import urlsplit, urlunsplit

from shared.backends.base import Usage
from shared.backends.google_chat import google_client
from shared.backends.hosted.account import Account, provider_account
from shared.backends.hosted.clip_files import no_clip
from shared.backends.hosted.clip_model import ClipCall, ClipPiece, HostedClips
from shared.backends.hosted.clips import MAKERS, ClipProfile
from shared.backends.hosted.download import same_server
from shared.backends.hosted.job_frame import CameToNothing, Seen, Sent
from shared.backends.hosted.redaction import redact
from shared.errors import ContentFiltered, ModelRetired, ProviderError

if TYPE_CHECKING:
    from shared.catalog import Variant
    from shared.settings import Settings

_FILE = re.compile(r"/v1(beta|alpha)?/files/[\w-]+$")
_WORKING = frozenset({"in_progress", "queued"})


class GoogleVideo(HostedClips):
    """Omni models by their own names in `variant.repo_id`."""

    package, distribution = "google.genai", "google-genai"
    provider = "google"
    cancels = True

    def account(self, variant: Variant, settings: Settings) -> Account:
        """Raises `MissingCredentials` without a key, `ModelRetired` for Veo, which this API no longer serves."""
        account = provider_account("google", settings)
        if variant.repo_id.startswith("veo"):
            raise ModelRetired(account.name, variant.repo_id, "a Gemini Omni model, or Veo by Runway")
        return account

    def profile(self, variant: Variant) -> ClipProfile:
        """What `clips.toml` says of the model."""
        return MAKERS["google"].profile(variant.repo_id)

    async def submit(self, call: ClipCall, prepared: Any) -> Sent:
        """One interaction, which goes on when the connection doesn't."""
        client: Any = google_client(call.account, call.http)
        size = call.size
        wanted = {
            "type": "video",
            "delivery": "uri",
            "duration": None if call.seconds is None else f"{call.seconds:g}s",
            "aspect_ratio": size.name if size else None,
            "resolution": (size.scale or None) if size else None,
        }
        made = await client.aio.interactions.create(
            model=call.variant.repo_id,
            input=_input(call),
            background=True,
            store=True,
            response_format={name: value for name, value in wanted.items() if value is not None},
        )
        return Sent(upstream=str(made.id))

    async def look(self, call: ClipCall, upstream: str) -> Seen:
        """What the interaction has come to."""
        client: Any = google_client(call.account, call.http)
        made = await client.aio.interactions.get(upstream)
        if made.status in _WORKING:
            return Seen()
        if made.status != "completed":
            raise CameToNothing(_failure(made, call.name))
        video = made.output_video
        if video is None or not (video.data or video.uri):
            said = f" The model said: “{redact(made.output_text)}”" if made.output_text else ""
            raise CameToNothing(ContentFiltered(call.name, f"It made no clip.{said}"))
        facts = {"served_model": str(made.model or ""), "request_id": upstream, "usage": _usage(made.usage)}
        return Seen(ready=video.uri or _bytes(str(video.data), call.name), facts=facts)

    async def fetch(self, call: ClipCall, seen: Seen) -> ClipPiece:
        """Google's own server wants the key for a file, and may send on to where it lies, which gets no key."""
        if not isinstance(seen.ready, str) or not same_server(seen.ready, call):
            return await super().fetch(call, seen)
        seen = replace(seen, ready=_download(seen.ready))
        return await self.with_key(call, seen, {"x-goog-api-key": call.account.reveal()})

    async def stop(self, call: ClipCall, upstream: str) -> None:
        """Cancel the interaction."""
        client: Any = google_client(call.account, call.http)
        await client.aio.interactions.cancel(upstream)


def _download(uri: str) -> str:
    """Where the file itself is: `.../files/abc` alone tells only of it."""
    parts = urlsplit(uri)
    if not _FILE.search(parts.path):
        return uri
    return urlunsplit(parts._replace(path=f"{parts.path}:download", query="alt=media"))


def _input(call: ClipCall) -> Any:
    start = call.request.image
    if start is None:
        return call.prompt
    picture = {"type": "image", "data": base64.b64encode(start.data).decode(), "mime_type": start.media_type}
    return [picture, {"type": "text", "text": call.prompt}]


def _bytes(text: str, name: str) -> bytes:
    try:
        return base64.b64decode(text, validate=True)
    except (binascii.Error, ValueError):
        raise CameToNothing(no_clip(name)) from None


def _failure(made: Any, name: str) -> ProviderError:
    told = [f"{each.code or ''} {each.message or ''}".strip() for each in made.errors or []]
    words = redact("; ".join(told))
    if made.status == "cancelled":
        return ProviderError(name, f"The job was called off at {name}. Run it again if it is still wanted.")
    if any(mark in words.lower() for mark in ("safety", "policy", "prohibited", "blocked")):
        return ContentFiltered(name, words)
    return ProviderError(name, f"{name} failed to make the clip ({made.status}). {words or 'It gave no reason.'}")


def _usage(counted: Any) -> Usage | None:
    """Tokens, of which those of the clip have a price of their own."""
    if counted is None or counted.total_output_tokens is None:
        return None
    of_video = [m.tokens or 0 for m in counted.output_tokens_by_modality or [] if str(m.modality).lower() == "video"]
    return Usage(
        input_tokens=counted.total_input_tokens or 0,
        output_tokens=max(counted.total_output_tokens, sum(of_video)),
        output_video_tokens=sum(of_video) or None,
    )
