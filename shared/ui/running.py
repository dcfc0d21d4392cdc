"""The button that starts a run, the one that stops it, and the line that tells what goes on: most panels have these."""

from __future__ import annotations

from collections.abc import Callable, Generator, Iterator, Sequence
from contextlib import closing
from dataclasses import dataclass
from html import escape
from typing import Any, TypeVar

import gradio as gr

from shared.background import meanwhile
from shared.errors import Cancelled, InferenceError
from shared.operation import beside
from shared.pacing import status_of
from shared.streaming import CancelToken, Emit
from shared.ui.sessions import Runs

T = TypeVar("T")
PRIVATE: dict[str, Any] = {"api_visibility": "private", "show_progress": "hidden"}


@dataclass(frozen=True)
class Shown:
    """What the outputs show now, in their order, and words: `status` while it goes on, `note` to stay."""

    values: Sequence[Any]
    status: str = ""
    note: str = ""


Work = Callable[..., Iterator[Shown]]  # it gets a stop switch, then the inputs' values


def run_and_stop(label: str, run: str, stop: str) -> tuple[gr.Button, gr.Button]:
    """Both buttons, of which one at a time is shown. `run`, `stop`: their ids."""
    return (
        gr.Button(label, variant="primary", elem_id=run, min_width=120),
        gr.Button("Stop", elem_id=stop, visible=False, min_width=120),
    )


class RunRow:
    """The components; `wire` connects them to the work. Element ids begin with `name`."""

    def __init__(self, label: str, name: str) -> None:
        with gr.Row():
            self.run, self.stop = run_and_stop(label, f"{name}-run", f"{name}-stop")
        self.told = gr.HTML("", elem_id=f"{name}-told")

    def wire(
        self,
        runs: Runs,
        work: Work,
        inputs: list[Any],
        outputs: list[Any],
        others: Sequence[tuple[gr.Button, Work]] = (),
        *,
        no_engine: bool = False,
    ) -> None:
        """A click does the work and shows it; Stop presses its switch. Errors are told in their own words.

        `others`: buttons that begin other work here, with the same inputs and outputs. `no_engine`: the work asks none,
        so that it waits for its turn here where there are turns.
        """
        all_outputs = [*outputs, self.told, self.run, self.stop]
        for button, each in ((self.run, work), *others):
            follow = _follower(runs, _in_turn(each, len(outputs)) if no_engine else each, len(outputs))
            button.click(follow, inputs, all_outputs, concurrency_limit=None, **PRIVATE)
        self.stop.click(stopper(runs), None, None, queue=False, **PRIVATE)


def _follower(runs: Runs, work: Work, count: int) -> Callable[..., Iterator[list[Any]]]:
    def follow(request: gr.Request, *values: Any) -> Iterator[list[Any]]:
        for shown, going in _followed(runs, request.session_hash or "local", work, values, count):
            yield [*map(anew, shown.values), shown.note, gr.update(visible=not going), gr.update(visible=going)]

    return follow


def _in_turn(work: Work, count: int) -> Work:
    """The work once it is its turn, and meanwhile where it stands."""

    def wait_and_work(cancel: CancelToken, *values: Any) -> Iterator[Shown]:
        with beside.turn() as waiting:
            for told in waiting:
                yield Shown([gr.skip()] * count, status=told)
                if cancel.cancelled:
                    return
            with closing(work(cancel, *values)) as screens:  # type: ignore[type-var]
                yield from screens

    return wait_and_work


def anew(value: Any) -> Any:
    """What an output is told, to be told once more: Gradio takes the value out of an update that it has sent."""
    return dict(value) if isinstance(value, dict) else value


def _is_skipped(value: Any) -> bool:
    return isinstance(value, dict) and value == gr.skip()


def stopper(runs: Runs) -> Callable[[gr.Request], None]:
    """What a Stop button does: it stops this visitor's runs, and each then ends with what it has and its receipt."""

    def stop(request: gr.Request) -> None:
        runs.stop(request.session_hash or "local")

    return stop


def done_meanwhile(
    work: Callable[[Emit], T], first: str, cancel: CancelToken, count: int
) -> Generator[Shown, None, T | None]:
    """What the work tells, for `count` outputs that stay as they are; its result is this generator's, None where it was
    stopped. `first` is said until it says something itself."""
    steps = meanwhile(work, first, cancel)
    try:
        while True:
            yield Shown([gr.skip()] * count, status=status_of(next(steps)))
    except StopIteration as ended:
        result: T = ended.value
        return result
    except Cancelled:
        return None
    finally:
        steps.close()


def _followed(runs: Runs, session: str, work: Work, values: Sequence[Any], count: int) -> Iterator[tuple[Shown, bool]]:
    """What to show, its `note` as HTML, and whether the work goes on.

    At the end all that was told is told once more: of two tellings in quick succession a page may show the later alone,
    and would lose for good what that one leaves as it was.
    """
    told: list[Any] = [gr.skip()] * count  # what each output was told last
    last = Shown(told)
    yield last, True
    try:
        with runs.running(session) as (cancel,), closing(work(cancel, *values)) as screens:  # type: ignore[type-var]
            for last in screens:
                told = [old if _is_skipped(new) else new for old, new in zip(told, last.values, strict=True)]
                yield Shown(last.values, note=quiet(last.status) if last.status else note(last.note)), True
    except InferenceError as error:
        yield Shown(told, note=note(str(error), "pg-error")), False
        return
    yield Shown(told, note=note(last.note)), False


def note(words: str, kind: str = "") -> str:
    """Words that a person should see, as HTML; nothing for none."""
    role = "alert" if kind == "pg-error" else "status"
    return f'<div class="pg-note {kind}" role="{role}">{escape(words)}</div>' if words else ""


def quiet(words: str) -> str:
    """Words beside the matter, as HTML."""
    return f'<div class="pg-quiet" role="status">{escape(words)}</div>' if words else ""
