"""Hugging Face's inference providers that make clips, asked in the form that `huggingface_hub` gives each.

Its own `text_to_video` waits in a way that can't be stopped or gone on with later, and fetches from any address.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any
from urllib.parse import urlsplit

from shared.backends.endpoints import PROVIDERS
from shared.backends.hosted import hub_providers
from shared.backends.hosted.account import Account, provider_account
from shared.backends.hosted.clip_model import ClipCall, HostedClips
from shared.backends.hosted.clips import MAKERS, ClipProfile
from shared.backends.hosted.job_frame import Seen, Sent
from shared.backends.hosted.queues import CLIP, QUEUES, at_once
from shared.errors import KeyRefused

if TYPE_CHECKING:
    from shared.catalog import Variant
    from shared.settings import Settings

_SETTINGS = ("negative_prompt", "num_frames", "num_inference_steps", "guidance_scale", "seed")
_SPLIT = " "  # between a provider and the path of a job there


class HuggingFaceVideo(HostedClips):
    """`variant.options["provider"]`: one of the Hub's inference providers, or "auto"."""

    package = distribution = "huggingface_hub"
    provider = "huggingface"

    def account(self, variant: Variant, settings: Settings) -> Account:
        """Raises `MissingCredentials` without a token."""
        return provider_account("huggingface", settings)

    def profile(self, variant: Variant) -> ClipProfile:
        """What `clips.toml` says."""
        return MAKERS["huggingface"].profile(variant.repo_id)

    async def prepared(self, call: ClipCall) -> Any:
        """Which provider runs it, and the request in that one's form."""
        await super().prepared(call)
        if not call.account.reveal().startswith("hf_"):  # its requests would go to the provider itself
            raise KeyRefused(call.account.name, PROVIDERS["huggingface"].env_var)
        task = "text-to-video" if call.request.image is None else "image-to-video"
        provider, provider_id = await hub_providers.choose(call, task)
        given = {name: getattr(call.request, name) for name in _SETTINGS}
        inputs: Any = call.prompt
        if call.request.image is not None:
            inputs, given["prompt"] = call.request.image.data, call.prompt
        return provider, hub_providers.written(call, task, provider, provider_id, inputs, given)

    async def submit(self, call: ClipCall, prepared: Any) -> Sent:
        """By the router. A provider without a queue answers when all is done."""
        import httpx2

        provider, made = prepared
        router = httpx2.URL(call.account.base_url)
        url = httpx2.URL(made.url).copy_with(scheme=router.scheme, host=router.host, port=router.port)
        answer = await call.http.post(url, json=made.json, content=made.data, headers=dict(made.headers))
        answer.raise_for_status()
        body = answer.json()
        facts = {"inference_provider": provider}
        left = hub_providers.left_out(call, made, provider, _SETTINGS[:-1], "makes")
        if left:
            facts["unhonoured"] = left
        if provider not in QUEUES:
            return Sent(upstream="", seen=_with(at_once(body, call.name), facts))
        path = QUEUES[provider].path(body)
        query = f"?{url.query.decode()}" if url.query else ""
        return Sent(upstream=f"{provider}{_SPLIT}{path}{query}", seen=Seen(facts=facts))

    async def look(self, call: ClipCall, upstream: str) -> Seen:
        """Only paths are taken from what a provider said: the key goes to the router and nowhere else."""
        provider, _, where = upstream.partition(_SPLIT)
        path, _, query = where.partition("?")
        origin = urlsplit(call.account.base_url)
        root = f"{origin.scheme}://{origin.netloc}/{provider}"

        async def ask(path: str) -> Any:
            asked = f"{root}{path}" + (f"?{query}" if query else "")
            return await call.http.get(asked, headers=call.account.headers())

        seen = await QUEUES[provider].look(ask, path, f"{provider} (for {call.name})", CLIP)
        return _with(seen, {"inference_provider": provider})


def _with(seen: Seen, facts: dict[str, Any]) -> Seen:
    return Seen(ready=seen.ready, progress=seen.progress, words=seen.words, facts={**seen.facts, **facts})
