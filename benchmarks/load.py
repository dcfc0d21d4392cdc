"""Many people at once, by raw HTTP: page loads and streamed chats, as a browser asks for them.

    python benchmarks/load.py http://127.0.0.1:7860 --pages 200
    python benchmarks/load.py http://127.0.0.1:7860/chat --chats 200 --over 5 --tokens 64
    python benchmarks/load.py http://127.0.0.1:7860/chat --chats 20 --for 600

A page load is the page and every script and style that it names; what its scripts fetch later is told by `--also`, a
file of paths, one a line, as a browser's network panel lists them. A chat goes by Gradio's queue, as a page's does: it
joins with a session of its own and reads the stream of that session; the first output is the first message that holds
any. Told are the 50th and 95th of a hundred, for the first output and for the whole, and what failed. Gradio's own
Python client would be the bottleneck: here one process asks for all.
"""

from __future__ import annotations

import argparse
import asyncio
import json
import re
import secrets
import statistics
import sys
import time
from collections import Counter
from collections.abc import AsyncIterator, Awaitable, Callable, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any
from urllib.parse import urljoin

import httpx

PATIENCE = 600.0  # seconds
_NAMED = re.compile(r"""(?:src|href)=["']([^"']+\.(?:js|css)(?:\?[^"']*)?)["']""")
_BROWSER = {"accept-encoding": "gzip, deflate, br", "user-agent": "load"}


@dataclass(frozen=True)
class Took:
    """One person's one thing: seconds to the first output and in all, and how it failed ("" if it didn't)."""

    first: float | None
    whole: float
    size: int = 0
    error: str = ""


@dataclass
class Told:
    """What many took."""

    what: str
    took: list[Took] = field(default_factory=list)

    def summary(self) -> dict[str, Any]:
        """p50 and p95 of those that ended well, how many did, and each kind of error with its number."""
        good = [each for each in self.took if not each.error]
        return {
            "what": self.what,
            "ended": len(good),
            "errors": dict(Counter(each.error for each in self.took if each.error)),
            "first_output": _quantiles([each.first for each in good if each.first is not None]),
            "whole": _quantiles([each.whole for each in good]),
            "bytes_each": round(statistics.fmean(each.size for each in good)) if good else 0,
        }


def _quantiles(values: Sequence[float]) -> dict[str, float]:
    if not values:
        return {}
    ordered = sorted(values)
    at = {"p50": 0.5, "p95": 0.95, "max": 1.0}
    return {name: round(ordered[min(len(ordered) - 1, int(share * len(ordered)))], 3) for name, share in at.items()}


async def load_page(client: httpx.AsyncClient, base: str, also: Sequence[str] = ()) -> Took:
    """The page, what it names and `also` these, six files at a time, as browsers do."""
    begun, first, size = time.perf_counter(), None, 0
    answer = await client.get(base)
    answer.raise_for_status()
    first, size = time.perf_counter() - begun, answer.num_bytes_downloaded
    gate = asyncio.Semaphore(6)

    async def fetch(name: str) -> int:
        async with gate:
            got = await client.get(urljoin(str(answer.url), name))
            got.raise_for_status()
            return got.num_bytes_downloaded

    sizes = await asyncio.gather(*map(fetch, dict.fromkeys([*_NAMED.findall(answer.text), *also])))
    return Took(first, time.perf_counter() - begun, size + sum(sizes))


@dataclass(frozen=True)
class Endpoint:
    """A named endpoint of a Space, as its queue wants it: the number of its function, and a value for each input."""

    number: int
    inputs: tuple[tuple[str, Any], ...]

    def data(self, given: dict[str, Any]) -> list[Any]:
        """The inputs in order, with these values in place of their defaults."""
        return [given.get(name, value) for name, value in self.inputs]


async def endpoint(
    client: httpx.AsyncClient, base: str, name: str, headers: Mapping[str, str] | None = None
) -> Endpoint:
    """Look it up in the Space's own description. Raises `SystemExit` where there is none by that name."""
    config = (await client.get(f"{base}/config", headers=headers)).json()
    numbers = [each["id"] for each in config["dependencies"] if each.get("api_name") == name]
    told = (await client.get(f"{base}/gradio_api/info", headers=headers)).json()["named_endpoints"].get(f"/{name}")
    if not numbers or told is None:
        raise SystemExit(f"{base} has no endpoint /{name}.")
    pairs = ((each["parameter_name"], each.get("parameter_default")) for each in told["parameters"])
    return Endpoint(numbers[0], tuple(pairs))


async def call(
    client: httpx.AsyncClient,
    base: str,
    what: Endpoint,
    given: dict[str, Any],
    headers: Mapping[str, str] | None = None,
    session: str = "",
) -> Took:
    """One run through the queue, to its end. `session`: of the page that asks; without one a page of its own."""
    begun, session = time.perf_counter(), session or secrets.token_hex(8)
    body = {"data": what.data(given), "fn_index": what.number, "session_hash": session, "event_data": None}
    joined = await client.post(f"{base}/gradio_api/queue/join", json=body, headers=headers)
    if joined.status_code != 200:
        return Took(None, time.perf_counter() - begun, error=f"join {joined.status_code}")
    first, size = None, 0
    async for told in _messages(client, f"{base}/gradio_api/queue/data?session_hash={session}", headers):
        size += len(str(told))
        kind = told.get("msg")
        if kind in {"process_generating", "process_completed"} and first is None and _holds_text(told):
            first = time.perf_counter() - begun
        if kind == "process_completed":
            whole = time.perf_counter() - begun
            failed = "" if told.get("success") else f"failed: {_why(told)}"
            return Took(first, whole, size, failed)
    return Took(first, time.perf_counter() - begun, size, "the stream broke off")


async def _messages(
    client: httpx.AsyncClient, url: str, headers: Mapping[str, str] | None
) -> AsyncIterator[dict[str, Any]]:
    async with client.stream("GET", url, headers=headers) as stream:
        async for line in stream.aiter_lines():
            if line.startswith("data:"):
                yield json.loads(line[5:])


def _holds_text(told: dict[str, Any]) -> bool:
    """Whether any words of an answer are in it: a text, a value's `text`, or a change of one."""
    output = told.get("output") or {}
    return any(_has_text(each) for each in output.get("data") or [])


def _has_text(value: Any) -> bool:
    if isinstance(value, dict):
        return bool(value.get("text"))
    if isinstance(value, str):
        return bool(value)
    if isinstance(value, list):  # changes: ["append", ["text"], "words"]
        return any(isinstance(each, list) and "text" in (each[1:2] or [[]])[0] and bool(each[2]) for each in value)
    return False


def _why(told: dict[str, Any]) -> str:
    return str((told.get("output") or {}).get("error") or "no reason given")[:80]


async def crowd(what: str, count: int, over: float, one: Callable[[int], Awaitable[Took]]) -> Told:
    """That many people, who come within `over` seconds, evenly."""
    told = Told(what)

    async def person(number: int) -> None:
        await asyncio.sleep(over * number / max(1, count))
        begun = time.perf_counter()
        try:
            took = await one(number)
        except (httpx.HTTPError, json.JSONDecodeError, KeyError) as error:
            took = Took(None, time.perf_counter() - begun, error=type(error).__name__)
        told.took.append(took)

    await asyncio.gather(*map(person, range(count)))
    return told


async def soak(what: str, count: int, seconds: float, one: Callable[[int], Awaitable[Took]]) -> Told:
    """That many people who begin anew as soon as they have ended, for so long."""
    told, end = Told(what), time.monotonic() + seconds

    async def person(number: int) -> None:
        while time.monotonic() < end:
            told.took += (await crowd(what, 1, 0.0, lambda _: one(number))).took

    await asyncio.gather(*map(person, range(count)))
    return told


async def measure(options: argparse.Namespace) -> list[dict[str, Any]]:
    """What was asked for, one after the other."""
    base = options.url.rstrip("/")
    limits = httpx.Limits(max_connections=None, max_keepalive_connections=None)
    found: list[Told] = []
    async with httpx.AsyncClient(timeout=PATIENCE, limits=limits, headers=_BROWSER, follow_redirects=True) as client:
        if options.pages:
            also = Path(options.also).read_text("utf-8").split() if options.also else []
            found.append(
                await crowd("page loads", options.pages, options.over, lambda _: load_page(client, f"{base}/", also))
            )
        if options.chats:
            chat = await endpoint(client, base, options.endpoint)
            given = json.loads(options.arguments) if options.arguments else {"max_tokens": options.tokens}

            def ask(number: int) -> Awaitable[Took]:
                return call(client, base, chat, {"message": f"{options.message} ({number})", **given})

            what = f"streams of /{options.endpoint}"
            if options.seconds:
                found.append(await soak(what, options.chats, options.seconds, ask))
            else:
                found.append(await crowd(what, options.chats, options.over, ask))
    return [told.summary() for told in found]


def main() -> int:
    """Measure, and print one JSON object a line; 1 where anything failed."""
    parser = argparse.ArgumentParser(description=__doc__.partition("\n")[0])
    parser.add_argument("url", help="a Space's own address: http://host:port, or http://host:port/chat on the hub")
    parser.add_argument("--pages", type=int, default=0, help="how many people load the page at once")
    parser.add_argument("--also", default="", help="a file of paths that a page load asks for besides, one a line")
    parser.add_argument("--chats", type=int, default=0, help="how many people ask at once")
    parser.add_argument("--over", type=float, default=0.0, help="seconds within which they come (all at once)")
    parser.add_argument("--for", dest="seconds", type=float, default=0.0, help="seconds for which each asks anew")
    parser.add_argument("--endpoint", default="chat", help="the endpoint that is asked (chat)")
    parser.add_argument("--message", default="Tell me a long story about the sea.", help="what is asked")
    parser.add_argument("--tokens", type=int, default=64, help="the longest answer")
    parser.add_argument("--arguments", default="", help="the endpoint's other arguments, as JSON, instead of --tokens")
    rows = asyncio.run(measure(parser.parse_args()))
    for each in rows:
        print(json.dumps(each))
    return int(any(each["errors"] for each in rows))


if __name__ == "__main__":
    sys.exit(main())
