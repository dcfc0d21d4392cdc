"""What a panel's outputs are told at a run's end, as Gradio hands it on: a page may show that telling alone."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import gradio as gr
from gradio.blocks import postprocess_update_dict

from shared.errors import InvalidRequest
from shared.streaming import CancelToken
from shared.ui.running import Shown, _follower
from shared.ui.sessions import Runs


def last_told(*screens: Shown, error: str = "") -> list[Any]:
    """The two outputs' last telling, after Gradio has sent all before it. The second output is a slider."""

    def work(cancel: CancelToken) -> Iterator[Shown]:
        yield from screens
        if error:
            raise InvalidRequest(error)

    slider, told = gr.Slider(0, 1), []
    for told in _follower(Runs(), work, 2)(gr.Request(session_hash="s")):
        told[1] = postprocess_update_dict(slider, told[1])
    return told


def stepped() -> Any:
    return gr.update(maximum=6, value=6, visible=True)


def test_the_last_telling_holds_the_value_that_was_sent_before() -> None:
    _, slider, *_ = last_told(Shown(["six steps", stepped()]))
    assert slider["value"] == 6


def test_the_last_telling_holds_what_the_one_before_left_as_it_was() -> None:
    words, slider, note, *_ = last_told(Shown(["words", stepped()]), Shown([gr.skip(), gr.skip()], note="All made."))
    assert (words, slider["value"]) == ("words", 6) and "All made." in note


def test_an_error_takes_away_nothing_that_was_shown() -> None:
    words, slider, note, *_ = last_told(Shown(["words", stepped()]), error="Too many.")
    assert (words, slider["value"]) == ("words", 6) and "Too many." in note


def test_an_output_that_was_told_nothing_stays_as_it_is() -> None:
    words, slider, *_ = last_told(Shown([gr.skip(), gr.skip()], status="Waiting"))
    assert words == gr.skip() and set(slider) == {"__type__"}
