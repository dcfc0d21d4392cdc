"""A server that a proxy shows under a path of its own: its pages, cards and shared outputs are found there."""

from __future__ import annotations

import asyncio
from pathlib import Path
from typing import Any

import gradio as gr
import httpx
import pytest

from shared.engine import Engine
from shared.settings import Settings, from_environment
from shared.ui.hub import Found, build
from shared.ui.jobs_panel import Owner
from shared.ui.sharing import Made, ShareRow
from tests.support.fakes import an_engine


def test_the_path_is_read_from_a_path_or_an_address() -> None:
    roots = {
        told: from_environment({"GRADIO_ROOT_PATH": told}).root_path for told in ("", "/lab/", "https://a.b:8/x/y")
    }
    assert roots == {"": "", "/lab/": "/lab", "https://a.b:8/x/y": "/x/y"}
    for wrong in ("lab", "/a b", "//evil.example", "javascript:x", '/"><b>'):
        with pytest.raises(ValueError, match="GRADIO_ROOT_PATH"):
            from_environment({"GRADIO_ROOT_PATH": wrong})


@pytest.mark.parametrize("path", ["", "/lab"])
def test_the_hubs_pages_name_addresses_that_the_proxy_knows(path: str, tmp_path: Path) -> None:
    """Whether it takes the path away before it asks or not."""

    async def look() -> None:
        with gr.Blocks(analytics_enabled=False) as demo:
            gr.Textbox("words")
        app = build([Found("chat", demo)], Settings(data_dir=tmp_path, root_path=path))
        transport = httpx.ASGITransport(app)
        async with httpx.AsyncClient(transport=transport, base_url="http://school.example") as client:
            for asked in {"", path}:
                told = await client.get(f"{asked}/chat/")
                assert f'"root":"http://school.example{path}/chat"' in told.text
                assert f'href=\\"{path}/chat/' in (await client.get(f"{asked}/")).text
                assert (await client.get(f"{asked}/healthz")).text == "ok\n"
                assert (await client.get(f"{asked}/shared/{'a' * 24}")).status_code == 404
            assert (await client.get("/other/chat/")).status_code == 404

    asyncio.run(look())


def test_a_shared_outputs_address_has_the_path(tmp_path: Path) -> None:
    engine: Engine = an_engine(settings=Settings(data_dir=tmp_path, root_path="/lab"))
    made = Made({"request": {"prompt": "a cat"}, "receipt": {}}, text="An answer")

    async def row() -> Any:
        with gr.Blocks(analytics_enabled=False) as demo:
            ShareRow("restore").wire(engine, "chat", Owner(engine), gr.State(None), lambda _: made)
        return next(each.fn for each in demo.fns.values() if getattr(each.fn, "__name__", "") == "show")

    path, _, told, token = asyncio.run(row())("/lab/chat/", "", None)
    assert path.startswith("/lab/shared/") and "Take it back" in told and token
