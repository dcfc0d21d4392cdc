"""In a real browser: a page asks no other server for a picture, a sound, a style or a font, and still works."""

from __future__ import annotations

import threading
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path

import pytest
from playwright.sync_api import sync_playwright

from tests.support.server import ROOT, chromium, running

SPACE = """
import sys
sys.path.insert(0, {root!r})
import gradio as gr
from shared.ui.serve import serve
DOT = "data:image/gif;base64,R0lGODlhAQABAIAAAAAAAP///yH5BAEAAAAALAAAAAABAAEAAAIBRAA7"
with gr.Blocks(title="Pictures", analytics_enabled=False) as demo:
    gr.HTML(f'<img id="own" src="{{DOT}}"><img src="{other}/p.png"><audio src="{other}/a.wav" preload="auto"></audio>'
            '<link rel="stylesheet" href="{other}/s.css"><div style="background:url({other}/b.png)">x</div>')
    gr.Markdown("![told]({other}/markdown.png)")
serve(demo)
"""


@pytest.fixture
def other() -> Iterator[tuple[str, list[str]]]:
    """A server that the page has no business with, and what it was asked for."""
    asked: list[str] = []

    class Handler(BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            asked.append(self.path)
            self.send_response(204)
            self.end_headers()

        def log_message(self, format: str, *args: object) -> None:
            """Nothing: the test looks at `asked`."""

    server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    threading.Thread(target=server.serve_forever, daemon=True).start()
    yield f"http://127.0.0.1:{server.server_port}", asked
    server.shutdown()
    server.server_close()


@pytest.mark.browser
def test_a_page_loads_nothing_from_elsewhere(other: tuple[str, list[str]], tmp_path: Path) -> None:
    address, asked = other
    app = tmp_path / "app.py"
    app.write_text(SPACE.format(root=str(ROOT), other=address), encoding="utf-8")
    path = chromium()
    with running(str(app)) as url, sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=path, args=["--no-sandbox", "--disable-gpu"])
        page = browser.new_page()
        refused: list[str] = []
        page.on("console", lambda message: refused.append(message.text) if "Security Policy" in message.text else None)
        page.goto(url)
        page.wait_for_function("document.querySelector('#own')?.naturalWidth === 1")  # the page's own picture shows
        page.get_by_alt_text("told").wait_for(state="attached")
        page.wait_for_load_state("networkidle")
        browser.close()
    assert asked == []
    # Each was tried, so it was the policy that kept them from being asked for.
    for name in ("p.png", "a.wav", "s.css", "b.png", "markdown.png"):
        assert any(name in text for text in refused), (name, refused)
