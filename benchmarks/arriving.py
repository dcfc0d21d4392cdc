"""A class that arrives: 200 people join by its code, open the page and ask at once; and how long it takes to join while
somebody guesses the code ten thousand times. Part of `crowding.py`.

The server is a real class: its gate, its queue and its budgets are before every run. The engine only keeps time, and
its lane is as wide as the class, so that what is measured is the server and not how long an engine lets people wait.
"""

from __future__ import annotations

import asyncio
import json
import re
import secrets
import tempfile
import time
from collections.abc import Sequence
from contextlib import suppress
from typing import Any

import httpx
from load import Endpoint, call, endpoint
from measuring import free_port, row, started, stopped
from people import PEOPLE, Person, failed, read, request

PHRASE = "a-benchmarks-own"
WRONG, AT_ONCE = 10_000, 200  # codes that are guessed, and connections by which that is done
KNOWING = 20  # people who know the code and come meanwhile


def arrived(files: list[str]) -> list[dict[str, Any]]:
    """The rows. `files`: what a page asks for."""
    port = free_port()
    with tempfile.TemporaryDirectory() as folder:
        told = {"PLAYGROUND_CLASS": "1", "PLAYGROUND_CLASS_PASSPHRASE": PHRASE, "PLAYGROUND_DATA": folder}
        child, _ = started(["benchmarks/paced_space.py"], port, told)
        try:
            return [asyncio.run(_burst(port, files)), asyncio.run(_guessing(port))]
        finally:
            stopped(child)


async def _burst(port: int, files: list[str]) -> dict[str, Any]:
    base = f"http://127.0.0.1:{port}"
    limits = httpx.Limits(max_connections=None, max_keepalive_connections=None)
    async with httpx.AsyncClient(timeout=600, limits=limits) as client:
        code = await _code(client, base)
        first = await joined(port, code)
        where = await endpoint(client, base, "chat", {"cookie": first})

        async def one(number: int) -> tuple[float, float, float]:
            """Seconds until somebody was in, had the page, and had the first words of an answer."""
            begun = time.perf_counter()
            cookie = await joined(port, code)
            inside = time.perf_counter() - begun
            await Person(port, cookie).open_page(files)
            shown = time.perf_counter() - begun
            return inside, shown, shown + await _first_words(client, base, where, number, cookie)

        took = await asyncio.gather(*(one(number) for number in range(PEOPLE)), return_exceptions=True)
    good = [each for each in took if not isinstance(each, BaseException)]
    if not good:
        raise RuntimeError(f"nobody got in: {failed(took)}")
    inside, shown, words = (sorted(times) for times in zip(*good, strict=True))
    details = f"joined {_p95(inside):.1f} s, page {_p95(shown):.1f} s, first words {_p95(words):.1f} s (p95)"
    details += f"; {PEOPLE - len(good)} of {PEOPLE} lost: {failed(took)}"
    what = f"class: {PEOPLE} join, open the page and ask, all at once"
    return row(what, words[-1], "s to the last one's first words", "<= 15", details)


async def _first_words(client: httpx.AsyncClient, base: str, where: Endpoint, number: int, cookie: str) -> float:
    took = await call(client, base, where, {"message": f"Go on ({number})", "model": "paced"}, {"cookie": cookie})
    if took.error or took.first is None:
        raise RuntimeError(took.error or "no words came")
    return took.first


async def _guessing(port: int) -> dict[str, Any]:
    base = f"http://127.0.0.1:{port}"
    async with httpx.AsyncClient(timeout=60) as client:
        code = await _code(client, base)
        alone = [await _timed(port, code) for _ in range(KNOWING)]
        left, refused = iter(range(WRONG)), 0

        async def guess() -> None:
            nonlocal refused
            for _ in left:
                status, _ = await _join(port, secrets.token_hex(3))
                refused += status == 403

        begun = time.perf_counter()
        guesses = [asyncio.create_task(guess()) for _ in range(AT_ONCE)]
        await asyncio.sleep(5)
        meanwhile = [await _timed(port, code) for _ in range(KNOWING)]
        await asyncio.gather(*guesses)
        took = time.perf_counter() - begun
    details = (
        f"p95 {_p95(alone) * 1000:.0f} ms before; {refused} of {WRONG} wrong codes by {AT_ONCE} connections of one"
    )
    details += f" address refused in {took:.0f} s, {took / WRONG * AT_ONCE:.1f} s each"
    return row("class: joining while somebody guesses codes", _p95(meanwhile), "s (p95)", "<= 1", details)


async def _timed(port: int, code: str) -> float:
    begun = time.perf_counter()
    await joined(port, code)
    return time.perf_counter() - begun


async def joined(port: int, code: str) -> str:
    """The cookie of somebody who joined. Raises `RuntimeError` where they were not let in."""
    status, head = await _join(port, code)
    found = re.search(rb"set-cookie: (playground_class=[^;\r]+)", head, re.IGNORECASE)
    if status != 200 or found is None:
        raise RuntimeError(f"not let in: {status}")
    return found[1].decode()


async def _join(port: int, code: str) -> tuple[int, bytes]:
    reader, writer = await asyncio.open_connection("127.0.0.1", port)
    body = json.dumps({"code": code, "name": ""}).encode()
    try:
        writer.write(request("/class/api/join", body=body))
        head, _ = await read(reader)
    finally:
        with suppress(OSError):
            writer.close()
    return int(head.split()[1]), head


async def _code(client: httpx.AsyncClient, base: str) -> str:
    (await client.post(f"{base}/class/api/unlock", json={"phrase": PHRASE})).raise_for_status()
    return str((await client.get(f"{base}/class/api/desk")).json()["facts"]["code"])


def _p95(values: Sequence[float]) -> float:
    return sorted(values)[min(len(values) - 1, int(len(values) * 0.95))]
