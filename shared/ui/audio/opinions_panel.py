"""Scores for what was compared: given by ear, kept in the visitor's browser, and taken away as a file."""

from __future__ import annotations

import tempfile
from collections.abc import Callable, Sequence
from datetime import UTC, datetime
from functools import partial
from html import escape
from pathlib import Path
from typing import Any

import gradio as gr

from shared.audio.comparing import MOST
from shared.audio.opinions import LARGEST, SCALE, Mean, Opinion, from_json, kept, means, read, to_csv, to_json, together
from shared.errors import InvalidRequest
from shared.ui.audio.compare_view import Trial

_ABOUT = (
    "Mean opinion scores of this browser: 1 is bad, 5 is excellent (ITU-T P.800). ± is half of the 95% interval of the "
    "mean; a few scores tell little. Save them as JSON and add them to another's to put those of a class together."
)
_PRIVATE: dict[str, Any] = {"api_visibility": "private", "show_progress": "hidden", "queue": False}


def opinions_store() -> gr.BrowserState:
    """Where the scores are kept. It must lie outside all tabs: what is in one is read only once that is opened."""
    # The secret only guards against another page's reading by accident: the storage is the visitor's own.
    return gr.BrowserState([], storage_key="genai-playgrounds-opinions", secret="opinions")


class OpinionsPanel:
    """The scores to give, below a comparison, and the means of those given so far.

    `kind`: of which task they are; `name` begins the elements' ids.
    """

    def __init__(self, store: gr.BrowserState, kind: str, name: str = "") -> None:
        self.store, self._kind, self._name = store, kind, name
        choices = [(f"{score} {word}", score) for score, word in SCALE.items()]
        with gr.Group(visible=False, elem_id=f"{name}opinions") as self.box:
            self.scores = [
                gr.Radio(choices, label=chr(65 + place), visible=False, elem_id=f"{name}score-{place}")
                for place in range(MOST)
            ]
            self.keep = gr.Button("Keep these scores", elem_id=f"{name}keep-scores")
        self.table = gr.HTML("", elem_id=f"{name}means")
        with gr.Row(visible=False) as self.away:
            self.as_csv = gr.Button("Scores as CSV", size="sm", min_width=100, elem_id=f"{name}scores-csv")
            self.as_json = gr.Button("Scores as JSON", size="sm", min_width=100, elem_id=f"{name}scores-json")
            self.forget = gr.Button("Delete all scores", size="sm", min_width=100, elem_id=f"{name}scores-delete")
        self.more = gr.UploadButton(
            "Add scores from files",
            file_types=[".json"],
            file_count="multiple",
            size="sm",
            elem_id=f"{name}scores-add",
        )
        self.told = gr.HTML("", elem_id=f"{name}scores-told")
        # A hidden button is clicked once the file is written: Gradio's own hands out what it held before the click.
        self.file = gr.DownloadButton("File", visible="hidden", elem_id=f"{name}opinions-file")

    @property
    def outputs(self) -> list[Any]:
        """What `asking` gives."""
        return [self.box, *self.scores]

    @property
    def given(self) -> list[Any]:
        """What `keep` is given besides the trial."""
        return [self.store, *self.scores]

    @property
    def changed(self) -> list[Any]:
        """What `keep` gives."""
        return [self.store, self.table, self.away, *self.outputs]

    def wire(self, trial: gr.State) -> None:
        """Connect the events."""
        kept_too = [trial, *self.changed]
        self.keep.click(lambda t, *given: [t, *keep(t, *given)], [trial, *self.given], kept_too, **_PRIVATE)
        kind = self._kind
        shown = [self.store, self.table, self.away]
        self.forget.click(lambda stored: _forgotten(stored, kind), self.store, shown, **_PRIVATE)
        queued = {**_PRIVATE, "queue": True}
        self.more.upload(partial(_added, kind), [self.more, self.store], [*shown, self.told], **queued)
        download = f"() => document.querySelector('#{self._name}opinions-file').click()"
        for button, write, suffix in ((self.as_csv, to_csv, ".csv"), (self.as_json, to_json, ".json")):
            written = button.click(_file(write, suffix, kind), self.store, self.file, **_PRIVATE)
            written.success(None, None, None, js=download, **_PRIVATE)

    def show_at(self, demo: gr.Blocks) -> None:
        """Show the means when the page opens."""
        queued = {**_PRIVATE, "queue": True}
        demo.load(lambda stored: _shown(read(stored), self._kind), self.store, [self.table, self.away], **queued)


def asking(trial: Trial) -> list[Any]:
    """Updates that ask for a score of each that has sounded, or for none."""
    sounded = [bool(row.seconds) and not trial.kept and trial.ended for row in trial.rows]
    names = [trial.called(place) for place in range(len(trial.rows))]
    blank = gr.update(visible=False, value=None)
    boxes = [gr.update(visible=True, label=name) if on else blank for on, name in zip(sounded, names, strict=True)]
    return [gr.update(visible=any(sounded)), *boxes, *[blank] * (MOST - len(boxes))]


def keep(trial: Trial, stored: Any, *scores: int | None) -> list[Any]:
    """Keep the scores; updates for `changed`. A comparison is scored once."""
    opinions = read(stored)
    now = datetime.now(UTC).isoformat(timespec="seconds")
    given = [(row, score) for row, score in zip(trial.rows, scores, strict=False) if score]
    if given and not trial.kept:
        trial.kept = True
        opinions += [
            Opinion(
                engine=row.name,
                score=score,
                blind=trial.hidden,
                text=trial.text,
                seed=row.seed,
                created=now,
                kind=trial.kind,
            )
            for row, score in given
            if score in SCALE
        ]
    return [kept(opinions), *_shown(opinions, trial.kind), *asking(trial)]


def _added(kind: str, files: list[str] | None, stored: Any) -> list[Any]:
    opinions, told = read(stored), ""
    try:
        opinions = together([*opinions, *(opinion for file in files or [] for opinion in from_json(_start_of(file)))])
    except InvalidRequest as error:
        told = f'<div class="pg-note pg-error" role="alert">{escape(str(error))}</div>'
    return [kept(opinions), *_shown(opinions, kind), told]


def _start_of(file: str) -> bytes:
    """The file, or so much of it that it is seen to be too large."""
    with open(file, "rb") as data:
        return data.read(LARGEST + 1)


def _forgotten(stored: Any, kind: str) -> list[Any]:
    left = [opinion for opinion in read(stored) if opinion.kind != kind]
    return [kept(left), *_shown(left, kind)]


def _shown(opinions: Sequence[Opinion], kind: str) -> list[Any]:
    own = _of(opinions, kind)
    return [table(means(own)), gr.update(visible=bool(own))]


def _of(opinions: Sequence[Opinion], kind: str) -> list[Opinion]:
    return [opinion for opinion in opinions if opinion.kind == kind]


def table(found: Sequence[Mean]) -> str:
    """The means as an HTML table."""
    if not found:
        return ""
    rows = "".join(
        f"<tr><th>{escape(mean.engine)}</th><td><b>{mean.score:.2f}</b>{_margin(mean)}</td>"
        f"<td>{mean.count}, {mean.blind} blind</td></tr>"
        for mean in found
    )
    head = "<tr><th></th><th>Score</th><th>Given</th></tr>"
    return f'<div class="pg-scroll"><table class="pg-table">{head}{rows}</table></div><p class="pg-quiet">{_ABOUT}</p>'


def _margin(mean: Mean) -> str:
    return "" if mean.margin is None else f" ± {mean.margin:.2f}"


def _file(write: Callable[[Sequence[Opinion]], str], suffix: str, kind: str) -> Callable[[Any], str]:
    def written(stored: Any) -> str:
        path = Path(tempfile.mkdtemp(prefix="playground-scores-")) / f"opinions{suffix}"
        path.write_text(write(_of(read(stored), kind)), encoding="utf-8")
        return str(path)

    return written
