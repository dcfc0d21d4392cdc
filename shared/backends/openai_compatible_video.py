"""Servers that make clips by the form of OpenAI's Videos API: vLLM-Omni, SGLang, or one that a person names.

OpenAI itself serves it no more. https://docs.vllm.ai/projects/vllm-omni/en/latest/serving/videos_api/
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from shared.backends.hosted.account import Account, listed_account, row_of
from shared.backends.hosted.clip_model import ClipCall, ClipPiece, HostedClips
from shared.backends.hosted.clips import MAKERS, ClipProfile
from shared.backends.hosted.job_frame import Seen, Sent
from shared.backends.hosted.queues import refused

if TYPE_CHECKING:
    from shared.catalog import Variant
    from shared.settings import Settings

_WORKING = frozenset({"queued", "in_progress", "processing", "running", "pending"})


class OpenAICompatibleVideo(HostedClips):
    """`variant.options`: `endpoint` (a row's name), or `base_url` (a visitor's own server)."""

    package = distribution = "httpx2"
    provider = "openai_compatible"
    cancels = True

    def account(self, variant: Variant, settings: Settings) -> Account:
        """The row's account; for a visitor's own URL only the key typed for it in that session."""
        return listed_account(variant, settings, MAKERS, "makes no clips")

    def profile(self, variant: Variant) -> ClipProfile:
        """What `clips.toml` says of the server."""
        return row_of(variant, MAKERS).profile(variant.repo_id)

    async def submit(self, call: ClipCall, prepared: Any) -> Sent:
        """A form in parts, which all these servers read."""
        fields: dict[str, Any] = {name: (None, str(value)) for name, value in _fields(call).items()}
        if (start := call.request.image) is not None:
            fields["input_reference"] = ("first." + start.media_type.partition("/")[2], start.data, start.media_type)
        answer = await call.http.post(_url(call), files=fields, headers=call.account.headers())
        answer.raise_for_status()
        return Sent(upstream=str(answer.json()["id"]))

    async def look(self, call: ClipCall, upstream: str) -> Seen:
        """What the server says of the job."""
        answer = await call.http.get(_url(call, upstream), headers=call.account.headers())
        answer.raise_for_status()
        told = answer.json()
        status = str(told["status"])
        if status == "completed":
            return Seen(ready=_url(call, upstream, "content"), facts={"served_model": str(told.get("model") or "")})
        if status not in _WORKING:
            error = told.get("error") or {}
            raise refused(call.name, f"{error.get('code') or ''} {error.get('message') or status}".strip())
        progress = told.get("progress")
        return Seen(progress=progress / 100 if isinstance(progress, int | float) and progress else None)

    async def fetch(self, call: ClipCall, seen: Seen) -> ClipPiece:
        """From the server itself, with the key."""
        return await self.with_key(call, seen, call.account.headers())

    async def stop(self, call: ClipCall, upstream: str) -> None:
        """Deleting a job that runs is how it is stopped."""
        answer = await call.http.delete(_url(call, upstream), headers=call.account.headers())
        if answer.status_code != 404:
            answer.raise_for_status()


def _url(call: ClipCall, *parts: str) -> str:
    return "/".join([call.account.root, "videos", *parts])


def _fields(call: ClipCall) -> dict[str, Any]:
    size, sent_as = call.size, call.profile.sent_as
    fields: dict[str, Any] = {"prompt": call.prompt, "model": call.variant.repo_id, **call.profile.body, **call.given}
    if size is not None:
        fields["size"] = f"{size.width}x{size.height}"
    if call.seconds is not None and "num_frames" not in fields:
        fields["seconds"] = f"{call.seconds:g}"
    if "seed" not in sent_as and call.request.seed is not None:
        fields["seed"] = call.request.seed
    return fields
