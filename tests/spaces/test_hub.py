"""The hub: a card for each Space, each at its own path, and a broken one that takes nothing down."""

from __future__ import annotations

import json
import subprocess
import sys
import urllib.request
from collections.abc import Iterator
from pathlib import Path

import pytest
from gradio_client import Client

from tests.support.server import ROOT, running

GOOD = """
import gradio as gr
with gr.Blocks(title="Good", analytics_enabled=False) as demo:
    box = gr.Textbox()
    box.submit(str.upper, box, box, api_name="shout")
"""
HUB = """
import sys
from pathlib import Path
from shared.ui import hub
hub.main(Path(sys.argv.pop(1)))
"""


@pytest.fixture(scope="module")
def url(tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    """A hub over one Space that works and two that don't."""
    root: Path = tmp_path_factory.mktemp("project")
    texts = {"good": GOOD, "broken": "raise RuntimeError('no <b>engine</b> here')", "blank": "demo_forgotten = 1"}
    for name, text in texts.items():
        (root / "spaces" / name).mkdir(parents=True)
        (root / "spaces" / name / "app.py").write_text(text, encoding="utf-8")
    with running("-c", HUB, str(root)) as address:
        yield address


def page(url: str) -> str:
    with urllib.request.urlopen(url, timeout=30) as answer:
        text: str = answer.read().decode()
    return text


def test_a_space_works_at_its_own_path(url: str) -> None:
    client = Client(f"{url}/good", verbose=False, analytics_enabled=False)
    assert client.predict("hello", api_name="/shout") == "HELLO"
    client.close()


def test_a_broken_space_is_shown_with_its_reason(url: str) -> None:
    config = page(f"{url}/config")
    assert "/good/" in config
    assert "RuntimeError: no &lt;b&gt;engine&lt;/b&gt; here" in config  # escaped: a reason is text
    assert "its app.py defines no `demo`" in config


def test_its_pages_carry_the_safe_headers(url: str) -> None:
    for path in ("/", "/good/"):
        with urllib.request.urlopen(url + path, timeout=30) as answer:
            assert "img-src 'self' data: blob:" in answer.headers["content-security-policy"]


def test_its_keeper_is_told_that_it_lives_and_can_serve(url: str) -> None:
    assert page(f"{url}/healthz") == "ok\n"
    assert json.loads(page(f"{url}/readyz")) == {"ready": True, "reasons": []}


def test_no_space_reports_to_gradio() -> None:
    """Telemetry would be a call to the network at every start, and word of what a class does."""
    code = (
        "import runpy, sys\n"
        "from shared.ui.hub import find_spaces, landing\n"
        "found = find_spaces()\n"
        "assert found and all(s.demo for s in found), found\n"
        "assert not any(d.analytics_enabled for d in [landing(found), *(s.demo for s in found)])\n"
    )
    answer = subprocess.run([sys.executable, "-c", code], cwd=ROOT, capture_output=True, text=True, timeout=120)
    assert answer.returncode == 0, answer.stderr
