"""A line for each run, and all lines as JSON where the keeper wants that. No key is in them, and no prompt unasked."""

from __future__ import annotations

import json
import logging
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import UTC, datetime
from functools import cache
from typing import Any

from shared.catalog import load_catalog
from shared.errors import NotReady
from shared.operation.seen import Seen
from shared.settings import Settings

logger = logging.getLogger("shared.runs")
_OWN = frozenset(vars(logging.makeLogRecord({})))  # what any record has
_PROMPT = 2000  # characters of one that is logged


class JsonLines(logging.Formatter):
    """One JSON object a line: `time`, `level`, `logger`, `message`, and what was given as `extra`."""

    def __init__(self, settings: Settings) -> None:
        super().__init__()
        self._settings = settings

    def format(self, record: logging.LogRecord) -> str:
        """The record, with dots in place of every key of the server's."""
        fields: dict[str, Any] = {
            "time": datetime.fromtimestamp(record.created, UTC).isoformat(timespec="milliseconds"),
            "level": record.levelname.lower(),
            "logger": record.name,
            "message": record.getMessage(),
        }
        fields.update({name: value for name, value in vars(record).items() if name not in _OWN and name != "taskName"})
        if record.exc_info:
            fields["traceback"] = self.formatException(record.exc_info)
        return self._settings.without_keys(json.dumps(fields, ensure_ascii=False, default=str))


def configure(settings: Settings) -> None:
    """Have everything that is logged written as JSON, where the settings say so. May be called again: uvicorn brings
    handlers of its own when it starts."""
    if settings.log != "json":
        return
    handler = logging.StreamHandler(sys.stderr)
    handler.setFormatter(JsonLines(settings))
    root = logging.getLogger()
    root.handlers[:] = [handler]
    root.setLevel(logging.WARNING)
    logger.setLevel(logging.INFO)
    for name in ("uvicorn", "uvicorn.error", "uvicorn.access"):
        logging.getLogger(name).handlers.clear()
        logging.getLogger(name).propagate = True


@cache
def _listed() -> frozenset[str]:
    """The models of the project's own catalogue."""
    return frozenset(spec.id for spec in load_catalog())


@contextmanager
def logged(seen: Seen) -> Iterator[None]:
    """A watcher: one line for the run, at its end. A look at a job that isn't ready is no run."""
    try:
        yield
    finally:
        if not isinstance(seen.error, NotReady) and logger.isEnabledFor(logging.INFO):
            logger.info("run %s", seen.outcome, extra=told(seen))


def told(seen: Seen) -> dict[str, Any]:
    """What a log may know of a run. A model's name that somebody typed may be an address of theirs: it isn't told."""
    facts: dict[str, Any] = {
        "task": str(seen.spec.task),
        "model": seen.spec.id if seen.spec.id in _listed() else "not listed",
        "backend": seen.variant.backend,
        "mode": str(seen.variant.mode),
        "outcome": seen.outcome,
        "seconds": round(time.monotonic() - seen.began, 3),
    }
    if receipt := seen.receipt:
        figures = {
            "wait_seconds": receipt.seconds.queue,
            "load_seconds": receipt.seconds.load,
            "first_output_seconds": receipt.seconds.first_output,
            "input_tokens": receipt.input_tokens,
            "output_tokens": receipt.output_tokens,
            "memory_gb": receipt.memory_gb,
            "cost_usd": receipt.cost_usd,
        }
        facts.update({name: value for name, value in figures.items() if value is not None})
    if seen.settings.log_prompts:
        facts["prompt"] = seen.words[-_PROMPT:]
    return facts
