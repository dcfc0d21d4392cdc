"""Hearing a speech back on the screen: the choice of a listener, and what it heard against the text."""

from __future__ import annotations

from collections.abc import Generator
from dataclasses import replace
from html import escape
from typing import Any

import gradio as gr

from shared.audio.listening.hearing_back import Heard, hear_back
from shared.audio.listening.rows import Listener, listeners, reason
from shared.audio.listening.word_errors import Edit
from shared.audio.spoken import Spoken
from shared.background import meanwhile
from shared.errors import Cancelled, InferenceError
from shared.pacing import status_of
from shared.requests import SpeechRequest
from shared.settings import Settings
from shared.streaming import CancelToken

_CAVEAT = (
    "Counted against the text, both written alike. A listener errs too, and writes numbers, dates and abbreviations in "
    "its own way: compare voices by it, and don't take it for the truth about one."
)


def choice(elem_id: str) -> gr.Dropdown:
    """Who is to listen, if anybody."""
    named = [(_label(listener), listener.id) for listener in listeners().values()]
    info = "Writes down what it hears, and counts the words that differ."
    return gr.Dropdown(
        [("Nobody", ""), *named],
        value="",
        label="Hear it back",
        info=info,
        elem_id=elem_id,
        scale=2,
        min_width=180,
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


def heard_back(
    spoken: Spoken, request: SpeechRequest, listener: str, settings: Settings, cancel: CancelToken
) -> Generator[str, None, tuple[Heard | None, str]]:
    """The same, with the HTML that shows what was heard, or why there is nothing."""
    try:
        heard = yield from hearing(spoken, request, listener, settings, cancel)
        return heard, shown(heard)
    except Cancelled:
        return None, '<div class="pg-note" role="status">Stopped by you before it was heard to the end.</div>'
    except InferenceError as error:
        return None, f'<div class="pg-note pg-error" role="alert">{escape(str(error))}</div>'


def shown(heard: Heard) -> str:
    """What was heard: the figure, and each word that differs beside the one of the text."""
    rate, what = heard.errors.rate, "characters" if heard.errors.characters else "words"
    if rate is None:
        return '<div class="pg-note" role="status">There is no word in this text to be heard.</div>'
    figure = f"{escape(heard.listener)} heard {heard.errors.wrong} of {heard.errors.words} {what} otherwise: {rate:.1%}"
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
