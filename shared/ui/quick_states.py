"""What Gradio works out anew for everybody who comes, and for each of their calls, worked out once.

It describes each component of a page for every visitor: for 400 of them that took its one event loop 66 ms a person, so
that a class that came at once waited 13 seconds. And it reads a function's annotations at each step of each run.
"""

from __future__ import annotations

import inspect
import re
import time
import typing
from collections import ChainMap
from collections.abc import Callable, ItemsView, Iterator, Mapping, MutableMapping
from copy import copy
from typing import Any

import gradio as gr
from gradio.state_holder import SessionState, StateHolder

# Seconds after which an open page's state goes where nobody did anything: its files are gone by then too.
IDLE = 86_400.0
# A call by program that names no session has one by Gradio's name for the call itself, and nobody comes back to it.
ONE_CALL, AFTER_A_CALL = re.compile(r"[0-9a-f]{32}"), 600.0
MOST = 4000  # states at once; with what was made in it each takes some 20 kB


class OwnConfigs(MutableMapping[int, dict[str, Any]]):
    """The descriptions of a page's components for one visitor: all share them, until one is asked for to be changed.

    Only a component's value is ever changed in them. Whole copies took 150 kB a visitor, for as long as the server ran.
    """

    def __init__(self, shared: Mapping[int, dict[str, Any]]) -> None:
        self._all: ChainMap[int, dict[str, Any]] = ChainMap({}, shared)  # type: ignore[arg-type]

    def __getitem__(self, key: int) -> dict[str, Any]:
        own = self._all.maps[0]
        if key not in own:
            own[key] = _own(self._all[key])
        return own[key]

    def __setitem__(self, key: int, config: dict[str, Any]) -> None:
        self._all[key] = config

    def __delitem__(self, key: int) -> None:
        raise TypeError("A visitor's page keeps all of its components.")

    def __iter__(self) -> Iterator[int]:
        return iter(self._all)

    def __len__(self) -> int:
        return len(self._all)

    def items(self) -> ItemsView[int, dict[str, Any]]:
        """For reading: none is copied."""
        return self._all.items()


class QuickState(SessionState):
    """As Gradio's own, from what all share."""

    def __init__(self, blocks: gr.Blocks, described: dict[int, dict[str, Any]]) -> None:
        self.blocks_config = copy(blocks.default_config)
        if not blocks.renderables:  # only what is drawn anew for somebody takes functions or components away again
            self.blocks_config.blocks = ChainMap({}, blocks.default_config.blocks)  # type: ignore[assignment]
            self.blocks_config.fns = ChainMap({}, blocks.default_config.fns)  # type: ignore[assignment]
        self.config_values = OwnConfigs(described)  # type: ignore[assignment]
        self.state_data = {}
        self._state_ttl = {}
        self.is_closed = False
        self.STATE_TTL_WHEN_CLOSED = 3600  # seconds, as Gradio's own
        self.used = 0.0  # when, by the clock of `QuickStates`


class QuickStates(StateHolder):
    """The states of all who have the page open. Gradio's own keeps ten thousand, whoever has left."""

    _described: dict[int, dict[str, Any]] | None = None
    clock: Callable[[], float]

    def __getitem__(self, session_id: str) -> SessionState:
        if session_id not in self.session_data:
            if self._described is None:
                self._described = SessionState(self.blocks).config_values
            self.session_data[session_id] = QuickState(self.blocks, self._described)
        found = super().__getitem__(session_id)
        if isinstance(found, QuickState):
            found.used = self.clock()
        return found

    def delete_all_expired_state(self) -> None:
        """As Gradio's own, each second; and who left or did nothing for long is forgotten."""
        super().delete_all_expired_state()  # type: ignore[no-untyped-call]
        now = self.clock()
        for session_id, state in list(self.session_data.items()):
            if now - getattr(state, "used", now) > _kept_for(session_id, state):
                self._forget(session_id)

    def _forget(self, session_id: str) -> None:
        self.delete_state(session_id)  # what has something to put away does so
        with self.lock:
            self.session_data.pop(session_id, None)
            self.time_last_used.pop(session_id, None)
        queue = self.blocks._queue
        if not queue.pending_event_ids_session.get(session_id):  # nothing of it is under way
            queue.pending_event_ids_session.pop(session_id, None)
            queue.pending_messages_per_session.pop(session_id, None)


def _kept_for(session_id: str, state: SessionState) -> float:
    if ONE_CALL.fullmatch(session_id):
        return AFTER_A_CALL
    return state.STATE_TTL_WHEN_CLOSED if state.is_closed else IDLE


def quicken(demo: gr.Blocks, clock: Callable[[], float] = time.monotonic) -> None:
    """Give the page such states and functions; call it once it is served or mounted, before anybody came."""
    holder: Any = demo.state_holder
    holder.__class__ = QuickStates
    holder.clock, holder.capacity = clock, MOST
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
