"""The audio Space: one text, spoken by whichever engine; music and sound are to follow."""

from __future__ import annotations

import sys
from functools import partial
from pathlib import Path

HERE = Path(__file__).resolve().parent
# In the project `shared/` is two folders up; in an exported Space it lies beside this file.
sys.path.insert(0, str(next(p for p in (HERE, *HERE.parents) if (p / "shared" / "__init__.py").is_file())))

import gradio as gr  # noqa: E402

from shared.catalog import load_catalog  # noqa: E402
from shared.engine import Engine  # noqa: E402
from shared.settings import from_environment  # noqa: E402
from shared.tasks import Task  # noqa: E402
from shared.ui.audio.api import endpoints  # noqa: E402
from shared.ui.audio.compare_panel import ComparePanel  # noqa: E402
from shared.ui.audio.opinions_panel import opinions_store  # noqa: E402
from shared.ui.audio.place_panel import PlacePanel  # noqa: E402
from shared.ui.audio.settings_panel import SettingsPanel  # noqa: E402
from shared.ui.audio.speak_panel import SpeakPanel  # noqa: E402
from shared.ui.audio.warming import warm  # noqa: E402
from shared.ui.page import PRIVATE, open_page  # noqa: E402
from shared.ui.serve import serve  # noqa: E402

WORDS = "One text, many voices: heard and seen while it is made."


def build(engine: Engine) -> gr.Blocks:
    """The screen, over an engine that may be shared with other Spaces."""
    with open_page(engine, Task.TEXT_TO_SPEECH, "Text to audio", WORDS) as page:
        scores = opinions_store()
        with page.tabs():
            with gr.Tab("Speak", id="speak"):
                speak = SpeakPanel(engine, page.runs)
            with gr.Tab("Compare", id="compare"):
                compare = ComparePanel(engine, page.runs, scores)
            with gr.Tab("In space", id="space"):
                placing = PlacePanel()
        with page.side(), gr.Accordion("Settings", open=True):
            settings = SettingsPanel(engine, page.picker.first)
        page.connect(settings)
        for panel in (speak, compare):
            panel.wire(page.picker.inputs, settings.inputs, page.keys.state)
        placing.wire(speak.sound)
        compare.opinions.show_at(page.demo)
        page.demo.load(partial(warm, engine), None, None, **PRIVATE)
        endpoints(engine)
    return page.demo


demo = build(Engine(load_catalog(), from_environment()))

if __name__ == "__main__":
    serve(demo)
