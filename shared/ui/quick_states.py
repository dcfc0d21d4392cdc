"""What Gradio works out anew for everybody who comes, and for each of their calls, worked out once.

It describes each component of a page for every visitor: for 400 of them that took its one event loop 66 ms a person, so
that a class that came at once waited 13 seconds. And it reads a function's annotations at each step of each run.
"""

from __future__ import annotations

import inspect
import typing
from copy import copy
from typing import Any

import gradio as gr
from gradio.state_holder import SessionState, StateHolder


class QuickState(SessionState):
    """As Gradio's own, from descriptions made once: only a component's value is ever changed in them."""

    def __init__(self, blocks: gr.Blocks, described: dict[int, dict[str, Any]]) -> None:
        self.blocks_config = copy(blocks.default_config)
        self.config_values = {key: _own(config) for key, config in described.items()}
        self.state_data = {}
        self._state_ttl = {}
        self.is_closed = False
        self.STATE_TTL_WHEN_CLOSED = 3600  # seconds, as Gradio's own


class QuickStates(StateHolder):
    """The states of all who have the page open."""

    _described: dict[int, dict[str, Any]] | None = None

    def __getitem__(self, session_id: str) -> SessionState:
        if session_id not in self.session_data:
            if self._described is None:
                self._described = SessionState(self.blocks).config_values
            self.session_data[session_id] = QuickState(self.blocks, self._described)
        return super().__getitem__(session_id)


def quicken(demo: gr.Blocks) -> None:
    """Give the page such states and functions; call it once it is served or mounted, before anybody came."""
    demo.state_holder.__class__ = QuickStates
    for each in demo.fns.values():
        read_annotations(each.fn)


def read_annotations(function: Any) -> None:
    """Put what a function's annotations mean in place of their words, which Gradio would read again and again."""
    plain = inspect.unwrap(getattr(function, "__func__", function))
    for each in (getattr(function, "__func__", function), plain):
        if inspect.isfunction(each):
            try:
                each.__annotations__ = typing.get_type_hints(each, include_extras=True)
            except (NameError, TypeError):  # of something that is imported for the checker alone: they stay words
                continue


def _own(config: dict[str, Any]) -> dict[str, Any]:
    return {**config, "props": dict(config["props"])} if "props" in config else dict(config)
