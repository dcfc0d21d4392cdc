"""A person's state of a page is what Gradio itself would make of it, and nobody's values are another's."""

from __future__ import annotations

import asyncio
import typing
from typing import Any, cast

import gradio as gr
import pytest
from gradio.state_holder import SessionState, StateHolder

from shared.ui.quick_states import quicken, read_annotations


@pytest.fixture
def page() -> gr.Blocks:
    async def made() -> gr.Blocks:  # the page's queue takes the running event loop, and would leave one that it made
        demo = gr.Blocks()
        with demo:
            gr.State({"kept": 1})
            with gr.Row():
                gr.Dropdown(["a", "b"], value="a")
                gr.Textbox("words", visible=False)
        return demo

    demo, holder = asyncio.run(made()), cast(Any, StateHolder)()
    holder.set_blocks(demo)
    quicken(demo)
    return demo


def test_it_holds_all_that_gradios_own_does(page: gr.Blocks) -> None:
    own, quick = SessionState(page), page.state_holder["one"]
    assert vars(quick).keys() == vars(own).keys()
    assert quick.config_values == own.config_values and quick.config_values
    assert page.state_holder["one"] is quick


def test_a_value_is_one_persons_own(page: gr.Blocks) -> None:
    one, other = page.state_holder["one"], page.state_holder["other"]
    (box,) = (key for key, block in page.blocks.items() if isinstance(block, gr.Textbox))
    one._update_value_in_config(box, "mine")
    assert one.config_values[box]["props"]["value"] == "mine"
    assert (
        other.config_values[box]["props"]["value"] == "words" == SessionState(page).config_values[box]["props"]["value"]
    )
    (state,) = (key for key, block in page.blocks.items() if isinstance(block, gr.State))
    one[state]["kept"] = 2
    assert other[state] == {"kept": 1}


def test_annotations_are_read_once_and_mean_the_same() -> None:
    def told(words: str, request: gr.Request, count: int | None = None) -> list[str]:
        return [words]

    def untold(words: NotThere) -> None:  # type: ignore[name-defined]  # noqa: F821
        return None

    before = typing.get_type_hints(told)
    read_annotations(told), read_annotations(untold)
    assert (
        told.__annotations__ == before == typing.get_type_hints(told) and told.__annotations__["request"] is gr.Request
    )
    assert untold.__annotations__["words"] == "NotThere"
