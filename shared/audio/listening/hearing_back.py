"""Hears a finished speech back, and says how many of its words a listener got right."""

from __future__ import annotations

import contextlib
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

from shared.audio.listening.features import RATE, windows
from shared.audio.listening.loaded import listening
from shared.audio.listening.rows import Listener, get
from shared.audio.listening.word_errors import WordErrors, word_errors
from shared.audio.pcm import to_samples
from shared.audio.resampling import resampled
from shared.audio.script import turns
from shared.backends.local import failures
from shared.errors import BackendError, InvalidRequest
from shared.events import Progress
from shared.outputs import AudioOutput
from shared.requests import SpeechRequest
from shared.settings import Settings
from shared.streaming import Emit

LONGEST = 600  # seconds of sound


@dataclass(frozen=True)
class Heard:
    """What was heard, word by word against the text. `listener`: its name."""

    text: str
    language: str
    errors: WordErrors
    listener: str

    def facts(self) -> dict[str, Any]:
        """What of it stands in a receipt; the words themselves don't."""
        rate = self.errors.rate
        return {} if rate is None else {"word_error_rate": round(rate, 4), "heard_by": self.listener}


def hear_back(sound: AudioOutput, request: SpeechRequest, listener_id: str, settings: Settings, emit: Emit) -> Heard:
    """Listen to the sound (one channel).

    Raises `InvalidRequest`, `MissingDependency`, or another `BackendError`, and `Cancelled`.
    """
    listener = get(listener_id)
    language = _language(request, listener)
    if sound.finish_reason != "stop":
        raise InvalidRequest("This was not spoken to its end, so it isn't heard back. Let it speak to the end.")
    if sound.seconds > LONGEST:
        raise InvalidRequest(f"Sounds of {LONGEST // 60} minutes at most are heard back. Choose a shorter text.")
    emit(Progress(f"{listener.name} is listening"))
    parts = list(windows(resampled(to_samples(sound.pcm), sound.sample_rate, RATE)))
    texts: list[str] = []
    for part in parts:
        with _failing_in_words(listener), listening(listener, settings, emit) as reader:
            written = reader.write(part, language, emit)
        emit.check()
        language = language or written.language
        texts.append(written.text)
    said, heard = "\n".join(turn.text for turn in turns(request)), " ".join(texts)
    return Heard(heard, language or "en", word_errors(said, heard, language or "en"), listener.name)


@contextlib.contextmanager
def _failing_in_words(listener: Listener) -> Iterator[None]:
    """Raise `BackendError` for what a listener's library raises."""
    try:
        yield
    except (RuntimeError, ValueError, OSError, ImportError, MemoryError) as error:
        why = failures.said(error)
        raise BackendError(f"{listener.name} could not listen: {why}. Choose another listener.") from error


def _language(request: SpeechRequest, listener: Listener) -> str | None:
    """What is heard, where that is known. Raises `InvalidRequest` where the listener doesn't know it."""
    asked = (request.language or "").partition("-")[0].lower() or None
    if asked and listener.languages and asked not in listener.languages:
        known = ", ".join(listener.languages)
        raise InvalidRequest(f"{listener.name} knows only these languages: {known}. Choose another listener.")
    return asked or (listener.languages[0] if len(listener.languages) == 1 else None)
