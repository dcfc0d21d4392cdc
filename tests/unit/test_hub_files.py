"""A hub's pages and the files of its machine: an event may open what somebody sent to it, and nothing else."""

from __future__ import annotations

import asyncio
from pathlib import Path
from typing import Any

import gradio as gr
import httpx
import pytest

from shared.settings import Settings
from shared.ui.hub import Found, build

SCRIPT = b"<svg xmlns='http://www.w3.org/2000/svg'><script>alert(1)</script></svg>"


class Visitor:
    """Of a hub with one page, whose one event gives back the file that it gets."""

    def __init__(self, client: httpx.AsyncClient) -> None:
        self.client, self.told = client, ""

    async def sends(self, name: str, data: bytes) -> str:
        """Where the file lies."""
        found: str = (await self.client.post("/x/gradio_api/upload", files={"files": (name, data)})).json()[0]
        return found

    async def gets_back(self, path: str, **more: Any) -> httpx.Response | None:
        """The file, where the event takes that path for one that was sent."""
        data = [{"path": path, "meta": {"_type": "gradio.FileData"}, **more}]
        said = await self.client.post("/x/gradio_api/run/same", json={"data": data})
        self.told = said.text
        return await self.client.get(said.json()["data"][0]["url"]) if said.status_code == 200 else None


def test_an_event_opens_what_was_sent_and_no_other_file(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("GRADIO_TEMP_DIR", str(tmp_path / "sent"))
    secret = tmp_path / "keys.txt"
    secret.write_text("a secret")

    async def visit() -> None:
        with gr.Blocks(analytics_enabled=False) as demo:
            file = gr.File()
            gr.Button().click(lambda path: path, file, file, api_name="same")
        app = build([Found("x", demo)], Settings(data_dir=tmp_path / "data"))
        async with httpx.AsyncClient(transport=httpx.ASGITransport(app), base_url="http://school.example") as client:
            visitor = Visitor(client)
            assert await visitor.gets_back("https://example.com/film.mp4") is None
            assert "not fetched" in visitor.told
            for more in ({}, {"url": "http://x.example/y"}, {"is_stream": True}):
                assert await visitor.gets_back(str(secret), **more) is None, more
            mine = await visitor.gets_back(await visitor.sends("mine.txt", b"mine"))
            drawn = await visitor.gets_back(await visitor.sends("x.svg", SCRIPT))
        assert mine is not None and mine.content == b"mine"
        # Scripts within an SVG that is shown would run as the page's own.
        assert drawn is not None and drawn.headers["content-disposition"].startswith("attachment")

    asyncio.run(visit())
