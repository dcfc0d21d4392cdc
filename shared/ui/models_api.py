"""The `/models` endpoint, which every Space has."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from shared.engine import Engine
from shared.tasks import Task


def models_of(engine: Engine, *tasks: Task) -> Callable[[], list[dict[str, Any]]]:
    """The endpoint's function for these tasks."""

    def models() -> list[dict[str, Any]]:
        """Every model with its task and engines, whether each can run here, and why not."""
        return [
            {
                "id": c.spec.id,
                "name": c.spec.name,
                "task": str(c.spec.task),
                "mode": str(c.variant.mode),
                "engine": c.variant.backend,
                "variant": c.variant.key,
                "quantization": c.variant.quantization,
                "license": c.spec.license,
                "starter": c.spec.starter,
                "runs_here": c.reason is None,
                "reason": c.reason,
            }
            for task in tasks
            for c in engine.choices(task)
        ]

    return models
