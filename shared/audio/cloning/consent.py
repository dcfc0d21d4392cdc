"""Consent to a voice's being imitated: its person reads a sentence aloud, and a listener checks that they did.

The sentence holds words of the day, so that a recording made for something else doesn't do. Where no listener is
installed, whoever is at the screen confirms in writing, which nobody checks, and which is said to be unchecked.
"""

from __future__ import annotations

import random
from datetime import UTC, date, datetime, timedelta
from typing import TYPE_CHECKING

from shared.audio.cloning.clip import read_clip
from shared.audio.listening.hearing_back import Heard, hear_back
from shared.audio.listening.rows import Listener, listeners, reason
from shared.audio.pcm import to_pcm
from shared.errors import InvalidRequest
from shared.events import Progress
from shared.outputs import AudioOutput
from shared.requests.sound import SpeechRequest
from shared.requests.voice import Consent, Reference

if TYPE_CHECKING:
    from shared.settings import Settings
    from shared.streaming import Emit

TYPED = "This is my own voice"  # what is typed where nobody listens
MOST_WRONG = 0.3  # of the words: a listener errs too, and a microphone is not a studio
# Two syllables, no two alike to the ear, none with a second spelling.
WORDS = (
    "river", "candle", "garden", "silver", "window", "monkey", "pepper", "island", "yellow", "basket", "hammer",
    "pillow", "tiger", "butter", "marble", "rocket", "sugar", "forest", "pencil", "thunder", "violin", "cotton",
)  # fmt: skip


def sentence(day: date) -> str:
    """What is to be read aloud on that day."""
    one, two, three = random.Random(day.toordinal()).sample(WORDS, 3)
    return (
        "This is my own voice, and I agree that a computer speaks with it. "
        f"The words of today are {one}, {two} and {three}."
    )


def today() -> date:
    """The day of the sentence, the same for all time zones."""
    return datetime.now(UTC).date()


def checker() -> Listener | None:
    """Who can hear consent here without a download; None for nobody."""
    return next((row for row in listeners().values() if not row.repo_id and reason(row) is None), None)


def reference_of(data: bytes, typed: str, settings: Settings, emit: Emit) -> Reference:
    """The recording in the file, with the consent of its person, as far as it can be had.

    `typed` counts only where nobody can listen. Raises `InvalidRequest` for a recording that doesn't do or in which
    the sentence is not heard, and what `hear_back` raises.
    """
    emit(Progress("Looking at the recording"))
    samples, rate = read_clip(data)
    sound = AudioOutput(pcm=to_pcm(samples), sample_rate=rate)
    listener, day = checker(), today()
    if listener is None:
        return Reference(sound.pcm, rate, sentence(day), _typed(typed))
    days = (day, day - timedelta(days=1))  # the page may have been opened before midnight
    said, heard = min(((text, _hear(sound, text, listener, settings, emit)) for text in map(sentence, days)), key=_rate)
    if _rate((said, heard)) > MOST_WRONG or _missed(said, heard) > 1:
        raise InvalidRequest(
            f"{listener.name} did not hear the sentence of consent in the recording, but: “{heard.text[:200]}”. "
            f"Have the person read this aloud, and record it: {sentence(day)}"
        )
    how = f"spoken, and heard by {listener.name} ({heard.errors.wrong} of {heard.errors.words} words otherwise)"
    return Reference(sound.pcm, rate, said, Consent(how, checked=True))


def _typed(typed: str) -> Consent:
    if " ".join(typed.split()).rstrip(".").lower() != TYPED.lower():
        raise InvalidRequest(
            "No listener is installed here that could hear consent in the recording. If the voice is your own, or its "
            f"person is with you and agrees, type “{TYPED}”. Nobody checks that; the receipt will say so."
        )
    return Consent("typed, which nobody checked", checked=False)


def _hear(sound: AudioOutput, text: str, listener: Listener, settings: Settings, emit: Emit) -> Heard:
    return hear_back(sound, SpeechRequest(text=text, language="en"), listener.id, settings, emit)


def _rate(pair: tuple[str, Heard]) -> float:
    rate = pair[1].errors.rate
    return 1.0 if rate is None else rate


def _missed(said: str, heard: Heard) -> int:
    """How many of the day's words were not heard."""
    there = {edit.heard for edit in heard.errors.edits}
    return sum(word in said and word not in there for word in WORDS)
