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
from shared.ui.chat.api import endpoints  # noqa: E402
from shared.ui.chat.chat_panel import ChatPanel  # noqa: E402
from shared.ui.chat.compare_panel import ComparePanel  # noqa: E402
from shared.ui.chat.history_panel import HistoryPanel  # noqa: E402
from shared.ui.chat.inside_panel import InsidePanel  # noqa: E402
from shared.ui.chat.restoring import last_answer  # noqa: E402
from shared.ui.chat.settings_panel import SettingsPanel  # noqa: E402
from shared.ui.chat.voice_panel import VoicePanel  # noqa: E402
from shared.ui.page import open_page  # noqa: E402
from shared.ui.serve import serve  # noqa: E402


def build(engine: Engine) -> gr.Blocks:
    """The screen, over an engine that may be shared with other Spaces."""
    with open_page(engine, Task.CHAT, "Chat", "One prompt, many engines: see what each costs.") as page:
        with page.tabs():
            with gr.Tab("Chat", id="chat"):
                panel = ChatPanel(engine, page.runs)
                voice = VoicePanel(engine)
            with gr.Tab("Compare", id="compare"):
                compare = ComparePanel(engine, page.runs)
            with gr.Tab("Look inside", id="inside"):
                inside = InsidePanel(panel)
        with page.side():
            with gr.Accordion("Chats and lessons", open=True):
                history = HistoryPanel(panel, read_lessons(HERE / "lessons"))
            with gr.Accordion("Settings", open=False):
                settings = SettingsPanel(engine, page.picker.first)
        page.connect(settings)
        picked, keys = page.picker.inputs, page.keys.state
        panel.wire(picked, settings.inputs, keys, history.saved)
        voice.wire(panel.conversation, keys)
        history.wire(page.demo, picked, settings.inputs, keys)
        compare.wire(settings.inputs, keys)
        inside.wire([panel.conversation, panel.todo, keys, *picked, *settings.inputs], history.saved)
        page.share(history, [panel.conversation, settings.controls["system"]], last_answer)
        endpoints(engine)
    return page.demo


demo = build(Engine(load_catalog(), from_environment()))

if __name__ == "__main__":
    serve(demo)
