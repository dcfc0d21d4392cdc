"""Runway's clips by its HTTP API: https://docs.dev.runwayml.com/api. Its SDK brings another HTTP client than ours."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

from shared.backends.hosted.account import Account, account_at
from shared.backends.hosted.clip_model import ClipCall, HostedClips
from shared.backends.hosted.clips import MAKERS, PROVIDERS, ClipProfile
from shared.backends.hosted.job_frame import CameToNothing, Seen, Sent
from shared.backends.hosted.redaction import redact
from shared.errors import ContentFiltered, ProviderError
from shared.pricing import Cost

if TYPE_CHECKING:
    from shared.catalog import Variant
    from shared.settings import Settings

_VERSION = "2024-11-06"  # of the API; every request must name it
_CENTS = 0.01  # dollars that a credit costs
_WORDS: Mapping[str, str] = {
    "PENDING": "Waiting in Runway's queue; you may leave, it is kept under “Jobs”",
    "THROTTLED": "Waiting until another of this account's jobs at Runway is done",
}


class RunwayVideo(HostedClips):
    """Models of api.dev.runwayml.com by their own names in `variant.repo_id`."""

    package = distribution = "httpx2"
    provider = "runway"
    cancels = True

    def account(self, variant: Variant, settings: Settings) -> Account:
        """Raises `MissingCredentials` without a key."""
        return account_at(PROVIDERS["runway"], settings)

    def profile(self, variant: Variant) -> ClipProfile:
        """What `clips.toml` says of the model."""
        return MAKERS["runway"].profile(variant.repo_id)

    async def submit(self, call: ClipCall, prepared: Any) -> Sent:
        """A task of either kind."""
        path = "text_to_video" if call.request.image is None else "image_to_video"
        answer = await call.http.post(_url(call, path), json=_body(call), headers=_headers(call))
        answer.raise_for_status()
        return Sent(upstream=str(answer.json()["id"]))

    async def look(self, call: ClipCall, upstream: str) -> Seen:
        """What the task says of itself."""
        answer = await call.http.get(_url(call, f"tasks/{upstream}"), headers=_headers(call))
        answer.raise_for_status()
        task = answer.json()
        status = task["status"]
        if status == "SUCCEEDED":
            facts = {"request_id": upstream, "served_model": call.variant.repo_id, **_charged(task)}
            return Seen(ready=str(task["output"][0]), facts=facts)
        if status in {"FAILED", "CANCELLED"}:
            raise CameToNothing(_failure(task, status, call.name))
        return Seen(progress=task.get("progress"), words=_WORDS.get(status, ""))

    async def stop(self, call: ClipCall, upstream: str) -> None:
        """Deleting a task that runs is how it is stopped."""
        answer = await call.http.delete(_url(call, f"tasks/{upstream}"), headers=_headers(call))
        if answer.status_code != 404:
            answer.raise_for_status()


def _url(call: ClipCall, path: str) -> str:
    return f"{call.account.root}/v1/{path}"


def _headers(call: ClipCall) -> dict[str, str]:
    return {**call.account.headers(), "X-Runway-Version": _VERSION}


def _body(call: ClipCall) -> dict[str, Any]:
    request, size = call.request, call.size
    body: dict[str, Any] = {
        "model": call.variant.repo_id,
        "promptText": call.prompt,
        "ratio": size.name if size else next(iter(call.profile.sizes.values())),
        **call.profile.body,
    }
    if call.seconds is not None:
        body["duration"] = round(call.seconds)
    if request.seed is not None:
        body["seed"] = request.seed
    if request.negative_prompt:
        body["negativePrompt"] = request.negative_prompt
    if request.image is not None:
        first = {"uri": request.image.data_url, "position": "first"}
        last = [{"uri": request.last_image.data_url, "position": "last"}] if request.last_image else []
        body["promptImage"] = [first, *last]
    return body


def _charged(task: dict[str, Any]) -> dict[str, Any]:
    """What it really cost, which Runway says in credits."""
    credits = (task.get("cost") or {}).get("credits")
    if not isinstance(credits, int | float):
        return {}
    return {"cost": Cost(round(credits * _CENTS, 4), f"{credits:g} credits charged, at a cent each")}


def _failure(task: dict[str, Any], status: str, name: str) -> ProviderError:
    code, words = str(task.get("failureCode") or ""), redact(str(task.get("failure") or ""))
    if code.startswith("SAFETY"):
        return ContentFiltered(name, words)
    if status == "CANCELLED":
        return ProviderError(name, f"The job was called off at {name}. Run it again if it is still wanted.")
    return ProviderError(name, f"{name} failed to make the clip: {words or code or 'it gave no reason'}. Try again.")
