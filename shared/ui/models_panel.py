"""The Models tab: every model, whether it runs here and why not, what is in memory, and the providers' own lists."""

from __future__ import annotations

from collections.abc import Sequence
from html import escape
from typing import Any

import gradio as gr

from shared.catalog import Catalog
from shared.classroom import identity
from shared.classroom.desk import class_of
from shared.engine import Choice, Engine
from shared.settings import Settings
from shared.tasks import Task
from shared.ui.history_view import WHAT
from shared.ui.model_picker import engine_label
from shared.ui.sessions import with_keys


class ModelsPanel:
    """The tab's components and events."""

    def __init__(self, engine: Engine, tasks: Sequence[Task]) -> None:
        self._engine, self._tasks = engine, tasks
        # The catalogue with the providers' lists merged in; a visitor's own, since it may name private models.
        self.listed = gr.State(None)
        with gr.Row():
            self.ask = gr.Button("Ask the providers for their models", size="sm", elem_id="models-ask")
            self.look = gr.Button("Look again", size="sm", elem_id="models-look")
            alone = not engine.settings.classroom
            self.unload = gr.Button("Unload idle models", size="sm", elem_id="models-unload", visible=alone)
        self.told = gr.HTML("", elem_id="models-told")
        self.memory = gr.HTML(memory(engine), elem_id="models-memory")
        self.table = gr.HTML(table(choices_of(engine, tasks)), elem_id="models-table")

    def wire(self, keys: Any, tab: gr.Tab, changed: Any) -> None:
        """Connect the events; `changed(event)` chains what depends on the list of models."""
        private: dict[str, Any] = {"api_visibility": "private", "show_progress": "hidden"}
        inputs, outputs = [keys, self.listed], [self.memory, self.table]
        for event in (self.look.click, tab.select):
            event(self._show, inputs, outputs, **private)
        self.unload.click(self._unload, inputs, outputs, **private)
        asked = self.ask.click(self._ask, keys, [self.listed, self.told], **{**private, "show_progress": "minimal"})
        changed(asked.then(self._show, inputs, outputs, **private))

    def _show(self, keys: Any, listed: Catalog | None) -> tuple[str, str]:
        settings = with_keys(self._engine.settings, keys)
        return memory(self._engine), table(choices_of(self._engine.with_catalog(listed), self._tasks, settings))

    def _unload(self, keys: Any, listed: Catalog | None) -> tuple[str, str]:
        if _may_unload(self._engine.settings):
            self._engine.pool.unload()
        return self._show(keys, listed)

    def _ask(self, keys: Any) -> tuple[Catalog, str]:
        from shared.provider_models import refresh

        before = self._engine.catalog
        listed, errors = refresh(before, with_keys(self._engine.settings, keys))
        new = len(list(listed)) - len(list(before))
        lines = (
            [f"{new} more models are listed now."] if new else ["No more models were found. A provider needs a key."]
        )
        lines += [escape(f"{name}: {error}") for name, error in errors.items()]
        return listed, f'<div class="pg-note" role="status">{"<br>".join(lines)}</div>'


def _may_unload(settings: Settings) -> bool:
    """Not a student: who does it again and again has everybody wait for loading."""
    return not settings.classroom or class_of(settings).is_teacher(identity.teacher_token())


def choices_of(engine: Engine, tasks: Sequence[Task], settings: Settings | None = None) -> list[Choice]:
    """Every way to run every model of these tasks."""
    return [choice for task in tasks for choice in engine.choices(task, settings)]


def memory(engine: Engine) -> str:
    """What is in memory now, as HTML."""
    rows = [
        f"{escape(r.variant.repo_id or r.variant.key)} ({escape(r.variant.backend)}): {r.memory_gb:.2f} GB"
        for r in engine.pool.residents()
    ]
    held = "; ".join(rows) or "nothing yet"
    return f'<div class="pg-quiet">{escape(engine.pool.describe())}. In memory: {held}.</div>'


def table(choices: list[Choice]) -> str:
    """The models as an HTML table. Where they are of several tasks, a column says which."""
    several = len({choice.spec.task for choice in choices}) > 1
    names = ["Model", *(["For"] if several else []), "Where", "Engine", "Runs here", "Licence"]
    head = "<tr>" + "".join(f"<th>{name}</th>" for name in names) + "</tr>"
    rows = "".join(_row(choice, names) for choice in choices)
    inner = f"<thead>{head}</thead><tbody>{rows}</tbody>"
    return f'<div class="pg-scroll"><table class="pg-table pg-runs pg-models">{inner}</table></div>'


def _row(choice: Choice, names: Sequence[str]) -> str:
    told = {
        "Model": choice.spec.name,
        "For": WHAT.get(choice.spec.task, str(choice.spec.task)),
        "Where": choice.variant.mode.label,
        "Engine": engine_label(choice),
        "Runs here": "yes" if choice.reason is None else choice.reason,
        "Licence": choice.spec.license,
    }
    return "<tr>" + "".join(_cell(name, told[name]) for name in names) + "</tr>"


def _cell(name: str, value: str) -> str:
    """On a phone, where the columns' names aren't shown, the cell's own is where its value doesn't tell."""
    own = f'<span class="pg-name">{name}</span> ' if name in {"Runs here", "Licence"} else ""
    return f"<td>{own}<span>{escape(value)}</span></td>"
