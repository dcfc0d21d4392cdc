"""The image Space: one prompt and seed, switched between engines."""

from __future__ import annotations

import sys
from pathlib import Path

HERE = Path(__file__).resolve().parent
# In the project `shared/` is two folders up; in an exported Space it lies beside this file.
sys.path.insert(0, str(next(p for p in (HERE, *HERE.parents) if (p / "shared" / "__init__.py").is_file())))

import gradio as gr  # noqa: E402

from shared.catalog import load_catalog  # noqa: E402
from shared.engine import Engine  # noqa: E402
from shared.lessons import read_lessons  # noqa: E402
from shared.settings import from_environment  # noqa: E402
from shared.tasks import Task  # noqa: E402
from shared.ui.following import Together  # noqa: E402
from shared.ui.image.api import endpoints  # noqa: E402
from shared.ui.image.compare_panel import ComparePanel  # noqa: E402
from shared.ui.image.draw_panel import DrawPanel  # noqa: E402
from shared.ui.image.inside_panel import InsidePanel  # noqa: E402
from shared.ui.image.lessons_panel import ImageLessons  # noqa: E402
from shared.ui.image.settings_panel import SettingsPanel  # noqa: E402
from shared.ui.lessons_panel import LessonsPanel  # noqa: E402
from shared.ui.page import open_page  # noqa: E402
from shared.ui.serve import serve  # noqa: E402
from shared.ui.sharing import newest  # noqa: E402

TASK = Task.TEXT_TO_IMAGE
WORDS = "One prompt and seed, many engines: see what each draws."


def build(engine: Engine) -> gr.Blocks:
    """The screen, over an engine that may be shared with other Spaces."""
    with open_page(engine, TASK, "Text to image", WORDS) as page:
        with page.tabs():
            with gr.Tab("Draw", id="draw"):
                draw = DrawPanel(engine, page.runs, page.picker.first)
            with gr.Tab("Compare", id="compare"):
                compare = ComparePanel(engine, page.runs)
            with gr.Tab("Look inside", id="inside"):
                inside = InsidePanel(engine, page.runs)
        with page.side():
            lessons = LessonsPanel(TASK, read_lessons(HERE / "lessons"), see="What do you see?")
            with gr.Accordion("Settings", open=True):
                settings = SettingsPanel(engine, page.picker.first)
        page.connect(Together(settings, *draw.followers))
        settings.keep_seed_of(draw.last_seed)
        lessons.wire(page.demo, ImageLessons(engine, page, draw, settings.inputs))
        for panel in (draw, compare, inside):
            panel.wire(page.picker.inputs, settings.inputs, page.keys.state)
        page.share(draw, draw.made, newest)
        endpoints(engine)
    return page.demo


demo = build(Engine(load_catalog(), from_environment()))

if __name__ == "__main__":
    serve(demo)
