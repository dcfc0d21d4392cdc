"""One server with a landing page and every Space under its own path."""

from __future__ import annotations

import runpy
import webbrowser
from dataclasses import dataclass
from html import escape
from pathlib import Path
from typing import Any

import gradio as gr

from shared.settings import Settings, from_environment
from shared.ui.serve import LOOK, SafetyHeaders, free_port

ROOT = Path(__file__).resolve().parents[2]
ABOUT = {
    "chat": ("Chat", "Talk with a language model, and switch the engine under the same conversation."),
    "text2img": ("Text to image", "Draw from words."),
    "text2audio": ("Text to audio", "Speech, music and sound from words."),
    "text2video": ("Text to video", "Moving pictures from words."),
    "3d": ("Text to 3D", "From words to a thing you can turn."),
}


@dataclass(frozen=True)
class Found:
    """A Space: its screen, or why it can't be shown."""

    name: str
    demo: gr.Blocks | None
    problem: str = ""


def find_spaces(root: Path = ROOT) -> list[Found]:
    """Every Space under `spaces/`; one that fails to start is reported, and takes nothing else down."""
    return [_start(app) for app in sorted(root.glob("spaces/*/app.py"))]


def _start(app: Path) -> Found:
    try:
        return Found(app.parent.name, runpy.run_path(str(app))["demo"])
    except Exception as error:  # whatever a Space may raise: the others must still start
        return Found(app.parent.name, None, f"{type(error).__name__}: {error}")


def landing(spaces: list[Found]) -> Any:
    """The page with a card for each Space."""
    with gr.Blocks(title="Generative-AI playgrounds") as page:
        gr.HTML(
            '<div class="pg-head"><h1>Generative-AI playgrounds</h1>'
            "<p>One prompt, many engines. Everything here works with no GPU, no key and no network.</p></div>"
        )
        gr.HTML(f'<div class="pg-cards">{"".join(map(_card, spaces))}</div>')
    return page


def _card(space: Found) -> str:
    title, words = ABOUT.get(space.name, (space.name, ""))
    if space.demo is None:
        return f'<div class="pg-card"><h2>{escape(title)}</h2><p>It could not start: {escape(space.problem)}</p></div>'
    return f'<a class="pg-card" href="/{space.name}/"><h2>{escape(title)}</h2><p>{escape(words)}</p></a>'


def build(spaces: list[Found]) -> Any:
    """The server as an ASGI application."""
    from fastapi import FastAPI

    app = FastAPI(docs_url=None, redoc_url=None, openapi_url=None)
    app.add_middleware(SafetyHeaders)
    for space in spaces:
        if space.demo is not None:
            space.demo.queue(default_concurrency_limit=None, max_size=2000)
            app = gr.mount_gradio_app(app, space.demo, path=f"/{space.name}", footer_links=["api", "settings"], **LOOK)
    return gr.mount_gradio_app(app, landing(spaces), path="/", footer_links=[], **LOOK)


def main(settings: Settings | None = None) -> None:
    """Serve until Ctrl-C."""
    import uvicorn

    settings = settings or from_environment()
    app = build(find_spaces())
    port = free_port(settings.host, settings.port)
    url = f"http://{settings.host}:{port}"
    print(f"The playgrounds are at {url}  (Ctrl-C stops them)", flush=True)
    if settings.open_browser:
        webbrowser.open(url)
    uvicorn.run(app, host=settings.host, port=port, log_level="warning", timeout_graceful_shutdown=2)


if __name__ == "__main__":
    main()
