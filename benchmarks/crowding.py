"""A class that comes at once: 200 people open the page, and 200 ask, of an engine that only keeps time; then some
minutes of it, with the server's memory before and after; and the first minute of a real class (`arriving.py`).

    python benchmarks/crowding.py [--for SECONDS]
"""

from __future__ import annotations

import argparse
import asyncio
import json
import shutil
import subprocess
import sys
import time
from pathlib import Path
from typing import Any

sys.path.insert(0, str(Path(__file__).resolve().parents[1]))

import httpx
import psutil
from arriving import arrived
from load import Endpoint, Told, call, crowd, endpoint, soak
from measuring import free_port, give, row, started, stopped
from people import PEOPLE, Person

ROUNDS = 3
SOAK = 60.0  # seconds; a lesson's hour is 600 of these people who ask without a pause


def page_files(port: int) -> list[str]:
    """What a first visit asks for, as a real browser does; what it says of its own session is left out."""
    from playwright.sync_api import sync_playwright

    base, asked = f"http://127.0.0.1:{port}", []
    with sync_playwright() as playwright:
        path = shutil.which("chromium") or shutil.which("google-chrome")
        browser = playwright.chromium.launch(executable_path=path, args=["--no-sandbox"])
        page = browser.new_page()
        page.on("request", lambda request: asked.append(request.url))
        page.goto(base)
        page.locator("#box textarea").wait_for()
        page.wait_for_timeout(3000)  # the page keeps a stream open, so that its network never rests
        browser.close()
    files = [url.removeprefix(base) for url in asked if url.startswith(f"{base}/") and "/gradio_api/" not in url]
    return sorted({file for file in files if file != "/"})


async def pages(port: int, files: list[str]) -> float:
    """Seconds until the last of all has the page and its files, the median of some rounds."""
    await Person(port).open_page(files)
    took = []
    for _ in range(ROUNDS):
        begun = time.perf_counter()
        await asyncio.gather(*(Person(port).open_page(files) for _ in range(PEOPLE)))
        took.append(time.perf_counter() - begun)
    return sorted(took)[len(took) // 2]


async def chats(port: int, count: int, seconds: float = 0.0) -> Told:
    """That many people ask at once, or again and again for so long."""
    limits = httpx.Limits(max_connections=None, max_keepalive_connections=None)
    base = f"http://127.0.0.1:{port}"
    async with httpx.AsyncClient(timeout=600, limits=limits) as client:
        where: Endpoint = await endpoint(client, base, "chat")

        def one(number: int, page: str = "") -> Any:
            return call(client, base, where, {"message": f"Go on ({number})", "model": "paced"}, session=page)

        if seconds:  # each from their own page, which they keep open
            return await soak("chats", count, seconds, lambda number: one(number, f"soak{number}"))
        return await crowd("chats", count, 0.0, one)


def main() -> None:
    """All of it, over one server."""
    parser = argparse.ArgumentParser(description=__doc__.partition("\n")[0])
    parser.add_argument("--for", dest="seconds", type=float, default=SOAK, help="seconds of asking again and again")
    options = parser.parse_args()
    port = free_port()
    child, _ = started(["benchmarks/paced_space.py"], port)
    try:
        give(measured(port, child, options.seconds))
    finally:
        stopped(child)


def measured(port: int, child: subprocess.Popen[bytes], seconds: float) -> list[dict[str, Any]]:
    """The rows."""
    files = page_files(port)
    took = asyncio.run(pages(port, files))
    details = f"{len(files) + 1} files each, median of {ROUNDS}, no proxy"
    rows = [row(f"class: {PEOPLE} people open the page at once", took, "s", "<= 6", details)]
    alone = asyncio.run(chats(port, 1)).summary()["whole"]["p50"]
    all_at_once = [asyncio.run(chats(port, PEOPLE)).summary() for _ in range(ROUNDS)]
    p95 = sorted(each["whole"]["p95"] for each in all_at_once)[ROUNDS // 2]
    lost = sum(PEOPLE - each["ended"] for each in all_at_once)
    failed = json.dumps([each["errors"] for each in all_at_once])
    details = f"p95 {p95:.2f} s, {alone:.2f} s alone, median of {ROUNDS}; {lost} of {PEOPLE * ROUNDS} lost: {failed}"
    rows.append(row(f"class: {PEOPLE} streams at once / one alone", p95 / alone, "times", "<= 2.5", details))
    rows.append(_soaked(port, child, seconds))
    return [*rows, *arrived(files)]


def _soaked(port: int, child: subprocess.Popen[bytes], seconds: float) -> dict[str, Any]:
    """A quarter of the people ask again and again; memory is looked at before, half-way and at the end."""
    memory = psutil.Process(child.pid).memory_info
    seen, errors, ended = [memory().rss], [], 0
    for _ in range(2):
        told = asyncio.run(chats(port, PEOPLE // 4, seconds / 2)).summary()
        seen.append(memory().rss)
        errors.append(told["errors"])
        ended += told["ended"]
    grown, late = seen[2] / seen[0] - 1, seen[2] / seen[1] - 1
    details = f"{ended} answers in {seconds:.0f} s, {seen[0] / 2**20:.0f} MB before, {late:.3f} in the second half"
    return row("class: memory grown", max(grown, 0.0), "of all", "<= 0.1", f"{details}; errors: {errors}")


if __name__ == "__main__":
    main()
