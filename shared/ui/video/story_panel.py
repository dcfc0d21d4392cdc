"""The Storyboard tab: a shot a line, made by the chosen engine and joined; its cost told first where it has one."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import gradio as gr

from shared.engine import Engine
from shared.errors import InferenceError, InvalidRequest
from shared.media.opening import to_part
from shared.receipts import Receipt
from shared.requests.video import MOST_SHOTS
from shared.settings import Settings
from shared.streaming import CancelToken, switch_for_one
from shared.tasks import Task
from shared.ui import receipt_view
from shared.ui.following import following
from shared.ui.jobs_panel import Owner
from shared.ui.model_picker import Picked
from shared.ui.running import PRIVATE, RunRow, Shown, note
from shared.ui.sessions import Runs, with_keys
from shared.ui.video import story_view
from shared.ui.video.files import keep
from shared.ui.video.film_view import NOTHING, growing
from shared.ui.video.making import Visit, made
from shared.ui.video.settings_panel import to_request
from shared.video.finishing import finish
from shared.video.joining import TRANSITIONS
from shared.video.reading import frames
from shared.video.shooting import Storyboards, new_name
from shared.video.storyboard import Board, Film, film

HINT = (
    "Each line is a shot, with the settings beside, by the engine chosen above. What is whole stays when you stop. "
    "A hosted engine makes them at the same time, unless each begins where the one before ends; what all will cost is "
    "told first, and you may leave meanwhile."
)
EXAMPLE = "a red apple\nan apple tree\na birthday cake"
STOPPED = "Stopped by you. What was whole is kept."

# What the last story left on the screen.
_CLEARED: dict[str, Any] = {"film": gr.update(visible=False), "metrics": ""}


@dataclass(frozen=True)
class Told:
    """A storyboard whose cost was told: a `new` one that is to have that id, or the one that is to be gone on with."""

    board: Board
    id: str
    new: bool = False


class StoryPanel:
    """The tab's components and events."""

    def __init__(self, engine: Engine, runs: Runs) -> None:
        self._engine, self._runs, self._boards = engine, runs, Storyboards(engine)
        gr.HTML(f'<div class="pg-quiet">{HINT}</div>')
        with gr.Row(equal_height=False):
            with gr.Column(scale=5, min_width=300):
                self.shots = gr.Textbox(EXAMPLE, label="Shots", lines=5, max_lines=MOST_SHOTS, elem_id="story-shots")
                kinds = [(label, name) for name, label in TRANSITIONS.items()]
                self.transition = gr.Radio(kinds, value="fade", label="From shot to shot", elem_id="story-transition")
                self.on = gr.Checkbox(
                    False, label="Each begins with the last picture of the one before", elem_id="story-on"
                )
                self.row = RunRow("Make the story", "story")
                self.quoted = gr.HTML("", elem_id="story-quoted")
                self.agree = gr.Button("Agree and make it", variant="primary", elem_id="story-agree", visible=False)
                self.told = gr.State(None)  # a `Told`
                self.mine = gr.Dropdown([], label="Your storyboards", visible=False, elem_id="stories")
                with gr.Row(visible=False) as self.buttons:
                    self.open = gr.Button("Go on, or open", elem_id="story-open", min_width=120)
                    self.forget = gr.Button("Forget", elem_id="story-forget", min_width=100)
            with gr.Column(scale=6, min_width=300):
                self.growing = gr.HTML(NOTHING, elem_id="story-growing")
                self.film = gr.Video(
                    label="The story", interactive=False, autoplay=True, loop=True, height=420, visible=False,
                    buttons=["download"], elem_id="story-film",
                )  # fmt: skip
                self.metrics = gr.HTML("", elem_id="story-metrics")
        self._outputs = {
            "growing": self.growing,
            "film": self.film,
            "metrics": self.metrics,
            "quoted": self.quoted,
            "agree": self.agree,
            "told": self.told,
            "mine": self.mine,
            "buttons": self.buttons,
        }

    def wire(self, tab: gr.Tab, picker: list[Any], settings: list[Any], keys: Any, owner: Owner) -> None:
        """Connect the events. `owner`: whose storyboards are found again."""
        self._owner_of = owner.of
        inputs = [self.shots, self.transition, self.on, self.told, self.mine, keys, owner.token, *picker, *settings]
        outputs = list(self._outputs.values())
        others = [(self.agree, self._agreed), (self.open, self._gone_on)]
        self.row.wire(self._runs, self._made, inputs, outputs, others)
        listed = [self.mine, self.buttons]
        tab.select(self._listed, [owner.token, self.mine], listed, queue=False, **PRIVATE)
        self.forget.click(self._forgotten, [owner.token, self.mine], [*listed, self.row.told], queue=False, **PRIVATE)

    def _values(self, **changes: Any) -> list[Any]:
        """A value for each output: these, and the others as they are."""
        return [changes.get(name, gr.skip()) for name in self._outputs]

    def _made(
        self, cancel: CancelToken, shots: str, transition: str, on: bool, told: Any, mine: Any, *rest: Any
    ) -> Iterator[Shown]:
        """A new one: at once by an engine here; by a provider once its cost was agreed to."""
        keys, token, *values = rest
        picked, settings = Picked(*values[:3]), with_keys(self._engine.settings, keys)
        if not picked.model:
            raise InvalidRequest("Choose a model first.")
        board = Board(
            lines=tuple(line.strip() for line in (shots or "").splitlines() if line.strip()),
            model=picked.model,
            mode=picked.mode,
            variant=picked.variant or "",
            settings=to_request(values[3:]),
            transition=transition,
            chained=on,
        )
        found = following(self._engine, Task.TEXT_TO_VIDEO, picked, settings)
        if on and found and (why := found.reason("image")):
            raise InvalidRequest(f"This engine can't begin with a picture: {why}")
        if found is None or not found.capabilities.jobs:
            yield from self._here(board, settings, cancel)
            return
        yield from self._told_first(Told(board, new_name(), new=True), token, settings, cancel)

    def _gone_on(
        self, cancel: CancelToken, shots: str, transition: str, on: bool, told: Any, mine: Any, *rest: Any
    ) -> Iterator[Shown]:
        """One that was begun before: what is at the provider is waited for; what must be sent is told first."""
        keys, token, *_ = rest
        row = self._boards.find(mine or "", self._owner_of(token))
        settings = with_keys(self._engine.settings, keys)
        yield from self._told_first(Told(Board.from_dict(row.request), row.id), token, settings, cancel)

    def _agreed(
        self, cancel: CancelToken, shots: str, transition: str, on: bool, told: Told | None, mine: Any, *rest: Any
    ) -> Iterator[Shown]:
        """The one whose cost was told, as it was then."""
        keys, token, *_ = rest
        if told is None:
            raise InvalidRequest("There is nothing to agree to. Press “Make the story” first.")
        yield from self._shot(told, token, with_keys(self._engine.settings, keys), cancel)

    def _told_first(self, told: Told, token: Any, settings: Settings, cancel: CancelToken) -> Iterator[Shown]:
        row = None if told.new else self._boards.find(told.id, self._owner_of(token))
        quoted = self._boards.quote(told.board, settings, row)
        if quoted is not None and quoted.asks:
            yield Shown(self._values(quoted=note(quoted.words), agree=gr.update(visible=True), told=told))
            return
        yield from self._shot(told, token, settings, cancel)

    def _shot(self, told: Told, token: Any, settings: Settings, cancel: CancelToken) -> Iterator[Shown]:
        """The shots at the provider as they come, and the film at the end."""
        owner, board = self._owner_of(token), told.board
        if told.new:
            quoted = self._boards.quote(board, settings)
            row = self._boards.open(board, owner, quoted.usd if quoted else None, told.id)
        else:
            row = self._boards.find(told.id, owner)
        gone = {"quoted": "", "agree": gr.update(visible=False), "told": None}
        yield Shown(self._values(**_CLEARED, **gone))
        for shooting in self._boards.shoot(row, settings, cancel):
            value = story_view.table(board.lines, shooting.shots) if shooting.shots else ""
            shown = self._values(growing=gr.update(value=value, visible=bool(value)), **gone)
            yield Shown(shown, status=f"{len(board.lines)} shots at the provider; you may leave, they are kept here")
        mine = dict(zip(("mine", "buttons"), self._listed(token, row.id), strict=True))
        words = " ".join(filter(None, (STOPPED if cancel.cancelled else "", shooting.words)))
        yield Shown(self._values(**self._film(shooting.film, settings, hide=False), **gone, **mine), note=words)

    def _film(self, whole: Film | None, settings: Settings, *, hide: bool) -> dict[str, Any]:
        """The film in a file with its receipt. `hide`: what was shown while it grew."""
        if whole is None:
            return {}
        finished = finish(whole.output, whole.receipt, whole.request, settings)
        path = keep(finished, whole.request, whole.receipt)[0]
        shown = {"film": gr.update(value=path, visible=True), "metrics": receipt_view.metrics(whole.receipt)}
        return {**shown, "growing": gr.update(visible=False)} if hide else shown

    def _here(self, board: Board, settings: Settings, cancel: CancelToken) -> Iterator[Shown]:
        """One shot after another by an engine of this machine."""
        visit = Visit(settings=settings)
        picked = Picked(board.model, board.mode, board.variant or None)
        came: list[tuple[str, bytes, Receipt]] = []
        broke: InferenceError | None = None
        yield Shown(self._values(**_CLEARED))
        for number, line in enumerate(board.lines):
            request = board.request(number)
            if board.chained and came:
                request = replace(request, image=to_part(list(frames(came[-1][1]))[-1]))
            with switch_for_one(cancel) as own:
                for kept in made(self._engine, request, picked, visit, own):
                    if kept.quoted:
                        raise InvalidRequest(f"{kept.quoted} Make one clip at a time under Make.")
                    broke = kept.clip.error
                    status = f"Shot {number + 1} of {len(board.lines)}: {kept.clip.status}"
                    yield Shown(self._values(growing=gr.update(value=growing(kept.clip), visible=True)), status=status)
            if kept.paths and kept.clip.receipt:
                came.append((line, Path(kept.paths[0]).read_bytes(), kept.clip.receipt))
            if cancel.cancelled or broke:
                break
        if broke and not came:
            raise broke
        if came:
            words = f"Shot {len(came) + 1}: {broke} What was whole is kept." if broke else ""
            shown = self._film(film(board, came), settings, hide=True)
            yield Shown(self._values(**shown), note=STOPPED if cancel.cancelled else words)

    def _listed(self, token: Any, chosen: str | None) -> list[Any]:
        """The owner's storyboards, and the buttons for them."""
        rows = self._boards.of(self._owner_of(token))
        choices = [(story_view.line(row, self._boards.states(row)), row.id) for row in rows]
        picked = chosen if any(row.id == chosen for row in rows) else next((row.id for row in rows), None)
        some = bool(rows)
        return [gr.update(choices=choices, value=picked, visible=some), gr.update(visible=some)]

    def _forgotten(self, token: Any, chosen: str | None) -> list[Any]:
        """Take it off the list; its shots stay under Jobs."""
        try:
            row = self._boards.find(chosen or "", self._owner_of(token))
        except InferenceError as error:
            return [*self._listed(token, None), note(str(error), "pg-error")]
        self._engine.jobs.store.forget(row.id)
        return [*self._listed(token, None), note("Forgotten. Its shots are still listed under “Jobs”.")]
