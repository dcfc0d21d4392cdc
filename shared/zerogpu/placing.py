"""Loads a Space's models before it starts, where that is wanted: on ZeroGPU, which lays them ready for its forks."""

from __future__ import annotations

import logging
from collections.abc import Iterable

from shared.catalog import Variant
from shared.engine import Engine
from shared.errors import Cancelled, InferenceError
from shared.streaming import Emitter
from shared.tasks import Task

logger = logging.getLogger(__name__)


def place(engine: Engine, tasks: Iterable[Task]) -> None:
    """On ZeroGPU, load the tasks' models that the settings name, or without any their starters; elsewhere do nothing.

    Others are loaded at their first use, and copied to each fork. A failure is told at the model's use.
    """
    if engine.settings.pool != "zerogpu":
        return
    for variant in _wanted(engine, tasks):
        try:
            with engine.pool.lease(variant, engine.settings, Emitter(lambda event: None)):
                logger.info("%s is laid ready", variant.key)
        except (InferenceError, Cancelled) as error:
            logger.warning("%s could not be laid ready: %s", variant.key, error)


def _wanted(engine: Engine, tasks: Iterable[Task]) -> list[Variant]:
    """The first way to run each such model on a GPU."""
    from shared.zerogpu.pool import is_lent

    names, found = engine.settings.placed, dict[str, Variant]()
    for choice in (choice for task in tasks for choice in engine.choices(task) if choice.reason is None):
        named = choice.spec.id in names if names else choice.spec.starter
        if named and is_lent(choice.variant, engine.machine):
            found.setdefault(choice.spec.id, choice.variant)
    return list(found.values())
