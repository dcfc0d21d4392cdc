"""A comparison of voices, music or sounds as it is shown: a row an engine, by name or by letters."""

from __future__ import annotations

from dataclasses import dataclass, field
from html import escape

from shared.audio.finishing import finish
from shared.audio.spoken import Spoken
from shared.data_urls import data_url
from shared.requests import SpeechRequest
from shared.tasks import Task
from shared.ui import receipt_view


@dataclass(frozen=True, kw_only=True)
class Row:
    """An engine's name, and its cells once there is something to show.

    `status`: what it does before it sounds, and `problem`: what went wrong; both may name it. `seconds`: of sound.
    `seed`: as its receipt. `picture`: what is seen of it while it is made, and after.
    """

    name: str
    status: str = ""
    problem: str = ""
    sound: str = ""
    figures: str = ""
    heard: str = ""
    picture: str = ""
    seconds: float = 0.0
    seed: int | None = None


@dataclass
class Trial:
    """A comparison on the screen. `hidden`: by letters; `blind`: it began so. `ended`: nothing more comes.

    `kept`: scores were given to it. `kind`: the task.
    """

    text: str = ""
    rows: list[Row] = field(default_factory=list)
    blind: bool = False
    hidden: bool = False
    ended: bool = False
    kept: bool = False
    kind: str = Task.TEXT_TO_SPEECH

    def called(self, place: int) -> str:
        """What the engine at that place is called now."""
        name, letter = self.rows[place].name, chr(65 + place)
        return letter if self.hidden else f"{letter}: {name}" if self.blind else name


def row_of(name: str, spoken: Spoken, asked: SpeechRequest) -> Row:
    """The row of what an engine has said so far."""
    problem = f'<div class="pg-note pg-error">{escape(str(spoken.error))}</div>' if spoken.error else ""
    if spoken.receipt is None or spoken.sound is None or not spoken.sound.pcm:
        return Row(name=name, status=spoken.status, problem=problem)
    finished = finish(spoken.sound, spoken.receipt, asked, "wav")
    url = data_url(finished.data, finished.kind.media_type)
    return Row(
        name=name,
        problem=problem,
        sound=f'<audio controls preload="metadata" src="{url}"></audio>',
        figures=receipt_view.metrics(finished.receipt),
        seconds=spoken.sound.seconds,
        seed=spoken.receipt.seed,
    )


def table(trial: Trial) -> str:
    """The engines as an HTML table; what would give away who is hidden is left out."""
    cells = _hidden if trial.hidden else _shown
    body = "".join(
        f"<tr><th>{escape(trial.called(place))}</th><td>{cells(row)}</td></tr>" for place, row in enumerate(trial.rows)
    )
    return f'<div class="pg-scroll"><table class="pg-table">{body}</table></div>' if body else ""


def cells(trial: Trial) -> str:
    """The same beside each other: name and seed, picture, and what is heard and measured."""
    tunes = "".join(
        f'<section class="pg-tune"><h4>{escape(_titled(trial, place))}</h4>'
        f"{'' if trial.hidden else row.picture}{(_hidden if trial.hidden else _shown)(row)}</section>"
        for place, row in enumerate(trial.rows)
    )
    return f'<div class="pg-tunes">{tunes}</div>' if tunes else ""


def _titled(trial: Trial, place: int) -> str:
    name, seed = trial.called(place), trial.rows[place].seed
    return name if trial.hidden or seed is None else f"{name} · seed {seed}"


def _shown(row: Row) -> str:
    status = f'<span class="pg-quiet">{escape(row.status)}</span>' if row.status and not row.problem else ""
    return row.sound + row.problem + status + row.figures + row.heard


def _hidden(row: Row) -> str:
    """Without what would tell who it is: also where it fails, and what it does before it sounds."""
    if row.problem:
        words = "Something went wrong; it is told with the names."
        return f'{row.sound}<div class="pg-note pg-error">{words}</div>'
    return row.sound or '<span class="pg-quiet">Being made, or waiting</span>'
