"""A Space's lessons: a path of steps with questions, what was answered kept in the browser, and a file of it."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from functools import partial
from typing import Any, Protocol

import gradio as gr

from shared.lesson_steps import Step, answered, as_markdown, done, read_answers, steps_of, verdict
from shared.lessons import Lesson
from shared.tasks import Task
from shared.ui import lesson_view
from shared.ui.lesson_links import READ, tell_lessons

_PRIVATE: dict[str, Any] = {"api_visibility": "private", "show_progress": "hidden", "queue": False}
NOWHERE = (-1, 0)  # which lesson, and which of its steps
Way = Callable[[Sequence[Step], int, str], int]  # from a lesson's steps, where one is, and the name that was chosen


class Screen(Protocol):
    """Where a Space's lessons are put."""

    @property
    def inputs(self) -> list[Any]:
        """The components that `put` must know."""

    @property
    def outputs(self) -> list[Any]:
        """The components that `put` sets."""

    @property
    def put(self) -> Callable[..., list[Any]]:
        """Given a lesson, a step's parts and the inputs: what comes into `outputs`. There is at least one part."""


class LessonsPanel:
    """The lessons under a heading that can be folded; above them the path of the one that was begun.

    `see` is asked where a run has no question of its own. `together`: see `steps_of`.
    """

    def __init__(
        self,
        task: Task,
        lessons: Sequence[Lesson],
        *,
        see: str = "What do you notice?",
        unfolded: bool = False,
        together: bool = False,
    ) -> None:
        self._paths = [(lesson, steps_of(lesson, see, together=together)) for lesson in lessons]
        # The secret only guards against another page's reading by accident: the storage is the visitor's own. It stands
        # outside of what is folded, since Gradio reads no storage for what it hasn't shown yet.
        self._store = gr.BrowserState({}, storage_key=f"genai-playgrounds-lessons-{task}", secret="lessons")
        self._at = gr.State(NOWHERE)
        self._text_of_file = gr.Textbox(visible="hidden", label="Answers", elem_id="lesson-file")
        self._link = gr.Textbox(visible="hidden", label="Lesson", elem_id="lesson-link")
        with gr.Accordion("Lessons", open=unfolded, elem_id="lessons") as self._fold:
            with gr.Column(visible=False, elem_id="lesson-path") as self._path:
                self._told = gr.HTML("", elem_id="lesson-question")
                self._run = gr.Radio([], label="Steps", elem_id="lesson-run")
                self._choice = gr.Radio([], label="Choose your answer", visible=False, elem_id="lesson-choice")
                self._text = gr.Textbox(label="Your answer", lines=2, max_lines=8, elem_id="lesson-answer")
                self._verdict = gr.HTML("", elem_id="lesson-because")
                with gr.Row():
                    self._back = gr.Button("Back", size="sm", min_width=80, elem_id="lesson-back")
                    self._next = gr.Button("Next", size="sm", min_width=80, variant="primary", elem_id="lesson-next")
            self._buttons = [gr.Button(lesson.title, size="sm") for lesson in lessons]
            self._save = gr.Button("Download my answers", size="sm", visible=False, elem_id="lesson-save")

    def wire(self, demo: gr.Blocks, screen: Screen, after: Any = None, **options: Any) -> list[Any]:
        """Connect the events. Returns those that may put a step on the screen, for what follows them.

        `after`: an event of the page's opening which a lesson that a link names must wait for.
        """
        tell_lessons(demo, [(lesson.key, lesson.title) for lesson, _ in self._paths])
        self._screen, self._title, going = screen, f"My answers: {demo.title}", {**_PRIVATE, **options}
        shown = [self._path, self._told, self._run, self._choice, self._text, self._verdict, self._back, self._next]
        marks = [*self._buttons, self._save]
        self._here, given = [self._store, self._at, *shown, *marks], [self._store, self._at, self._choice, self._text]
        demo.load(lambda store: self._marks(store), self._store, marks, **_PRIVATE)
        self._choice.input(self._chosen, given, [self._store, self._run, self._verdict, *marks], **_PRIVATE)
        # It changes nothing of the step: who leaves the box by pressing Next has both answers under way.
        self._text.blur(self._written, given, [self._store, *marks], **_PRIVATE)
        saved = self._save.click(self._file, self._store, self._text_of_file, **_PRIVATE)
        saved.then(None, self._text_of_file, None, js=lesson_view.SAVE, **_PRIVATE)
        begun = [self._store, *screen.inputs]
        inputs, outputs = [*given, self._run, *screen.inputs], [*self._here, *screen.outputs]
        starts = [
            button.click(partial(self._begin, number), begun, outputs, **going)
            for number, button in enumerate(self._buttons)
        ]
        read = after.then if after is not None else demo.load
        read(None, None, self._link, js=READ, **_PRIVATE)
        linked = [*outputs, self._fold]
        starts.append(self._link.change(self._linked, [self._link, *begun], linked, **going))
        ways = ((self._run.input, _called), (self._next.click, _after), (self._back.click, _before))
        return [*starts, *(event(partial(self._go, way), inputs, outputs, **going) for event, way in ways)]

    # What the events do. `at`: the lesson and the step that are shown.

    def _begin(self, number: int, store: Any, *given: Any) -> list[Any]:
        """Show the lesson at its first step that isn't answered."""
        lesson, steps = self._paths[number]
        step = next((n for n, known in enumerate(done(read_answers(store), lesson, steps)) if not known), 0)
        return self._reached(store, (number, step), *given)

    def _linked(self, key: str, store: Any, *given: Any) -> list[Any]:
        """Show the lesson that a link named."""
        number = next((n for n, (lesson, _) in enumerate(self._paths) if lesson.key == key), None)
        if number is None:  # anybody can write a link
            return [gr.skip()] * (len(self._here) + len(self._screen.outputs) + 1)
        return [*self._begin(number, store, *given), gr.update(open=True)]

    def _go(
        self, way: Way, store: Any, at: tuple[int, int], choice: str | None, text: str, name: str, *given: Any
    ) -> list[Any]:
        """Keep the answer, and show another step of the same lesson."""
        step = way(self._paths[at[0]][1], at[1], name)
        return self._reached(self._kept(store, at, choice, text), (at[0], step), *given, stays=step == at[1])

    def _chosen(self, store: Any, at: tuple[int, int], choice: str | None, text: str) -> list[Any]:
        store = self._kept(store, at, choice, text)
        return [store, self._steps(store, at), self._judged(store, at), *self._marks(store)]

    def _written(self, store: Any, at: tuple[int, int], choice: str | None, text: str) -> list[Any]:
        store = self._kept(store, at, choice, text)
        return [store, *self._marks(store)]

    def _kept(self, store: Any, at: tuple[int, int], choice: str | None, text: str) -> Any:
        lesson, steps = self._paths[at[0]]
        step = steps[at[1]]
        return answered(read_answers(store), lesson, step, choice if step.ask.choices else text)

    def _file(self, store: Any) -> str:
        return as_markdown(self._title, self._paths, read_answers(store))

    # What is shown.

    def _reached(self, store: Any, at: tuple[int, int], *given: Any, stays: bool = False) -> list[Any]:
        lesson, steps = self._paths[at[0]]
        step, screen = steps[at[1]], self._screen
        said = read_answers(store).get(lesson.key, {}).get(step.name)
        put = screen.put(lesson, step.parts, *given) if step.parts and not stays else [gr.skip()] * len(screen.outputs)
        shown = [
            gr.update(visible=True),
            lesson_view.told(lesson, steps, at[1]),
            self._steps(store, at),
            gr.update(choices=list(step.ask.choices), value=said, visible=bool(step.ask.choices)),
            gr.update(value=said or "", visible=not step.ask.choices),
            self._judged(store, at),
            gr.update(interactive=at[1] > 0),
            gr.update(value="Next" if at[1] < len(steps) - 1 else "Done"),
        ]
        return [store, at, *shown, *self._marks(store), *put]

    def _steps(self, store: Any, at: tuple[int, int]) -> Any:
        lesson, steps = self._paths[at[0]]
        known = done(read_answers(store), lesson, steps)
        choices = [(lesson_view.marked(step.name, it), step.name) for step, it in zip(steps, known, strict=True)]
        return gr.update(choices=choices, value=steps[at[1]].name, visible=len(steps) > 1)

    def _judged(self, store: Any, at: tuple[int, int]) -> str:
        lesson, steps = self._paths[at[0]]
        answers, step = read_answers(store), steps[at[1]]
        told = verdict(step.ask, answers.get(lesson.key, {}).get(step.name))
        count = sum(done(answers, lesson, steps))
        return lesson_view.judged(told, count, len(steps), at_end=at[1] == len(steps) - 1)

    def _marks(self, store: Any) -> list[Any]:
        """What each lesson's button says of how far it is, and whether there is something to download."""
        answers = read_answers(store)
        counts = [(sum(done(answers, lesson, steps)), len(steps)) for lesson, steps in self._paths]
        names = [lesson.title for lesson, _ in self._paths]
        marks = [lesson_view.progress(name, *count) for name, count in zip(names, counts, strict=True)]
        return [*(gr.update(value=mark) for mark in marks), gr.update(visible=any(count for count, _ in counts))]


def _called(steps: Sequence[Step], at: int, name: str) -> int:
    return next((number for number, step in enumerate(steps) if step.name == name), at)


def _after(steps: Sequence[Step], at: int, name: str) -> int:
    return min(at + 1, len(steps) - 1)


def _before(steps: Sequence[Step], at: int, name: str) -> int:
    return max(at - 1, 0)


def filled(
    names: Sequence[str],
    sliders: Mapping[str, tuple[str, float, float, float, float, str]],
    asked: Mapping[str, Any],
    own: Mapping[str, Any],
) -> dict[str, Any]:
    """What each control of those names gets for settings by a request's names.

    `sliders`: label, least, most, step, value where nothing else is known, and words. `own`: the model's values.
    """
    values: dict[str, Any] = dict.fromkeys(names, "")
    values |= {name: own.get(name, row[4]) for name, row in sliders.items()}
    known = {name: value for name, value in asked.items() if value is not None}
    return values | {name: value if name in sliders else str(value) for name, value in known.items()}
