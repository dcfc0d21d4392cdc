"""One run asked of a loaded model."""

from __future__ import annotations

from collections.abc import Callable
from math import ceil
from typing import Any

from shared.attempt import Run
from shared.backends.base import JobModel, LoadedModel, Outcome
from shared.errors import ContextOverflow
from shared.recording import Recorder
from shared.requests import ChatRequest
from shared.trimming import estimate_tokens, fit


def trim(run: Run, limit: int | None, count: Callable[[Any], int | None]) -> None:
    """Leave out a conversation's oldest messages where the model reads no more."""
    run.request, dropped = fit(run.request, limit, count)  # type: ignore[arg-type]
    if dropped:
        run.notes.append(f"The {dropped} oldest messages were left out to fit the model's context.")


def ask(run: Run, model: LoadedModel, recorder: Recorder, wait: bool) -> Outcome:
    """Run it. Where the provider alone knew how much the model reads, trim by what it says, and ask once more."""
    if recorder.book is not None and recorder.book.job.upstream:
        going_on: JobModel = model  # type: ignore[assignment]
        return going_on.resume(run.request, recorder.book.job.upstream, recorder, wait=wait)
    try:
        return model.run(run.request, recorder)
    except ContextOverflow as told:
        if not isinstance(run.request, ChatRequest) or run.request.overflow != "trim":
            raise
        share = told.needed / max(1, estimate_tokens(run.request))
        trim(run, told.limit, lambda request: ceil(estimate_tokens(request) * share))
        return model.run(run.request, recorder)
