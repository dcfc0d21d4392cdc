"""The Models tab: every model, whether it runs here and why not, what is in memory, and the providers' own lists."""

from __future__ import annotations

from html import escape
from typing import Any

import gradio as gr

from shared.engine import Choice, Engine
from shared.settings import Settings
from shared.tasks import Task
from shared.ui.model_picker import engine_label
from shared.ui.sessions import with_keys


class ModelsPanel:
    """The tab's components and events."""

    def __init__(self, engine: Engine, task: Task) -> None:
        self._engine, self._task = engine, task
        with gr.Row():
            self.look = gr.Button("Look again", size="sm", elem_id="models-look")
            self.unload = gr.Button("Unload idle models", size="sm", elem_id="models-unload")
        self.memory = gr.HTML(memory(engine), elem_id="models-memory")
        self.table = gr.HTML(table(engine.choices(task)), elem_id="models-table")

    def wire(self, keys: Any, tab: gr.Tab) -> None:
        """Connect the events."""
        private: dict[str, Any] = {"api_visibility": "private", "show_progress": "hidden"}
        outputs = [self.memory, self.table]
        for event in (self.look.click, tab.select):
            event(self._show, keys, outputs, **private)
        self.unload.click(self._unload, keys, outputs, **private)

    def _show(self, keys: Any) -> tuple[str, str]:
        settings: Settings = with_keys(self._engine.settings, keys)
        return memory(self._engine), table(self._engine.choices(self._task, settings))

    def _unload(self, keys: Any) -> tuple[str, str]:
        self._engine.pool.unload()
        return self._show(keys)


def memory(engine: Engine) -> str:
    """What is in memory now, as HTML."""
    rows = [
        f"{escape(r.variant.repo_id or r.variant.key)} ({escape(r.variant.backend)}): {r.memory_gb:.2f} GB"
        for r in engine.pool.residents()
    ]
    held = "; ".join(rows) or "nothing yet"
    return f'<div class="pg-quiet">This machine: {escape(engine.machine.describe())}. In memory: {held}.</div>'


def table(choices: list[Choice]) -> str:
    """The models as an HTML table."""
    head = "<tr><th>Model</th><th>Where</th><th>Engine</th><th>Runs here</th><th>Licence</th></tr>"
    rows = "".join(_row(choice) for choice in choices)
    return f'<div class="pg-scroll"><table class="pg-table"><thead>{head}</thead><tbody>{rows}</tbody></table></div>'


def _row(choice: Choice) -> str:
    cells = [
        choice.spec.name,
        choice.variant.mode.label,
        engine_label(choice),
        "yes" if choice.reason is None else choice.reason,
        choice.spec.license,
    ]
    return "<tr>" + "".join(f"<td>{escape(cell)}</td>" for cell in cells) + "</tr>"
