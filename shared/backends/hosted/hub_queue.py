"""Providers behind the Hub's router that answer with a place in a queue: asks until the picture is there."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable, Mapping
from typing import Any
from urllib.parse import urlsplit

from shared.backends.hosted.image_model import ImageCall
from shared.backends.hosted.pictures import no_picture
from shared.backends.hosted.watching import EVERY

Ask = Callable[[str], Awaitable[Any]]  # a path at the router -> what it answers


async def settled(provider: str, body: Any, asked: str, headers: Mapping[str, str], call: ImageCall) -> Any:
    """What the provider says once it has drawn; `body` itself where it drew at once. `asked`: the request's address.

    Only paths are taken from what the provider says: the key goes to the router and nowhere else.
    """
    wait = _QUEUES.get(provider)
    if wait is None or not isinstance(body, dict):
        return body
    origin, query = urlsplit(asked), urlsplit(asked).query
    root = f"{origin.scheme}://{origin.netloc}/{provider}"

    async def ask(path: str) -> Any:
        answer = await call.http.get(f"{root}{path}" + (f"?{query}" if query else ""), headers=dict(headers))
        answer.raise_for_status()
        return answer.json()

    try:
        return await wait(body, ask)
    except (KeyError, TypeError, AttributeError):
        raise no_picture(call.account.name) from None


async def _fal(body: dict[str, Any], ask: Ask) -> Any:
    """fal puts edits of a picture in a queue; a picture from words comes at once."""
    if "response_url" not in body:
        return body
    path = urlsplit(str(body["response_url"])).path
    state = body.get("status")
    while state != "COMPLETED":
        await asyncio.sleep(EVERY)
        state = (await ask(f"{path}/status"))["status"]
        if state not in {"IN_QUEUE", "IN_PROGRESS", "COMPLETED"}:
            return {"status": "failed", "error": f"its queue says {state}"}
    return await ask(path)


async def _wavespeed(body: dict[str, Any], ask: Ask) -> Any:
    path = urlsplit(str(body["data"]["urls"]["get"])).path
    while True:
        await asyncio.sleep(EVERY)
        data = (await ask(path))["data"]
        if data["status"] == "completed":
            return {"output": data["outputs"]}
        if data["status"] not in {"created", "processing"}:
            return {"status": "failed", "error": data.get("error")}


_QUEUES: Mapping[str, Callable[[dict[str, Any], Ask], Awaitable[Any]]] = {"fal-ai": _fal, "wavespeed": _wavespeed}
