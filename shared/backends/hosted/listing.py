"""Asks providers which models they serve, each in its own way."""

from __future__ import annotations

from collections.abc import AsyncIterator, Callable, Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from shared.backends.hosted.account import Account

if TYPE_CHECKING:
    import httpx2


@dataclass(frozen=True, kw_only=True)
class Listed:
    """A model as its provider lists it. `ends`: the day it stops, as YYYY-MM-DD. `context_length` in tokens."""

    name: str
    title: str = ""
    context_length: int | None = None
    images: bool | None = None
    thinks: bool | None = None
    retired: bool = False
    ends: str = ""


Lister = Callable[[Account, "httpx2.AsyncClient"], AsyncIterator[Listed]]


async def _openai(account: Account, http: httpx2.AsyncClient) -> AsyncIterator[Listed]:
    from shared.backends.hosted.openai_client import openai_client

    async for model in openai_client(account, http).models.list():
        yield Listed(name=model.id, ends=str(getattr(model, "shutdown_date", None) or "")[:10])


async def _anthropic(account: Account, http: httpx2.AsyncClient) -> AsyncIterator[Listed]:
    from shared.backends.anthropic_chat import anthropic_client

    client = anthropic_client(account, http)
    async for model in client.models.list(limit=1000, lifecycle=["active", "deprecated", "retired"]):
        can = getattr(model, "capabilities", None)
        ends = getattr(model, "retires_at", None)
        yield Listed(
            name=model.id,
            title=getattr(model, "display_name", "") or "",
            context_length=getattr(model, "max_input_tokens", None),
            images=_supported(can, "image_input"),
            thinks=_supported(can, "thinking"),
            retired=getattr(model, "lifecycle", "") == "retired",
            ends=ends.date().isoformat() if ends else "",
        )


def _supported(capabilities: Any, name: str) -> bool | None:
    found = getattr(getattr(capabilities, name, None), "supported", None)
    return found if isinstance(found, bool) else None


async def _google(account: Account, http: httpx2.AsyncClient) -> AsyncIterator[Listed]:
    from shared.backends.google_chat import google_client

    async for model in await google_client(account, http).aio.models.list(config={"page_size": 1000}):
        if "generateContent" in (model.supported_actions or []):
            yield Listed(
                name=(model.name or "").removeprefix("models/"),
                title=model.display_name or "",
                context_length=model.input_token_limit,
                thinks=model.thinking,
            )


async def _compatible(account: Account, http: httpx2.AsyncClient) -> AsyncIterator[Listed]:
    """`GET /models`: an object with `data`, or a bare list at some. Servers add fields of their own."""
    answer = await http.get(f"{account.root}/models", headers=account.headers())
    answer.raise_for_status()
    body = answer.json()
    for row in body.get("data") or [] if isinstance(body, dict) else body:
        if isinstance(row, dict) and row.get("id") and _chats(row):
            yield _row(row)


def _chats(row: Mapping[str, Any]) -> bool:
    """Whether the row's own words allow it to be a chat model (Mistral and Together say so, others don't)."""
    can = row.get("capabilities")
    if isinstance(can, dict) and can.get("completion_chat") is False:
        return False
    return row.get("type") in {None, "chat", "model", "base", "language"} and row.get("active") is not False


def _row(row: Mapping[str, Any]) -> Listed:
    providers = [p for p in row.get("providers") or [] if isinstance(p, dict)]
    sizes = [row.get(name) for name in ("context_length", "context_window", "max_model_len", "max_context_length")]
    sizes += [p.get("context_length") for p in providers]
    inputs = (row.get("architecture") or {}).get("input_modalities")
    return Listed(
        name=str(row["id"]),
        title=str(row.get("name") or row.get("display_name") or ""),
        context_length=next((size for size in sizes if isinstance(size, int) and size > 0), None),
        images="image" in inputs if isinstance(inputs, list) else None,
        ends=str(row.get("deprecation") or "")[:10],
    )


# provider -> how it is asked; every other endpoint is asked as an OpenAI-compatible one
LISTERS: Mapping[str, Lister] = {"openai": _openai, "anthropic": _anthropic, "google": _google}
OTHERS: Lister = _compatible
PACKAGES: Mapping[str, str] = {"openai": "openai", "anthropic": "anthropic", "google": "google.genai"}
