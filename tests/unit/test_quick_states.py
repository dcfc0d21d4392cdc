"""A person's state of a page is what Gradio itself would make of it, and nobody's values are another's."""

from __future__ import annotations

import asyncio
import typing
from collections.abc import Mapping
from typing import Any, cast

import gradio as gr
import pytest
from gradio.state_holder import SessionState, StateHolder

from shared.ui.quick_states import quicken, read_annotations


class Clock:
    now = 5.0

    def __call__(self) -> float:
        return self.now


@pytest.fixture
def clock() -> Clock:
    return Clock()


@pytest.fixture
def page(clock: Clock) -> gr.Blocks:
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
    quicken(demo, clock)
    return demo


def test_it_holds_all_that_gradios_own_does(page: gr.Blocks) -> None:
    own, quick = SessionState(page), page.state_holder["one"]
    assert vars(quick).keys() - {"used"} == vars(own).keys()
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


def test_a_visitor_is_no_copy_of_the_page(page: gr.Blocks) -> None:
    """What a visitor takes doesn't grow with the page: it did, by 150 kB each for a chat's."""
    one = page.state_holder["one"]
    assert dict(one.config_values.items()).keys() == page.blocks.keys()
    (box,) = (key for key, block in page.blocks.items() if isinstance(block, gr.Textbox))
    one._update_value_in_config(box, "mine")
    own = [key for key, config in one.config_values.items() if config is not _shared(page)[key]]
    assert own == [box]
    one[box] = gr.Textbox("changed")
    assert one[box].value == "changed" and page.state_holder["other"][box].value == "words" == page.blocks[box].value


def _shared(page: gr.Blocks) -> Mapping[int, Any]:
    return dict(page.state_holder["untouched"].config_values.items())


def test_who_left_is_forgotten_and_who_is_there_is_not(page: gr.Blocks, clock: Clock) -> None:
    holder = page.state_holder
    call = "0123456789abcdef" * 2  # by program, with no page
    for name in ("left", "here", "unused", call):
        holder[name].is_closed = name == "left"
    clock.now += 3000
    queue = page._queue
    queue.pending_event_ids_session |= {call: set(), "here": {"a run"}}
    holder.delete_all_expired_state()
    assert call not in holder.session_data and queue.pending_event_ids_session == {"here": {"a run"}}
    assert holder["here"] and len(holder.session_data) == 3
    clock.now += 3000
    holder.delete_all_expired_state()
    assert set(holder.session_data) == set(holder.time_last_used) == {"unused", "here"}
    clock.now += 3600 * 24 - 3000
    holder.delete_all_expired_state()
    assert list(holder.session_data) == ["here"]


def test_what_a_state_put_aside_is_put_away_when_its_visitor_is_forgotten(clock: Clock) -> None:
    gone: list[str] = []

    async def made() -> gr.Blocks:
        with gr.Blocks() as demo:
            gr.State("", delete_callback=gone.append)
        return demo

    demo, holder = asyncio.run(made()), cast(Any, StateHolder)()
    holder.set_blocks(demo)
    quicken(demo, clock)
    (key,) = demo.blocks
    holder["one"][key] = "mine"
    clock.now += 3600 * 25
    holder.delete_all_expired_state()
    assert gone == ["mine"] and not holder.session_data


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
