"""A run that makes sound, as a tab follows it: from what was typed to what it shows four times a second."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import Any, TypeVar

import gradio as gr

from shared.audio.spoken import Spoken, heard, speeches
from shared.engine import Engine
from shared.errors import InferenceError, InvalidRequest
from shared.events import AudioChunk
from shared.requests import Request
from shared.tasks import Mode
from shared.ui.model_picker import Picked
from shared.ui.sessions import Runs, with_keys

Asked = TypeVar("Asked", bound=Request)


def followed(
    engine: Engine,
    runs: Runs,
    request: gr.Request,
    keys: Any,
    picked: Picked,
    ask: Callable[[], Asked],
    hear: Callable[[AudioChunk], object] = lambda chunk: None,
    owner: str = "",
) -> Iterator[tuple[Spoken, Asked | None]]:
    """What there is so far, and what was asked; None where that can't be read, or the run failed before it began.

    `ask` reads what was typed, and may raise `InferenceError`. `hear` gets each piece of sound at once. `owner`: who
    finds again what a hosted engine makes.
    """
    try:
        if not picked.model:
            raise InvalidRequest("Choose a model first.")
        asked, settings = ask(), with_keys(engine.settings, keys)
        with runs.running(request.session_hash or "local") as (cancel,):
            events = engine.generate(
                picked.model,
                asked,
                mode=Mode(picked.mode),
                variant=picked.variant or None,
                settings=settings,
                cancel=cancel,
                owner=owner,
            )
            for spoken in speeches(heard(events, hear)):
                yield spoken, asked
    except InferenceError as error:
        yield Spoken(error=error), None
