"""Sounds that are being made, for the pages that listen: pieces wait here until their page has fetched them.

Gradio shows a component's newest value only, and none at all while its tab is hidden; a sound may lose no piece. So the
page asks for what follows the last piece that it has.
"""

from __future__ import annotations

import base64
import re
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from typing import Any

from shared.events import AudioChunk

WAIT = 2.0  # seconds that an answer is held back for something to come
KEPT = 60.0  # seconds that the rest of an ended sound waits for its page
_RUN = re.compile(r"[0-9a-f-]{32,40}")  # a random name that the page made up: who doesn't know it hears nothing


@dataclass
class _Sound:
    pieces: list[AudioChunk | None] = field(default_factory=list)
    ended: float | None = None


class Hearing:
    """The sounds by the names of their runs."""

    def __init__(self) -> None:
        self._sounds: dict[str, _Sound] = {}
        self._changed = threading.Condition()

    @contextmanager
    def open(self, run: str) -> Iterator[Any]:
        """Yields what takes the pieces of that run; the sound is over with the block. Nobody hears an odd name's."""
        if not _RUN.fullmatch(run or ""):
            yield lambda chunk: None
            return
        sound = _Sound()
        with self._changed:
            self._forget()
            self._sounds[run] = sound
        try:
            yield lambda chunk: self._put(sound, chunk)
        finally:
            with self._changed:
                sound.ended = time.monotonic()
                self._changed.notify_all()

    def _put(self, sound: _Sound, chunk: AudioChunk) -> None:
        with self._changed:
            sound.pieces.append(chunk)
            self._changed.notify_all()

    def _forget(self) -> None:
        now = time.monotonic()
        for run in [run for run, s in self._sounds.items() if s.ended is not None and now - s.ended > KEPT]:
            del self._sounds[run]

    def listen(self, asked: Any) -> dict[str, Any]:
        """What follows the first `at` pieces of `run`: `{"pieces": [...], "at": ..., "done": ..., "known": ...}`.

        Waits for something to come, but not for long. What was fetched is forgotten.
        """
        run, at = _read(asked)
        deadline = time.monotonic() + WAIT
        with self._changed:
            while not self._ready(run, at) and (left := deadline - time.monotonic()) > 0:
                self._changed.wait(left)
            sound = self._sounds.get(run)
            if sound is None:
                return {"pieces": [], "at": at, "done": False, "known": False}
            fresh = sound.pieces[at:]
            sound.pieces[: at + len(fresh)] = [None] * (at + len(fresh))
            done = sound.ended is not None
            if done:
                self._sounds.pop(run, None)
        told = [plain(chunk) for chunk in fresh if chunk is not None]
        return {"pieces": told, "at": at + len(fresh), "done": done, "known": True}

    def _ready(self, run: str, at: int) -> bool:
        sound = self._sounds.get(run)
        return sound is not None and (len(sound.pieces) > at or sound.ended is not None)


def _read(asked: Any) -> tuple[str, int]:
    """The request, whatever a stranger may have sent."""
    given = asked if isinstance(asked, dict) else {}
    at = given.get("at")
    return str(given.get("run", ""))[:64], at if isinstance(at, int) and 0 <= at < 10**7 else 0


def plain(chunk: AudioChunk) -> dict[str, Any]:
    """A piece in JSON's types: 16-bit samples in base64, words as text, start and end in seconds, and speaker."""
    return {
        "pcm": base64.b64encode(chunk.pcm).decode(),
        "rate": chunk.sample_rate,
        "channels": chunk.channels,
        "start": chunk.start,
        "words": [[word.text, word.start, word.end, word.speaker] for word in chunk.words],
    }
