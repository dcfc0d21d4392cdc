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
from shared.settings import from_environment  # noqa: E402
from shared.tasks import Task  # noqa: E402
from shared.ui import model_picker  # noqa: E402
from shared.ui.connecting import connect  # noqa: E402
from shared.ui.image.api import endpoints  # noqa: E402
from shared.ui.image.compare_panel import ComparePanel  # noqa: E402
from shared.ui.image.draw_panel import DrawPanel  # noqa: E402
from shared.ui.image.inside_panel import InsidePanel  # noqa: E402
from shared.ui.image.settings_panel import SettingsPanel  # noqa: E402
from shared.ui.keys_panel import KeysPanel  # noqa: E402
from shared.ui.models_panel import ModelsPanel  # noqa: E402
from shared.ui.serve import serve  # noqa: E402
from shared.ui.sessions import Runs  # noqa: E402

HEAD = '<div class="pg-head"><h1>Text to image</h1><p>One prompt and seed, many engines: see what each draws.</p></div>'


def build(engine: Engine) -> gr.Blocks:
    """The screen, over an engine that may be shared with other Spaces."""
    runs = Runs()
    starter = next(iter(engine.catalog.for_task(Task.TEXT_TO_IMAGE)))
    with gr.Blocks(
        title="Text to image · Generative-AI playgrounds",
        fill_width=False,
        analytics_enabled=False,
        delete_cache=(3600, 86400),
    ) as demo:
        gr.HTML(HEAD)
        picker = model_picker.build(engine, Task.TEXT_TO_IMAGE)
        with gr.Row(equal_height=False):
            with gr.Column(scale=3, min_width=320), gr.Tabs():
                with gr.Tab("Draw", id="draw"):
                    draw = DrawPanel(engine, runs)
                with gr.Tab("Compare", id="compare"):
                    compare = ComparePanel(engine, runs)
                with gr.Tab("Look inside", id="inside"):
                    inside = InsidePanel(engine, runs)
                with gr.Tab("Models", id="models") as models_tab:
                    models = ModelsPanel(engine, Task.TEXT_TO_IMAGE)
            with gr.Column(scale=1, min_width=260):
                with gr.Accordion("Settings", open=True):
                    settings = SettingsPanel(engine, dict(starter.defaults))
                with gr.Accordion("Your keys", open=False):
                    keys = KeysPanel(engine.settings)
        for panel in (draw, compare, inside):
            panel.wire(picker.inputs, settings.inputs, keys.state)
        connect(engine, Task.TEXT_TO_IMAGE, picker, settings, keys, models, models_tab)
        endpoints(engine)
    return demo


demo = build(Engine(load_catalog(), from_environment()))

if __name__ == "__main__":
    serve(demo)
