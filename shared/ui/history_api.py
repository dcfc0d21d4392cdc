"""A caller's history for `gradio_client`, HTTP and MCP: `/history` lists it, `/forget_history` deletes it."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import asdict
from typing import Any

import gradio as gr

from shared.engine import Engine
from shared.errors import BackendError
from shared.state.history import history_of
from shared.ui.history_view import told, totals
from shared.ui.jobs_panel import Owner

MOST = 200  # runs in one answer


def listing(engine: Engine, owner: Owner) -> Callable[..., dict[str, Any]]:
    """The endpoint that lists it."""

    def history(owner_token: str = "", first: int = 0, most: int = 50) -> dict[str, Any]:
        """The caller's own runs on this server, newest first, and what all of them took. Without a token, a new one.

        Args:
            owner_token: what an earlier call gave, and runs were begun with.
            first: how many of the newest to leave out.
            most: how many to list, 1 to 200.
        """
        try:
            runs = history_of(engine.settings).of(owner.of(owner_token))
            listed = runs[max(0, first) :][: min(max(1, most), MOST)]
            sums = asdict(totals(runs))
            return {"owner_token": owner.given(owner_token), "totals": sums, "runs": [told(run) for run in listed]}
        except BackendError as error:
            raise gr.Error(str(error), print_exception=False) from None

    return history


def forgetting(engine: Engine, owner: Owner) -> Callable[..., dict[str, int]]:
    """The endpoint that deletes it."""

    def forget_history(owner_token: str = "") -> dict[str, int]:
        """Delete all of the caller's own runs from the history; says how many there were.

        Args:
            owner_token: what /history gave, and runs were begun with.
        """
        try:
            return {"forgotten": history_of(engine.settings).forget(owner.of(owner_token))}
        except BackendError as error:
            raise gr.Error(str(error), print_exception=False) from None

    return forget_history
