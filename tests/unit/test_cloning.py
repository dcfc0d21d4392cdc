"""A voice is imitated only with its person's consent: the recording, the sentence, the mark, and what is told."""

from __future__ import annotations

import hashlib
import io
import json
import random
import zipfile
from collections.abc import Callable, Iterator
from datetime import timedelta
from importlib.util import find_spec
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from shared.audio.cloning import marking, perth
from shared.audio.cloning.clip import MAX_BYTES, read_clip
from shared.audio.cloning.consent import TYPED, WORDS, checker, reference_of, sentence, today
from shared.audio.listening import loaded
from shared.audio.listening.loaded import Written
from shared.audio.listening.rows import Listener, listeners
from shared.audio.pcm import to_pcm, to_samples
from shared.audio.script import Utterance
from shared.audio.speaking import Speaking
from shared.errors import CorruptWeights, InvalidRequest, MissingDependency
from shared.events import AudioChunk, Event
from shared.media.sound.files import encode
from shared.media.sound.labelling import document
from shared.outputs import AudioOutput
from shared.receipts import Receipt
from shared.requests import Consent, Reference, SpeechRequest
from shared.settings import Settings
from shared.streaming import Emitter
from shared.ui.audio import clone_panel
from tests.support import listening as support
from tests.support.sounds import speech

RATE = 16_000
DEAF = Emitter(lambda event: None)
SPOKEN = Consent("spoken", checked=True)


def recording(seconds: float = 5.0, level: float = 0.2) -> bytes:
    """A WAV file of a hum that swells and fades, as a voice does."""
    t = np.arange(round(seconds * RATE)) / RATE
    return encode(AudioOutput(pcm=to_pcm(level * np.sin(700 * t) * np.abs(np.sin(4 * t))), sample_rate=RATE), "wav")


def reference(consent: Consent | None = SPOKEN) -> Reference:
    return Reference(to_pcm(np.zeros(RATE)), RATE, "Hello.", consent)


# The recording.


@pytest.mark.parametrize(
    ("data", "words"),
    [
        (b"no sound at all", "can't be read"),
        (recording()[:60], "can't be read"),
        (recording(1.0), "needs 3 at least"),
        (recording(31.0), "longer than 30 seconds"),
        (recording(level=0.0), "is silent"),
        (recording(level=0.004), "too faint|is silent"),
        (b"RIFF" + bytes(MAX_BYTES), "larger than 20 MB"),
    ],
)
def test_a_bad_recording_is_told(data: bytes, words: str) -> None:
    with pytest.raises(InvalidRequest, match=words):
        read_clip(data)


def test_a_good_one_is_read() -> None:
    samples, rate = read_clip(recording())
    assert rate == RATE and len(samples) == 5 * RATE


# Consent.


@pytest.fixture
def nobody() -> Iterator[None]:
    """Nobody listens here."""
    rows = dict(listeners())
    listeners().clear()
    yield
    listeners().clear()
    listeners().update(rows)  # in their order, whose first is the usual one


@pytest.fixture
def hears(monkeypatch: pytest.MonkeyPatch, nobody: None) -> Callable[[str], Listener]:
    """Makes the one listener here hear a text."""
    monkeypatch.setattr(loaded, "_held", {})
    row = listeners()["told"] = support.told("en")

    def hear(text: str) -> Listener:
        support.HEARD[:] = [Written(text, "en")] * 2
        return row

    return hear


def test_the_sentence_has_words_of_its_day() -> None:
    days = [today() + timedelta(days=n) for n in range(30)]
    assert len({sentence(day) for day in days}) > 25 and sentence(days[0]) == sentence(today())
    assert all(sum(word in sentence(day) for word in WORDS) == 3 for day in days)


def test_consent_that_is_heard_is_told_as_checked(hears: Callable[[str], Listener]) -> None:
    assert checker() is hears(sentence(today()).lower().replace("voice", "boys"))
    found = reference_of(recording(), "", Settings(), DEAF)
    assert found.text == sentence(today()) and found.consent is not None and found.consent.checked
    assert "heard by Told (1 of" in found.consent.how and len(found.pcm) == 10 * RATE


def test_yesterdays_sentence_does_since_pages_stay_open(hears: Callable[[str], Listener]) -> None:
    before = sentence(today() - timedelta(days=1))
    hears(before)
    assert reference_of(recording(), "", Settings(), DEAF).text == before


@pytest.mark.parametrize("of", ["another", "the day's words"])
def test_what_is_no_consent_is_refused_with_what_was_heard(hears: Callable[[str], Listener], of: str) -> None:
    said = sentence(today())
    other = random.Random(1).sample([word for word in WORDS if word not in said], 3)
    stale = f"{said.partition('are ')[0]}are {other[0]}, {other[1]} and {other[2]}."
    hears("four score and seven years ago" if of == "another" else stale)
    with pytest.raises(InvalidRequest, match=r"did not hear the sentence of consent .* read this aloud"):
        reference_of(recording(), TYPED, Settings(), DEAF)  # what is typed doesn't count where somebody listens


@pytest.mark.usefixtures("nobody")
def test_where_nobody_listens_it_is_typed_and_told_as_unchecked() -> None:
    with pytest.raises(InvalidRequest, match=f"type “{TYPED}”. Nobody checks that"):
        reference_of(recording(), "yes", Settings(), DEAF)
    consent = reference_of(recording(), f" {TYPED.lower()}. ", Settings(), DEAF).consent
    assert consent == Consent("typed, which nobody checked", checked=False)


# The request, its file and its receipt.


def test_a_request_without_consent_is_refused() -> None:
    with pytest.raises(InvalidRequest, match="only where the person it belongs to has agreed"):
        speech(reference=reference(None)).validate()
    with pytest.raises(InvalidRequest, match="Clear the speakers"):
        speech(reference=reference(), speakers=(("Ann", "x"),)).validate()
    speech(reference=reference()).validate()
    assert "voice" in speech(reference=reference(), voice="heart").idle()


def test_the_recording_is_in_no_file_and_no_settings() -> None:
    request = speech(reference=reference())
    assert "reference" not in request.settings()
    receipt = Receipt(model="m", name="M", task="text-to-speech", backend="b", mode="local", license="MIT")
    assert set(document(receipt, request)["request"]) == {"text"} and json.dumps(document(receipt, request))


def test_what_is_told_of_it() -> None:
    assert marking.told(speech()) == {} and marking.marker(speech(), RATE) is None
    told = marking.told(speech(reference=reference(Consent("typed", False))))
    assert told["imitates_a_voice"] and told["consent"] == "typed" and told["consent_checked"] is False
    assert told["watermark"] == (perth.NAME if find_spec("perth") else "none: resemble-perth is not installed")


# The mark.


def test_nothing_leaves_without_its_mark() -> None:
    events: list[Event] = []
    speaking = Speaking(Emitter(events.append), RATE, 2, None, lambda samples: -samples)
    for number in range(2):
        speaking.begin(Utterance("Hum.", None, "", 0.1 if number == 0 else 0.0))
        for _ in range(3):
            speaking.add(np.full(1000, 0.3, np.float32))
            assert sum(len(e.pcm) for e in events if isinstance(e, AudioChunk)) == number * 2 * (3000 + RATE // 10)
        speaking.end()
    assert to_samples(speaking.output().pcm).max() <= 0.001 and to_samples(speaking.output().pcm).min() < -0.29


def test_a_mark_is_put_on_by_the_numbers_in_a_file_that_is_never_unpickled(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Random numbers in a file of the same form: the sound stays what it was, nearly, and as long."""
    numbers, file = np.random.default_rng(1), io.BytesIO()
    with zipfile.ZipFile(file, "w") as made:
        made.writestr("archive/data.pkl", b"not a pickle")
        for stack in range(4):
            for depth, kernel in enumerate((1, 7, 7, 7, 7, 7, 1)):
                out = (128 if stack == 0 else 2) if depth == 6 else 256
                shape = (out, 128 if depth == 0 else 256, kernel)
                for more, count in ((0, int(np.prod(shape))), (1, out)):
                    values = numbers.normal(0, 0.01, count).astype("<f4")
                    made.writestr(f"archive/data/{2 * (stack * 7 + depth) + more}", values.tobytes())
    folder = tmp_path / "perth" / Path(perth._FILE).parent
    folder.mkdir(parents=True)
    (tmp_path / "perth" / "__init__.py").write_text("raise SystemExit('never imported')")
    (tmp_path / "perth" / perth._FILE).write_bytes(file.getvalue())
    monkeypatch.syspath_prepend(tmp_path)
    perth._stacks.cache_clear()
    hum = to_samples(recording()[-2 * 24_000 :])
    with pytest.raises(CorruptWeights, match="not the file that was tested"):
        perth.mark(hum, 24_000)
    monkeypatch.setattr(perth, "_SHA256", hashlib.sha256(file.getvalue()).hexdigest())
    marked = perth.mark(hum, 24_000)
    perth._stacks.cache_clear()
    assert marked.shape == hum.shape and 0 < np.abs(marked - hum).max() < 0.1
    short = np.zeros(100, np.float32)
    assert perth.mark(short, 24_000) is short and perth.found(short, 24_000) == 0.0


def test_the_real_mark_is_found_or_what_is_missing_is_told() -> None:
    if find_spec("perth") is None:
        with pytest.raises(MissingDependency, match="pip install --no-deps resemble-perth"):
            perth.mark(np.zeros(RATE, np.float32), RATE)
        return
    from hibari import Hibari

    voice = Hibari()
    plain = voice("Rice is often served in round bowls.", seed=1)
    assert perth.found(plain, voice.sample_rate) < 0.1
    assert perth.found(perth.mark(plain, voice.sample_rate), voice.sample_rate) > 0.9


def test_a_sound_is_looked_through_for_the_mark(tmp_path: Path) -> None:
    broken, plain = tmp_path / "a.wav", tmp_path / "b.wav"
    broken.write_bytes(b"no sound")
    hiss = np.random.default_rng(1).normal(0, 0.1, 5 * RATE)
    plain.write_bytes(encode(AudioOutput(pcm=to_pcm(hiss), sample_rate=RATE), "wav"))
    assert "can&#x27;t be read" in clone_panel._marked(str(broken))
    assert ("is not in it" if find_spec("perth") else "pip install") in clone_panel._marked(str(plain))


def test_engines_that_cannot_refuse(monkeypatch: pytest.MonkeyPatch) -> None:
    from shared.catalog import load_catalog
    from shared.engine import Engine

    asked: dict[str, Any] = {"text": "Hello.", "reference": reference()}
    with pytest.raises(InvalidRequest, match="can't imitate the voice of a recording"):
        list(Engine(load_catalog(), Settings()).generate("hibari", SpeechRequest(**asked)))
