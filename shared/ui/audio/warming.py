"""Makes a starter ready while a page is read, so that the first words or notes come as soon as later ones."""

from __future__ import annotations

import contextlib
import threading

from shared.audio.finishing import measures
from shared.engine import Engine
from shared.errors import Cancelled, InferenceError
from shared.outputs import AudioOutput
from shared.streaming import Emitter
from shared.tasks import Task


def warm(engine: Engine, task: Task) -> None:
    """Begin to load the task's starter, if it can run here; returns at once. A failure is told at its use."""
    threading.Thread(target=_load, args=(engine, task), name="warm", daemon=True).start()


def _load(engine: Engine, task: Task) -> None:
    ready = (c for c in engine.choices(task) if c.spec.starter and c.reason is None)
    choice = next(ready, None)
    with contextlib.suppress(InferenceError, Cancelled):
        if choice is not None:
            with engine.pool.lease(choice.variant, engine.settings, Emitter(lambda event: None)):
                pass
    if task == Task.TEXT_TO_SPEECH:
        measures(AudioOutput(pcm=bytes(24_000), sample_rate=24_000))  # imports what measuring takes
