"""The chat Space: one conversation, switched between engines."""

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
from shared.ui import model_picker  # noqa: E402
from shared.ui.chat.api import endpoints  # noqa: E402
from shared.ui.chat.chat_panel import ChatPanel  # noqa: E402
from shared.ui.chat.compare_panel import ComparePanel  # noqa: E402
from shared.ui.chat.history_panel import HistoryPanel  # noqa: E402
from shared.ui.chat.inside_panel import InsidePanel  # noqa: E402
from shared.ui.chat.settings_panel import SettingsPanel  # noqa: E402
from shared.ui.connecting import connect  # noqa: E402
from shared.ui.keys_panel import KeysPanel  # noqa: E402
from shared.ui.models_panel import ModelsPanel  # noqa: E402
from shared.ui.serve import serve  # noqa: E402
from shared.ui.sessions import Runs  # noqa: E402

HEAD = '<div class="pg-head"><h1>Chat</h1><p>One prompt, many engines: see what each costs.</p></div>'


def build(engine: Engine) -> gr.Blocks:
    """The screen, over an engine that may be shared with other Spaces."""
    runs = Runs()
    starter = next(iter(engine.catalog.for_task(Task.CHAT)))
    with gr.Blocks(title="Chat · Generative-AI playgrounds", fill_width=False, analytics_enabled=False) as demo:
        gr.HTML(HEAD)
        picker = model_picker.build(engine, Task.CHAT)
        with gr.Row(equal_height=False):
            with gr.Column(scale=3, min_width=320), gr.Tabs():
                with gr.Tab("Chat", id="chat"):
                    panel = ChatPanel(engine, runs)
                with gr.Tab("Compare", id="compare"):
                    compare = ComparePanel(engine, runs)
                with gr.Tab("Look inside", id="inside"):
                    inside = InsidePanel(panel)
                with gr.Tab("Models", id="models") as models_tab:
                    models = ModelsPanel(engine, Task.CHAT)
            with gr.Column(scale=1, min_width=280):
                with gr.Accordion("Chats and lessons", open=True):
                    history = HistoryPanel(panel, read_lessons(HERE / "lessons"))
                with gr.Accordion("Settings", open=False):
                    settings = SettingsPanel(engine, dict(starter.defaults))
                with gr.Accordion("Your keys", open=False):
                    keys = KeysPanel(engine.settings)
        panel.wire(picker.inputs, settings.inputs, keys.state, history.saved)
        history.wire(demo, picker.inputs, settings.inputs, keys.state)
        compare.wire(settings.inputs, keys.state)
        answering = [panel.conversation, panel.todo, keys.state, *picker.inputs, *settings.inputs]
        inside.wire(answering, history.saved)
        connect(engine, Task.CHAT, picker, settings, keys, models, models_tab)
        endpoints(engine)
    return demo


demo = build(Engine(load_catalog(), from_environment()))

if __name__ == "__main__":
    serve(demo)
