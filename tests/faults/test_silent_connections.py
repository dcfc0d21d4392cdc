"""Connections that say nothing, or never to its end: they are closed, and whoever speaks is answered."""

from __future__ import annotations

import asyncio
import threading
import time

import httpx
import uvicorn
from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import StreamingResponse
from starlette.routing import Route

from shared.ui.silent_connections import impatient
from tests.support.server import free_port

SOON = 0.3


async def slow(request: Request) -> StreamingResponse:
    async def pieces():  # type: ignore[no-untyped-def]
        for _ in range(3):
            await asyncio.sleep(SOON)
            yield b"x"

    return StreamingResponse(pieces())


def test_who_says_nothing_is_let_go_and_a_long_answer_is_not_cut_off() -> None:
    port = free_port()
    config = uvicorn.Config(Starlette(routes=[Route("/", slow)]), port=port, log_level="critical")
    impatient(config, SOON)
    server = uvicorn.Server(config)
    thread = threading.Thread(target=server.run, daemon=True)
    thread.start()
    try:
        while not server.started:
            time.sleep(0.01)

        async def silent(said: bytes) -> bytes:
            reader, writer = await asyncio.open_connection("127.0.0.1", port)
            writer.write(said)
            try:
                return await asyncio.wait_for(reader.read(), 20)
            finally:
                writer.close()

        async def all_of_them() -> list[bytes]:
            return list(await asyncio.gather(silent(b""), silent(b"GET / HTTP/1.1\r\nHost: x\r\nA: ")))

        assert asyncio.run(all_of_them()) == [b"", b""]
        assert httpx.get(f"http://127.0.0.1:{port}/", timeout=20).text == "xxx"
    finally:
        server.should_exit = server.force_exit = True
        thread.join(20)
