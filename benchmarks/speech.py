"""The starter voice through our engine and through the Space against raw hibari: speed, first sound, memory; and how
many of its words a listener gets wrong, where one is installed."""

from __future__ import annotations

import base64
import http.client
import json
import statistics
import sys
import time
from pathlib import Path
from typing import Any

sys.path.insert(0, str(Path(__file__).resolve().parents[1]))

from measuring import free_port, give, row, started, stopped

from shared.audio.listening.hearing_back import hear_back
from shared.audio.listening.rows import get, reason
from shared.audio.pcm import to_pcm
from shared.catalog import load_catalog
from shared.engine import Engine
from shared.memory import give_back, rss_gb
from shared.requests import SpeechRequest
from shared.settings import from_environment
from shared.streaming import Emitter

MODEL = "hibari"
SENTENCE = "The quick brown fox jumps over the lazy dog, and then it goes home to read a book about the sea. "
TEXT = SENTENCE * 30  # three minutes
ROUNDS, FIRSTS, REQUESTS = 7, 15, 50
LISTENER = "whisper-tiny.en"
VOICES = ("heart", "heart-low", "heart-high")
# The first list of the Harvard sentences (IEEE Recommended Practice for Speech Quality Measurements, 1969).
SENTENCES = (
    "The birch canoe slid on the smooth planks.",
    "Glue the sheet to the dark blue background.",
    "It's easy to tell the depth of a well.",
    "These days a chicken leg is a rare dish.",
    "Rice is often served in round bowls.",
    "The juice of lemons makes fine punch.",
    "The box was thrown beside the parked truck.",
    "The hogs were fed chopped corn and garbage.",
    "Four hours of steady work faced us.",
    "A large size in stockings is hard to sell.",
)


class Raw:
    """hibari by itself, its samples in 16 bits as anybody would keep them. `seconds`: of sound, once it has worked."""

    seconds = 0.0

    def __init__(self) -> None:
        from hibari import Hibari

        self._engine = Hibari(threads=1)

    def work(self) -> float:
        """Seconds of work on the text.

        Not for each second of sound: the engine trims the silence that the network makes around each sentence, so
        that the same work gives it 7% less sound, and a factor by sound called that lost time.
        """
        begun = time.perf_counter()
        parts = [to_pcm(part) for part in self._engine.stream(TEXT, seed=1)]
        taken = time.perf_counter() - begun
        self.seconds = sum(map(len, parts)) / 48_000
        return taken


def ours(engine: Engine, text: str = TEXT) -> tuple[float, float]:
    """The same through the engine, and seconds of sound."""
    *_, final = engine.generate(MODEL, SpeechRequest(text=text, seed=1))
    return worked(final.receipt.to_dict())  # type: ignore[union-attr]


def worked(receipt: dict[str, Any]) -> tuple[float, float]:
    """Seconds of work without queue and load, and seconds of sound, by a receipt."""
    return float(receipt["realtime_factor"]) * float(receipt["audio_seconds"]), float(receipt["audio_seconds"])


def through(port: int, text: str) -> tuple[float, float]:
    """Call `/speak` by plain HTTP: seconds to the first sound, and the receipt's seconds of work."""
    connection = http.client.HTTPConnection("127.0.0.1", port, timeout=300)
    begun, first, last = time.perf_counter(), None, {}
    body = json.dumps({"text": text, "seed": 1, "file": "wav"})
    connection.request("POST", "/gradio_api/call/v2/speak", body, {"Content-Type": "application/json"})
    event = json.loads(connection.getresponse().read())["event_id"]
    connection.request("GET", f"/gradio_api/call/speak/{event}")
    for raw in connection.getresponse():
        if raw.startswith((b"data: {", b"data: [")):
            data = json.loads(raw[6:])
            last = data[0] if isinstance(data, list) else data
            if first is None and base64.b64decode(last.get("chunk") or ""):
                first = time.perf_counter() - begun
    connection.close()
    if first is None or not last.get("receipt"):
        raise RuntimeError(f"no speech: {str(last)[:200]}")
    return first, worked(last["receipt"])[0]


def space() -> list[dict[str, Any]]:
    """The first sound, of the first call of a fresh server and of later ones; and the work on a text."""
    port = free_port()
    child, _ = started(["spaces/text2audio/app.py"], port)
    try:
        cold, _ = through(port, "Hello there.")
        firsts = [through(port, SENTENCE)[0] for _ in range(FIRSTS)]
        raw = Raw()
        raw.work(), through(port, TEXT)
        pairs = [(through(port, TEXT)[1], raw.work()) for _ in range(ROUNDS)]
    finally:
        stopped(child)
    ratio = statistics.median(mine / theirs for mine, theirs in pairs)
    return [
        row("speech: first sound through the Space's API", statistics.median(firsts) * 1000, "ms", "<= 500",
            f"median of {FIRSTS}, a sentence of 97 letters; {cold * 1000:.0f} ms for the first call of a fresh server"),
        row("speech: work on a text through the Space / raw hibari", ratio, "times", "<= 1.05",
            f"median of {ROUNDS} pairs, three minutes of speech"),
    ]  # fmt: skip


def heard(engine: Engine) -> list[dict[str, Any]]:
    """Word errors over the sentences at each of the starter's pitches; nothing where no listener is installed."""
    listener = get(LISTENER)
    if reason(listener):
        return []
    wrong, words = dict.fromkeys(VOICES, 0), 0
    for sentence in SENTENCES:
        for voice in VOICES:
            request = SpeechRequest(text=sentence, voice=voice, seed=1)
            *_, final = engine.generate(MODEL, request)
            sound = final.output  # type: ignore[union-attr]
            errors = hear_back(sound, request, LISTENER, engine.settings, Emitter(lambda event: None)).errors
            wrong[voice] += errors.wrong
        words += errors.words
    rates = ", ".join(f"{voice} {count / words:.1%}" for voice, count in wrong.items())
    about = f"{len(SENTENCES)} Harvard sentences, heard by {listener.name}: {rates}"
    rate = sum(wrong.values()) / (words * len(VOICES))
    return [row("speech: the starter's words heard otherwise", round(rate, 4), "of all", "<= 0.1", about)]


def main() -> None:
    """The engine and raw hibari in turns, the Space, then memory over many requests."""
    engine, raw = Engine(load_catalog(), from_environment()), Raw()
    raw.work(), ours(engine)
    pairs = [(*ours(engine), raw.work()) for _ in range(ROUNDS)]
    ratio = statistics.median(mine / theirs for mine, _, theirs in pairs)
    mine, sound, theirs = (statistics.median(column) for column in zip(*pairs, strict=True))
    trimmed = f"{sound:.0f} s of sound, and {raw.seconds:.0f} with the silence that is trimmed"
    about = f"median of {ROUNDS} pairs; {mine:.2f} and {theirs:.2f} s for {trimmed}"
    rows = [
        row("speech: the starter's speed", sound / mine, "times real time", ">= 20", about),
        row("speech: work on a text through the engine / raw hibari", ratio, "times", "<= 1.05", about),
        *space(),
    ]
    give_back()
    before = rss_gb()
    for _ in range(REQUESTS):
        ours(engine, SENTENCE * 3)
    give_back()
    after = rss_gb()
    details = f"{before:.3f} GB before, {after:.3f} after {REQUESTS} requests"
    rows += heard(engine)
    rows.append(row("speech: memory grown", max(after / before - 1, 0.0), "of all", "<= 0.02", details))
    give(rows)


if __name__ == "__main__":
    main()
