"""The Compare tab: one prompt to two to four engines, side by side, by name or blind."""

from __future__ import annotations

import random
from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import Any

import gradio as gr

from shared.chat.answer import Answer, answers
from shared.comparing import at_once
from shared.engine import Choice, Engine
from shared.errors import InferenceError
from shared.requests import ChatRequest, Message
from shared.settings import Settings
from shared.streaming import CancelToken
from shared.tasks import Task
from shared.ui import engine_choices, receipt_view
from shared.ui.chat.settings_panel import NAMES, to_request
from shared.ui.languages.props import THEIRS
from shared.ui.model_picker import engine_label
from shared.ui.running import stopper
from shared.ui.safe_markdown import safe_markdown
from shared.ui.sessions import Runs, with_keys

MOST = 4
LETTERS = "ABCD"


@dataclass
class Trial:
    """A comparison on the screen: the engines in the order of the columns, and what they answered."""

    engines: list[str] = field(default_factory=list)
    answers: list[Answer] = field(default_factory=list)
    blind: bool = False
    voted: int | None = None


class ComparePanel:
    """The tab's components and events."""

    def __init__(self, engine: Engine, runs: Runs) -> None:
        self._engine, self._runs = engine, runs
        self.trial = gr.State(Trial())
        choices = self._choices(engine.settings)
        with gr.Row():
            self.count = gr.Radio([2, 3, 4], value=2, label="Engines", elem_id="compare-count", scale=1, min_width=160)
            self.blind = gr.Checkbox(False, label="Blind: hide the names until I have voted", elem_id="blind", scale=2)
        with gr.Row():
            self.engines = [self._picker(choices, place) for place in range(MOST)]
        self.prompt = gr.Textbox(label="Prompt", lines=2, max_lines=8, elem_id="compare-prompt")
        with gr.Row():
            self.run = gr.Button("Compare", variant="primary", elem_id="compare-run")
            self.stop = gr.Button("Stop", elem_id="compare-stop", visible=False)
        self.columns, self.texts, self.lines, self.votes = [], [], [], []
        with gr.Row(equal_height=False):
            for place in range(MOST):
                with gr.Column(visible=place < 2, elem_classes="pg-column") as column:
                    self.texts.append(
                        gr.Markdown(
                            "", elem_id=f"answer-{place}", elem_classes=[THEIRS], min_height=120, container=True
                        )
                    )
                    self.lines.append(gr.HTML("", elem_id=f"line-{place}"))
                    self.votes.append(gr.Button("This one is better", size="sm", visible=False))
                self.columns.append(column)
        self.verdict = gr.HTML("", elem_id="verdict")

    def _picker(self, choices: list[tuple[str, str]], place: int) -> gr.Dropdown:
        value = choices[min(place, len(choices) - 1)][1] if choices else None
        label = f"Engine {place + 1}"
        return gr.Dropdown(
            choices, value=value, label=label, visible=place < 2, min_width=200, elem_id=f"engine-{place}"
        )

    def _choices(self, settings: Settings) -> list[tuple[str, str]]:
        rows = [c for c in self._engine.choices(Task.CHAT, settings) if not c.spec.retired]
        rows.sort(key=lambda choice: choice.reason is not None)
        return [(_label(choice), engine_choices.value_of(choice.spec.id, choice.variant.key)) for choice in rows]

    @property
    def outputs(self) -> list[Any]:
        """What a comparison changes, in the order that `_screen` gives it."""
        return [self.trial, self.run, self.stop, *self.texts, *self.lines, *self.votes, self.verdict]

    def wire(self, settings: list[Any], keys: Any) -> None:
        """Connect the events."""
        private: dict[str, Any] = {"api_visibility": "private", "show_progress": "hidden"}
        self.count.change(
            lambda n: [gr.update(visible=place < n) for place in range(MOST)] * 2,
            self.count,
            [*self.engines, *self.columns],
            **private,
        )
        inputs = [self.prompt, self.count, self.blind, keys, *self.engines, *settings]
        for event in (self.run.click, self.prompt.submit):
            event(self.compare, inputs, self.outputs, concurrency_limit=None, **private)
        self.stop.click(stopper(self._runs), None, None, queue=False, **private)
        for place, button in enumerate(self.votes):
            button.click(_voter(place), self.trial, self.outputs, **private)

    def compare(
        self, request: gr.Request, prompt: str, count: int, blind: bool, keys: Any, *values: Any
    ) -> Iterator[list[Any]]:
        """Run the chosen engines on the prompt. Blind columns come in a drawn order."""
        chosen = [str(value) for value in values[:MOST][: int(count)] if value]
        if not prompt.strip() or len(chosen) < 2:
            raise gr.Error("Write a prompt and choose at least two engines.", print_exception=False)
        if blind:
            random.shuffle(chosen)
        settings = with_keys(self._engine.settings, keys)
        options = self._options(values[MOST : MOST + len(NAMES)])
        trial = Trial(chosen, blind=blind)
        with self._runs.running(request.session_hash or "local", len(chosen)) as cancels:
            runners = [
                _runner(self._engine, each, prompt, options, settings, cancel)
                for each, cancel in zip(chosen, cancels, strict=True)
            ]
            for trial.answers in at_once(runners, Answer(status="Waiting")):
                yield screen(trial)

    def _options(self, values: Any) -> dict[str, Any]:
        try:
            return to_request(values)
        except InferenceError as error:
            raise gr.Error(str(error), print_exception=False) from None


def _label(choice: Choice) -> str:
    return f"{choice.spec.name} · {engine_label(choice)}" + (" (not ready)" if choice.reason else "")


def _runner(
    engine: Engine, chosen: str, prompt: str, options: dict[str, Any], settings: Settings, cancel: CancelToken
) -> Any:
    model, variant = engine_choices.read(chosen)

    def run() -> Iterator[Answer]:
        try:
            request = ChatRequest(messages=(Message("user", prompt),), **options)
            events = engine.generate(model, request, variant=variant or None, settings=settings, cancel=cancel)
            yield from answers(events)
        except InferenceError as error:
            yield Answer(error=error)

    return run


def _voter(place: int) -> Any:
    def vote(trial: Trial) -> list[Any]:
        trial.voted = place
        return screen(trial)

    return vote


def screen(trial: Trial) -> list[Any]:
    """The tab as it should look now."""
    done = all(answer.done for answer in trial.answers)
    hidden = trial.blind and trial.voted is None
    shown = [_text(a) for a in trial.answers] + [""] * (MOST - len(trial.answers))
    lines = [_line(a, place, hidden) for place, a in enumerate(trial.answers)] + [""] * (MOST - len(trial.answers))
    votable = done and trial.voted is None
    votes = [gr.update(visible=votable and place < len(trial.answers)) for place in range(MOST)]
    return [trial, gr.update(interactive=done), gr.update(visible=not done), *shown, *lines, *votes, _verdict(trial)]


def _text(answer: Answer) -> str:
    error = f"\n\n**Not answered.** {safe_markdown(str(answer.error))}" if answer.error else ""
    if answer.text or error:
        return safe_markdown(answer.text) + error
    return f"*{answer.status or 'Starting'}…*"


def _line(answer: Answer, place: int, hidden: bool) -> str:
    name = f"<b>Engine {LETTERS[place]}</b>"
    if hidden or answer.receipt is None:
        return name
    return f"<b>{receipt_view.plain(answer.receipt.name)}</b>{receipt_view.metrics(answer.receipt)}"


def _verdict(trial: Trial) -> str:
    if trial.voted is None or not trial.answers:
        return ""
    receipt = trial.answers[trial.voted].receipt
    words = "You chose that one."
    if receipt:
        words = receipt_view.plain(f"You chose {receipt.name}, run by {receipt_view.engine_name(receipt)}.")
    return f'<div class="pg-note" role="status">{words}</div>'
