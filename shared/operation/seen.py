"""A call of the engine as its keeper sees it, and who watches it: metrics, logs, traces, budgets, history, the drain.

A watcher is a context manager around the run, in the run's own thread. What it raises at its beginning refuses the run;
at its end it finds in `Seen` what came of it.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Sequence
from contextlib import AbstractContextManager, ExitStack
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Literal

from shared.errors import InferenceError
from shared.events import Final
from shared.streaming import Emit

if TYPE_CHECKING:
    from shared.catalog import ModelSpec, Variant
    from shared.receipts import Receipt
    from shared.requests import Request
    from shared.settings import Settings


@dataclass(kw_only=True)
class Seen:
    """One run. `variant`: the way that it goes now. `resumes`: it goes on with a job that was paid for before.
    `sent`: a provider may have taken the job. `payer`: who it is for, where that is known; `emit`: how to tell them.
    `held`: seconds that it waited for its turn."""

    spec: ModelSpec
    variant: Variant
    request: Request
    settings: Settings
    owner: str = ""
    resumes: bool = False
    state: Literal["waiting", "working"] = "waiting"
    sent: bool = False
    payer: str = ""
    held: float = 0.0
    emit: Emit | None = None
    final: Final | None = None
    error: InferenceError | None = None
    broke: bool = False
    began: float = field(default_factory=time.monotonic)

    @property
    def receipt(self) -> Receipt | None:
        """Of what came, be it a part only."""
        final = self.final or (self.error.partial if self.error else None)
        return final.receipt if final else None

    @property
    def words(self) -> str:
        """What was asked, with dots in place of keys. For a keeper who wants it only."""
        return self.settings.without_keys("\n".join(text for text in self.request.texts() if text))

    @property
    def outcome(self) -> str:
        """How it ended: `ok`, `stopped`, or the kind of its error. One of a few dozen words."""
        if self.error is not None:
            return self.error.kind
        if self.final is None:
            return "broken" if self.broke else "left"
        return "stopped" if getattr(self.final.output, "finish_reason", "") == "stopped" else "ok"


Watcher = Callable[[Seen], AbstractContextManager[None]]
Work = Callable[[Emit], Final]


def watched(watchers: Sequence[Watcher], seen: Seen, work: Work) -> Work:
    """The same work with all of them looking on, the first of them outermost."""

    def do(emit: Emit) -> Final:
        seen.emit = emit
        with ExitStack() as stack:
            for watcher in watchers:
                stack.enter_context(watcher(seen))
            try:
                seen.final = work(emit)
            except InferenceError as error:
                seen.error = error
                raise
            except Exception:
                seen.broke = True
                raise
            return seen.final

    return do
