"""The starter voice keeps the contract, and speaks whatever text it is given or says why not."""

from __future__ import annotations

import time
from dataclasses import replace

import pytest

from shared.backends import get_backend
from shared.engine import Engine
from shared.errors import BackendError, CorruptWeights, InvalidRequest, NoBackendAvailable
from shared.events import AudioChunk, Final, Progress
from shared.starter import locate, starters
from shared.streaming import CancelToken
from tests.support import contract
from tests.support.contract import Case
from tests.support.sounds import chunks_of, final_of, loudness, pitch, speech, streams_what_it_ends_with

STORY = "Once upon a time there was a small robot. " * 40


@pytest.fixture(scope="module")
def case(engine: Engine) -> Case:
    return Case(engine, "hibari", speech())


def test_it_streams_what_it_ends_with(case: Case) -> None:
    events = case.events(speech("Hello there. How are you? This is the third sentence."))
    output = streams_what_it_ends_with(events)
    assert output.sample_rate == 24_000 and 2.0 < output.seconds < 8.0
    assert [w.text for w in output.words][:3] == ["Hello", "there.", "How"] and not output.words[0].exact
    receipt = final_of(events).receipt
    assert receipt.starter and receipt.versions["hibari-tts"] and receipt.settings["voice"] == "heart"
    assert receipt.audio_seconds == pytest.approx(output.seconds, abs=0.01)
    assert (receipt.realtime_factor or 0) > 0 and receipt.seconds.first_output is not None
    assert len(chunks_of(events)) >= 3, "a long text is heard before all of it is made"


def test_one_seed_gives_one_sound(case: Case) -> None:
    first, again, other = (final_of(case.events(speech(seed=seed))).output for seed in (3, 3, 4))
    assert first == again and first.pcm != other.pcm


def test_events_pickle(case: Case) -> None:
    contract.events_pickle(case)


def test_close_may_be_called_twice(case: Case) -> None:
    contract.closes_twice(case)


def test_importing_it_loads_nothing_heavy() -> None:
    contract.import_is_light("hibari")


def test_stop_keeps_what_was_said(case: Case) -> None:
    token, heard = CancelToken(), []
    run = case.engine.generate(case.model, speech(STORY, seed=1), cancel=token)
    for event in run:
        heard.append(event)
        if isinstance(event, AudioChunk) and not token.cancelled:
            pressed = time.monotonic()
            token.cancel()
    final = final_of(heard)
    assert time.monotonic() - pressed < 2.0
    assert final.output.finish_reason == "stopped" and final.receipt.finish_reason == "stopped"
    whole = final_of(case.events(speech(STORY, seed=1))).output
    assert final.output.pcm and whole.pcm.startswith(final.output.pcm) and len(final.output.pcm) < len(whole.pcm) / 2
    contract.no_lease_is_left(case.engine)


def test_speed_and_voice_are_heard(case: Case) -> None:
    text = "The quick brown fox jumps over the lazy dog."
    usual, fast = (final_of(case.events(speech(text, speed=s, seed=1))).output for s in (1.0, 1.6))
    assert usual.seconds / fast.seconds == pytest.approx(1.6, rel=0.15)
    low, high = (final_of(case.events(speech(text, voice=v, seed=1))).output for v in ("heart-low", "heart-high"))
    assert pitch(low) < 0.8 * pitch(usual) and pitch(high) > 1.1 * pitch(usual)


def test_speakers_have_their_own_voices(case: Case) -> None:
    script = "Ann: I am Ann, and this is my voice.\nBen: And I am Ben, who speaks lower than you do."
    output = final_of(case.events(speech(script, speakers=(("Ann", "heart"), ("Ben", "heart-low"))))).output
    (ben,) = {word.speaker for word in output.words} - {"Ann"}
    assert ben == "Ben" and "Ben:" not in [word.text for word in output.words]
    border = round(next(w.start for w in output.words if w.speaker == "Ben") * output.sample_rate) * 2
    first, second = replace(output, pcm=output.pcm[:border]), replace(output, pcm=output.pcm[border:])
    assert pitch(second) < 0.8 * pitch(first)


def test_settings_that_it_has_not_are_named(case: Case) -> None:
    asked = speech(language="fr", instructions="Whisper.", temperature=0.5)
    contract.unhonoured_stand_in_the_receipt(case, asked, "language", "instructions", "temperature")


@pytest.mark.parametrize(
    "text",
    [
        "On 3/4/2025 at 7:30pm, 1,250 people paid $9.99 each!!! #wow @you 50% & more",
        "naïve café façade Zürich Ærøskøbing",
        "a\u0301b\u200b\u200d\u202e reversed \ud7ff \x00\x07 control",
        "WORD " * 300,
        "x" * 2000,
        "1234567890" * 40,
        "[link](http://example.com/a) and [hibari](/hibˈɑɹi/)",
        "…?!…\nReally.",
        "Footnote¹N and İs o'clockİ, £fɎ]Ȯ(xDr.'so'clockİ,ħ1/2 said.",
    ],
)
def test_any_text_with_a_word_in_it_is_spoken(case: Case, text: str) -> None:
    output = streams_what_it_ends_with(case.events(speech(text, seed=1)))
    assert output.seconds > 0.3


@pytest.mark.parametrize("text", ["😀🎉", "日本語だけ", "...!!!", "\u200b\u200b"])
def test_a_text_without_a_word_is_told(case: Case, text: str) -> None:
    with pytest.raises(InvalidRequest, match="no word to say"):
        case.events(speech(text))


def test_what_it_cannot_say_within_a_text_is_left_out_and_told(case: Case) -> None:
    final = final_of(case.events(speech("Hello there. 東京。\n😀\nGood bye.")))
    assert final.receipt.unhonoured["text"].startswith("2 of 4 parts") and loudness(final.output) > 0.01


@pytest.mark.parametrize(
    ("settings", "words"),
    [
        ({"text": " \n "}, "The text is empty"),
        ({"text": "a" * 1_000_000}, "1,000,000 characters; this server takes 40,000"),
        ({"text": "Hi", "voice": "nobody"}, "no voice called 'nobody'.*heart"),
        ({"text": "Hi", "speed": 3.0}, "at a speed of 0.5 to 2"),
        ({"text": "Hi", "speed": float("nan")}, "speed must be between"),
        ({"text": "Ann: Hi", "speakers": (("Ann", " "),)}, "needs a name and a voice"),
        ({"text": "Ann: Hi", "speakers": (("Ann", "nobody"),)}, "no voice called"),
    ],
)
def test_a_wrong_request_is_told(case: Case, settings: dict[str, object], words: str) -> None:
    with pytest.raises(InvalidRequest, match=words):
        case.events(speech(**settings))  # type: ignore[arg-type]


def test_absent_and_damaged_weights_are_told(
    case: Case, monkeypatch: pytest.MonkeyPatch, tmp_path_factory: pytest.TempPathFactory
) -> None:
    variant = case.engine.find("hibari").variants[0]
    row = starters()["hibari", "assets/hibari.onnx"]
    settings = replace(case.engine.settings, data_dir=tmp_path_factory.mktemp("fresh"))
    monkeypatch.setitem(starters(), ("hibari", "assets/hibari.onnx"), replace(row, sha256="0" * 64))
    fresh = Engine(case.engine.catalog, settings)
    with pytest.raises(CorruptWeights, match=r"hibari-tts==0\.2\.1"):
        list(fresh.generate("hibari", speech()))
    assert locate("hibari", "assets/hibari.onnx").is_file()
    gpu = replace(variant, device="cuda")
    with pytest.raises(BackendError, match="processor"):
        get_backend("hibari").check(gpu, settings)


def test_another_task_is_refused_by_name(case: Case) -> None:
    from tests.support.hosted import ask

    with pytest.raises(InvalidRequest, match="text-to-speech"):
        list(case.engine.generate("hibari", ask()))
    with pytest.raises((InvalidRequest, NoBackendAvailable)):
        list(case.engine.generate("smollm2-135m", speech()))


def test_progress_counts_the_parts(case: Case) -> None:
    events = case.events(speech("One. Two. Three."))
    steps = [(e.step, e.total) for e in events if isinstance(e, Progress) and e.total]
    assert steps[-3:] == [(0, 3), (1, 3), (2, 3)] and isinstance(events[-1], Final)
