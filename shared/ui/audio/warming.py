"""Makes the starter voice ready while a page is being read, so that the first words come as soon as the later ones."""

from __future__ import annotations

import contextlib
import threading

from shared.audio.finishing import measures
from shared.engine import Engine
from shared.errors import Cancelled, InferenceError
from shared.outputs import AudioOutput
from shared.streaming import Emitter
from shared.tasks import Task


def warm(engine: Engine) -> None:
    """Begin to load the starter, if it can run here; returns at once. A failure is told when somebody uses it."""
    threading.Thread(target=_load, args=(engine,), name="warm", daemon=True).start()


def _load(engine: Engine) -> None:
    ready = (c for c in engine.choices(Task.TEXT_TO_SPEECH) if c.spec.starter and c.reason is None)
    choice = next(ready, None)
    with contextlib.suppress(InferenceError, Cancelled):
        if choice is not None:
            with engine.pool.lease(choice.variant, engine.settings, Emitter(lambda event: None)):
                pass
    measures(AudioOutput(pcm=bytes(24_000), sample_rate=24_000))  # imports what measuring takes
