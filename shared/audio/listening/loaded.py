"""The listener in memory: one at a time, which whoever comes next waits for."""

from __future__ import annotations

import importlib
import threading
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from typing import TYPE_CHECKING, Protocol

from shared.audio.listening.rows import Listener, check
from shared.settings import Settings
from shared.streaming import Emit

if TYPE_CHECKING:
    from shared.audio.pcm import Samples


@dataclass(frozen=True)
class Written:
    """What was heard, and in which language (a tag such as `en`)."""

    text: str
    language: str


class Reader(Protocol):
    """A listener in memory."""

    versions: Mapping[str, str]

    def write(self, samples: Samples, language: str | None, emit: Emit) -> Written:
        """Write down 30 seconds at most, of 16 kHz. `language` None: it finds that out itself."""


_lock = threading.Lock()
_held: dict[str, Reader] = {}  # the one that listened last


@contextmanager
def listening(listener: Listener, settings: Settings, emit: Emit) -> Iterator[Reader]:
    """The listener, loaded, for one window; others wait meanwhile. Raises what `check` and loading raise."""
    check(listener)
    while not _lock.acquire(timeout=0.1):
        emit.check()
    try:
        if listener.id not in _held:
            _held.clear()
            module, _, name = listener.reader.partition(":")
            _held[listener.id] = getattr(importlib.import_module(module), name)(listener, settings, emit)
        yield _held[listener.id]
    finally:
        _lock.release()
