"""The audio Space as people meet it: in a browser, where it is heard, and on its API."""

from __future__ import annotations

import base64
import io
import json
import threading
import time
import wave
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from gradio_client import Client
from gradio_client.exceptions import AppError
from playwright.sync_api import Browser, Page, expect

from shared.audio.cloning.consent import TYPED, checker
from shared.audio.listening.rows import get, reason
from shared.media.sound import riff
from tests.support.api import bytes_of, ended
from tests.support.browser import open_tab, visitor

PHONE = {"width": 390, "height": 844}
LONG = "Once upon a time there was a small robot, which liked to read. " * 60


@pytest.fixture
def page(audio_url: str, browser: Browser) -> Iterator[Page]:
    with visitor(browser) as opened:
        opened.goto(audio_url)
        expect(opened.locator("#speak")).to_be_enabled()
        opened.wait_for_function("() => window.pgSpeech")
        yield opened


def speak(page: Page, text: str) -> None:
    page.locator("#text textarea").fill(text)
    page.locator("#speak").click()


def spoken(audio: Client, **arguments: Any) -> dict[str, Any]:
    return ended(audio, "/speak", **arguments)


@pytest.mark.browser
def test_speech_is_heard_and_drawn_while_it_is_made_and_can_be_heard_again(page: Page) -> None:
    speak(page, LONG)
    page.wait_for_function("() => pgSpeech.level() > 0.01")
    told = page.evaluate("pgSpeech.told()")
    assert told["seconds"] > 0 and told["columns"] > 0
    expect(page.locator("#metrics")).to_contain_text("real time")
    expect(page.locator("#metrics")).to_contain_text("LUFS")
    told = page.evaluate("pgSpeech.told()")
    assert told["seconds"] > 60 and 0 < told["heard"] < 60, "what is heard follows the clock, not the engine"
    for name in ("wave", "mel"):
        painted = "c => c.getContext('2d').getImageData(0, 0, c.width, c.height).data.some(v => v > 0)"
        assert page.locator(f"[data-pg={name}]").evaluate(painted), name
    expect(page.locator("[data-pg=caption] b")).to_have_count(1)
    expect(page.locator("#files")).to_contain_text(".srt")
    expect(page.locator("#receipt-box")).to_be_visible()
    again = page.locator("#sound audio")
    again.evaluate("a => { a.muted = false; return a.play(); }")
    page.wait_for_function("() => document.querySelector('#sound audio').currentTime > 0.2")
    assert again.evaluate("a => a.duration") == pytest.approx(told["seconds"], abs=0.5)


@pytest.mark.browser
def test_stop_ends_the_run_and_the_sound(page: Page) -> None:
    speak(page, LONG * 9)
    page.wait_for_function("() => pgSpeech.level() > 0.01")
    page.locator("#stop").click()
    expect(page.locator("#told")).to_contain_text("Stopped by you.")
    expect(page.locator("#speak")).to_be_visible()
    page.wait_for_function("() => pgSpeech.told().ended && pgSpeech.level() < 0.0001")


@pytest.mark.browser
def test_a_dropped_sound_restores_its_settings(page: Page, audio: Client, tmp_path: Path) -> None:
    script = {"text": "Ann: Hi <b>there</b>.\nBen: Hello.", "speakers": {"Ann": "heart", "Ben": "heart-low"}}
    made = spoken(audio, seed=77, speed=1.25, voice="heart-high", file="mp3", **script)
    file = tmp_path / "talk.mp3"
    file.write_bytes(bytes_of(made["audio"]))
    page.locator("#restore-box button").first.click()
    page.locator("#restore input[type=file]").set_input_files(str(file))
    expect(page.locator("#restore-told")).to_contain_text("Restored from a sound made here.")
    expect(page.locator("#text textarea")).to_have_value(script["text"])  # type: ignore[arg-type]
    expect(page.locator("#set-seed textarea, #set-seed input")).to_have_value("77")
    expect(page.locator("#set-speed input[type=number]")).to_have_value("1.25")
    expect(page.locator("#set-speakers textarea")).to_have_value("Ann: heart\nBen: heart-low")


@pytest.mark.browser
def test_speakers_are_found_and_given_voices_and_an_error_is_told(page: Page) -> None:
    page.locator("#text textarea").fill("Ann: Hello.\nBen: Hi.")
    page.locator("#cast").click()
    expect(page.locator("#set-speakers textarea")).to_have_value("Ann: heart\nBen: heart-low")
    page.locator("#set-speakers textarea").fill("nonsense")
    page.locator("#speak").click()
    expect(page.locator("#told")).to_contain_text("must be like Ann: heart")
    page.locator("#set-speakers textarea").fill("")
    page.locator("#speak").click()
    expect(page.locator("#metrics")).to_contain_text("real time")


@pytest.mark.browser
def test_voices_are_compared_blind_scored_and_then_named(page: Page) -> None:
    page.get_by_role("tab", name="Compare").click()
    page.locator("#compare-blind input").check()
    page.locator("#compare-run").click()
    expect(page.locator("#compare-table audio")).to_have_count(2)
    expect(page.locator("#compare-show")).to_be_visible()
    expect(page.locator("#compare-table")).not_to_contain_text("hibari")
    for place, score in enumerate((5, 2)):
        page.locator(f"#score-{place}").get_by_role("radio").nth(score - 1).check()
    page.locator("#compare-show").click()
    expect(page.locator("#compare-table")).to_contain_text("hibari · int8 · heart-low")
    expect(page.locator("#means")).to_contain_text("1, 1 blind")
    expect(page.locator("#opinions")).to_have_count(0)
    with page.expect_download() as download:
        page.locator("#scores-csv").click()
    rows = download.value.path().read_text(encoding="utf-8").splitlines()
    assert len(rows) == 3 and any(row.startswith("hibari · int8 · heart,5,True") for row in rows) != any(
        row.startswith("hibari · int8 · heart,2,True") for row in rows
    )
    page.reload()
    page.get_by_role("tab", name="Compare").click()
    expect(page.locator("#means")).to_contain_text("5.00")
    another = {"engine": "else", "score": 3, "blind": True, "text": "Hi.", "created": "2026-01-01"}
    saved = {"name": "a.json", "mimeType": "application/json", "buffer": json.dumps({"opinions": [another]}).encode()}
    with page.expect_file_chooser() as chooser:
        page.get_by_role("button", name="Add scores from files").click()
    chooser.value.set_files(saved)  # type: ignore[arg-type]
    expect(page.locator("#means")).to_contain_text("else")


@pytest.mark.browser
def test_it_is_heard_back_or_told_what_is_missing(page: Page) -> None:
    page.locator("#listener input").click()
    page.get_by_role("option").filter(has_text="tiny.en").click()
    speak(page, "Hello there.")
    told = "otherwise" if reason(get("whisper-tiny.en")) is None else "pip install ctranslate2"
    expect(page.locator("#heard")).to_contain_text(told)
    expect(page.locator("#files")).to_contain_text(".srt")
    expect(page.locator("#speak")).to_be_visible()


@pytest.mark.browser
def test_a_voice_is_imitated_only_with_consent_and_by_engines_that_can(page: Page) -> None:
    page.get_by_role("button", name="Speak with your own voice").click()
    expect(page.locator("#clone-sentence")).to_contain_text("I agree that a computer speaks with it")
    hum = (np.sin(np.arange(80_000) / 20) * np.abs(np.sin(np.arange(80_000) / 4000)) * 9000).astype("<i2").tobytes()
    kept = {"name": "me.wav", "mimeType": "audio/wav", "buffer": riff.write(hum, 16_000, 1, {})}
    page.locator("#clone-clip").get_by_role("button", name="Upload file").click()
    page.locator("#clone-clip input[type=file]").set_input_files(kept)  # type: ignore[arg-type]
    page.wait_for_function("() => document.querySelector('#clone-clip audio')?.src")
    page.locator("#clone-run").click()
    if checker() is not None:  # it hears that a hum is no consent
        expect(page.locator("#clone-told")).to_contain_text("did not hear the sentence")
        return
    expect(page.locator("#clone-told")).to_contain_text("No listener is installed")
    page.locator("#clone-typed input, #clone-typed textarea").fill(TYPED)
    page.locator("#clone-run").click()
    expect(page.locator("#clone-told")).to_contain_text("typed, which nobody checked")
    page.locator("#speak").click()
    expect(page.locator("#told")).to_contain_text("can't imitate the voice of a recording")
    page.locator("#clone-forget").click()
    expect(page.locator("#clone-told")).to_have_text("")
    page.locator("#speak").click()
    expect(page.locator("#metrics")).to_contain_text("real time")


@pytest.mark.browser
def test_nothing_is_wider_than_a_phone(audio_url: str, browser: Browser) -> None:
    context = browser.new_context(viewport=PHONE)  # type: ignore[arg-type]
    page = context.new_page()
    page.goto(audio_url)
    for tab in ("Speak", "Compare", "Models"):
        open_tab(page, tab)
        page.wait_for_timeout(300)
        assert page.evaluate("document.documentElement.scrollWidth") <= PHONE["width"], tab
    context.close()


def test_the_api_streams_pieces_that_make_the_whole(audio: Client) -> None:
    job = audio.submit(LONG, seed=1, api_name="/speak")
    last = job.result(timeout=120)
    told = job.outputs()
    pieces = [(each["start"], base64.b64decode(each["chunk"])) for each in told if each["chunk"]]
    assert len(pieces) > 2 and not told[0]["audio"], "it comes in pieces before it is whole"
    pcm = b""
    for start, piece in pieces:
        assert start == pytest.approx(len(pcm) / 48_000, abs=0.001)
        pcm += piece
    with wave.open(io.BytesIO(bytes_of(last["audio"]))) as file:
        assert (file.getframerate(), file.readframes(10**9)) == (24_000, pcm)
    assert np.abs(np.frombuffer(pcm, "<i2")).max() > 3000
    receipt = last["receipt"]
    assert receipt["starter"] and receipt["seed"] == 1 and receipt["extra"]["loudness_lufs"] < -10
    assert receipt["audio_seconds"] == pytest.approx(len(pcm) / 48_000, abs=0.01)
    assert last["srt"].startswith("1\n00:00:00,") and last["word_times"] == "estimated"


def test_the_api_repeats_a_seed_in_any_kind_of_file(audio: Client) -> None:
    first, again, other = (spoken(audio, text="Hello there.", seed=s) for s in (5, 5, 6))
    sounds = [
        b"".join(base64.b64decode(e["audio"].partition(",")[2])[-20_000:] for e in (m,)) for m in (first, again, other)
    ]
    assert sounds[0] == sounds[1] != sounds[2]
    for kind, media_type in (("flac", "audio/flac"), ("mp3", "audio/mpeg"), ("ogg", "audio/ogg")):
        assert spoken(audio, text="Hello there.", file=kind)["audio"].startswith(f"data:{media_type};base64,")


def test_the_api_tells_what_consent_is_and_takes_no_recording_without_it(audio: Client) -> None:
    told = audio.predict(api_name="/consent")
    assert "I agree that a computer speaks with it" in told["sentence"] and bool(told["confirm"]) != bool(
        told["checked_by"]
    )
    hum = (np.sin(np.arange(80_000) / 20) * 9000).astype("<i2").tobytes()
    clip = f"data:audio/wav;base64,{base64.b64encode(riff.write(hum, 16_000, 1, {})).decode()}"
    with pytest.raises(AppError, match=r"No listener is installed|did not hear the sentence"):
        spoken(audio, text="Hi", model="csm-1b", recording=clip)


def test_the_api_lists_models_with_reasons(audio: Client) -> None:
    rows = audio.predict(api_name="/models")
    assert rows[0]["starter"] and rows[0]["runs_here"] and rows[0]["task"] == "text-to-speech"
    assert all(row["runs_here"] or row["reason"] for row in rows)


@pytest.mark.parametrize(
    ("arguments", "words"),
    [
        ({"text": "  "}, "The text is empty"),
        ({"text": "x" * 1_000_000}, "1,000,000 characters"),
        ({"text": "😀"}, "no word to say"),
        ({"text": "Hi", "speed": 100}, "speed must be between"),
        ({"text": "Hi", "voice": "nobody"}, "no voice called"),
        ({"text": "Hi", "model": "nonsense"}, "no model called"),
        ({"text": "Hi", "mode": "gpu"}, "mode must be one of"),
        ({"text": "Hi", "file": "exe"}, "wav, flac, mp3, ogg"),
        ({"text": "Hi", "speakers": {"Ann": 5}}, "object of names and voices"),
        ({"text": "Hi", "listener": "nobody"}, "There are: whisper-tiny.en"),
        ({"text": "Hi", "recording": "aGVsbG8="}, "must be a data URL"),
        ({"text": "Hi", "recording": "data:audio/wav;base64,aGVsbG8="}, "can't be read"),
    ],
)
def test_bad_input_is_answered_clearly(audio: Client, arguments: dict[str, Any], words: str) -> None:
    with pytest.raises(AppError, match=words):
        spoken(audio, **arguments)


def test_who_leaves_in_the_middle_stops_the_run(audio_url: str, audio: Client) -> None:
    leaving = Client(audio_url, verbose=False, analytics_enabled=False)
    job = leaving.submit(LONG * 9, api_name="/speak")
    end = time.monotonic() + 60
    while not job.outputs() and time.monotonic() < end:
        time.sleep(0.02)
    job.cancel()
    leaving.close()
    started_at = time.monotonic()
    assert spoken(audio, text="Hello.")["receipt"] and time.monotonic() - started_at < 20


def test_several_people_at_once_each_hear_their_own(audio: Client) -> None:
    texts = [f"This is number {word}." for word in ("one", "two", "three", "four")]
    alone = [spoken(audio, text=text, seed=1) for text in texts]
    together: dict[str, dict[str, Any]] = {}

    def ask(text: str) -> None:
        together[text] = spoken(audio, text=text, seed=1)

    people = [threading.Thread(target=ask, args=(text,)) for text in texts]
    for person in people:
        person.start()
    for person in people:
        person.join()
    for text, before in zip(texts, alone, strict=True):
        assert together[text]["srt"] == before["srt"]
        assert bytes_of(together[text]["audio"])[-4000:] == bytes_of(before["audio"])[-4000:]


def test_it_is_a_tool_for_agents(audio: Client) -> None:
    described = json.dumps(audio.view_api(return_format="dict", print_info=False)["named_endpoints"])
    assert "/speak" in described and "/models" in described and '"/listen"' not in described
