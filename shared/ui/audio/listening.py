"""Hearing a speech back on the screen: the choice of a listener, and what it heard against the text."""

from __future__ import annotations

from collections.abc import Generator
from dataclasses import replace
from html import escape
from typing import Any

import gradio as gr

from shared.audio import quality as dnsmos
from shared.audio.listening.hearing_back import Heard, hear_back
from shared.audio.listening.rows import Listener, listeners, reason
from shared.audio.listening.word_errors import Edit
from shared.audio.pcm import to_samples
from shared.audio.spoken import Spoken
from shared.background import meanwhile
from shared.errors import BackendError, Cancelled, InferenceError
from shared.pacing import status_of
from shared.requests import SpeechRequest
from shared.settings import Settings
from shared.streaming import CancelToken
from shared.ui.running import note

_CAVEAT = (
    "Counted against the text, both written alike. A listener errs too, and writes numbers, dates and abbreviations in "
    "its own way: compare voices by it, and don't take it for the truth about one."
)


def choices(elem_id: str) -> list[Any]:
    """Who is to listen, if anybody, and whether it is rated."""
    missing = "" if _unrated() is None else ", not installed"
    with gr.Column(scale=2, min_width=180):
        listener = _listener(elem_id)
        rated = gr.Checkbox(False, label=f"Rate it: DNSMOS{missing}", elem_id=f"{elem_id}-rate")
    return [listener, rated]


def _unrated() -> str | None:
    try:
        dnsmos.check()
    except BackendError as error:
        return str(error)
    return None


def _listener(elem_id: str) -> gr.Dropdown:
    named = [(_label(listener), listener.id) for listener in listeners().values()]
    info = "Writes down what it hears, and counts the words that differ."
    return gr.Dropdown(
        [("Nobody", ""), *named],
        value="",
        label="Hear it back",
        info=info,
        elem_id=elem_id,
    )


def _label(listener: Listener) -> str:
    missing = "" if reason(listener) is None else ", not installed"
    return f"{listener.name}: {listener.about}{missing}"


def can_be_heard(spoken: Spoken) -> bool:
    """Whether there is a sound to listen to."""
    return spoken.receipt is not None and spoken.sound is not None and bool(spoken.sound.pcm)


def hearing(
    spoken: Spoken, request: SpeechRequest, listener: str, settings: Settings, cancel: CancelToken | None = None
) -> Generator[str, None, Heard]:
    """Say how far it is, at least twice a second, and return what was heard of what `can_be_heard`.

    Raises what `hear_back` raises.
    """
    assert spoken.sound is not None and spoken.receipt is not None
    sound, language = spoken.sound, request.language or spoken.receipt.extra.get("language")
    request = replace(request, language=language)
    steps = meanwhile(lambda emit: hear_back(sound, request, listener, settings, emit), "Listening", cancel)
    try:
        while True:
            yield status_of(next(steps))
    except StopIteration as ended:
        heard: Heard = ended.value
        return heard
    finally:
        steps.close()


def rating(
    spoken: Spoken, settings: Settings, cancel: CancelToken | None = None
) -> Generator[str, None, dnsmos.Quality]:
    """The same for how it sounds. Raises what `quality` raises."""
    sound = spoken.sound
    assert sound is not None
    steps = meanwhile(
        lambda emit: dnsmos.quality(to_samples(sound.pcm), sound.sample_rate, settings, emit), "Rating", cancel
    )
    try:
        while True:
            yield status_of(next(steps))
    except StopIteration as ended:
        found: dnsmos.Quality = ended.value
        return found
    finally:
        steps.close()


def measured(
    spoken: Spoken, request: SpeechRequest, listener: str, rate: bool, settings: Settings, cancel: CancelToken
) -> Generator[str, None, tuple[dict[str, Any], str]]:
    """Have it heard back and rated, as far as either is wanted: what a receipt is to say, and HTML that shows it."""
    found: dict[str, Any] = {}
    words = ""
    try:
        if listener:
            heard = yield from hearing(spoken, request, listener, settings, cancel)
            found, words = heard.facts(), shown(heard)
        if rate:
            rated = yield from rating(spoken, settings, cancel)
            found, words = found | rated.facts(), words + _rated(rated)
    except Cancelled:
        words += note("Stopped by you before it was heard to the end.")
    except InferenceError as error:
        words += note(str(error), "pg-error")
    return found, words


_GUESS = (
    "A network's guess of what people would say, learned from noisy calls: it hears hiss and clipping well, and a "
    "false tone hardly."
)


def _rated(rated: dnsmos.Quality) -> str:
    figures = [("all", rated.overall), ("voice", rated.signal), ("quiet behind it", rated.background)]
    cells = ", ".join(f"{name} <b>{score:.2f}</b>" for name, score in figures)
    return f'<div class="pg-note" role="status">{dnsmos.NAME} (of 5): {cells}<p class="pg-quiet">{_GUESS}</p></div>'


def shown(heard: Heard) -> str:
    """What was heard: the figure, and each word that differs beside the one of the text."""
    rate, wrong, of = heard.errors.rate, heard.errors.wrong, heard.errors.words
    if rate is None:
        return '<div class="pg-note" role="status">There is no word in this text to be heard.</div>'
    figure = f"{escape(heard.listener)} heard {wrong} of {of} words otherwise: {rate:.1%}"
    if heard.errors.characters:
        figure = f"{escape(heard.listener)} heard {wrong} of {of} characters otherwise: {rate:.1%}"
    words = ("" if heard.errors.characters else " ").join(_marked(edit) for edit in heard.errors.edits)
    wrote = f'<p>{escape(heard.text) or "nothing"}</p><p class="pg-quiet">{_CAVEAT}</p>'
    return (
        f'<div class="pg-note pg-heard" role="status"><b>{figure}</b><p>{words}</p>'
        f"<details><summary>What it wrote down, and how this is counted</summary>{wrote}</details></div>"
    )


def _marked(edit: Edit) -> str:
    if edit.same:
        return escape(edit.said)
    said = f"<del>{escape(edit.said)}</del>" if edit.said else ""
    heard = f"<ins>{escape(edit.heard)}</ins>" if edit.heard else ""
    return said + heard


def facts(heard: Heard) -> dict[str, Any]:
    """The same for a program."""
    differing = [{"said": edit.said, "heard": edit.heard} for edit in heard.errors.edits if not edit.same]
    return {"text": heard.text, "language": heard.language, **heard.facts(), "differing": differing}
