"""Sounds from words in a browser and on the API, by a tiny random model: not the sounds are tested."""

from __future__ import annotations

import io
import json
import re
import wave
from pathlib import Path
from typing import Any

import pytest
from gradio_client import Client
from gradio_client.exceptions import AppError
from playwright.sync_api import Browser, expect

from shared.media.sound.restoring import made_here
from tests.support.api import bytes_of, ended
from tests.support.browser import call, visitor
from tests.support.tiny_audio import RATE, stable_audio

pytestmark = pytest.mark.filterwarnings("ignore:.*weight_norm.* is deprecated:FutureWarning")


@pytest.fixture(scope="module")
def model(tmp_path_factory: pytest.TempPathFactory) -> Path:
    import torch

    with torch.random.fork_rng():
        torch.manual_seed(0)
        return stable_audio(tmp_path_factory.mktemp("models") / "tiny-sounds")


def made(audio: Client, model: Path, **more: Any) -> dict[str, Any]:
    usual = {"prompt": "rain", "model": str(model), "seed": 3, "duration": 0.6, "num_inference_steps": 2}
    return ended(audio, "/sound", **{**usual, **more})


@pytest.mark.browser
def test_the_tab_says_what_it_takes_and_makes_a_sound_that_carries_its_receipt(
    audio_url: str, browser: Browser, model: Path
) -> None:
    with visitor(browser) as page:
        page.goto(audio_url)
        expect(page.locator("#speak")).to_be_enabled()
        page.get_by_role("tab", name="Sounds").click()
        expect(page.get_by_text("none comes along")).to_be_visible()
        with page.expect_event("requestfinished", call(2)):
            page.locator("#text-to-sound-model input").fill(str(model))
            page.locator("#text-to-sound-model input").press("Enter")  # a call for the engines, one for the settings
        for name, value in (("duration", "0.6"), ("num_inference_steps", "2"), ("seed", "3")):
            page.locator(f"#sounds-{name} input, #sounds-{name} textarea").fill(value)
        page.locator("#sounds-run").click()
        expect(page.locator("#sounds-told")).to_have_text("")
        expect(page.locator("#sounds-metrics")).to_contain_text("Sound")
        expect(page.locator("#sounds-sound audio").first).to_have_attribute("src", re.compile("."))
        expect(page.locator("#sounds-receipt-box")).to_be_visible()
        with page.expect_download() as saved:
            page.locator("#sounds-sound a[download]").first.click()
        page.locator("#sounds-seed input, #sounds-seed textarea").fill("9")
        page.get_by_role("button", name="Restore settings").locator("visible=true").click()
        kept = {"name": "rain.wav", "mimeType": "audio/wav", "buffer": Path(saved.value.path()).read_bytes()}
        page.locator("#sounds-restore input[type=file]").set_input_files(kept)  # type: ignore[arg-type]
        expect(page.locator("#sounds-restore-told")).to_contain_text("Restored from a sound")
        expect(page.locator("#sounds-seed input, #sounds-seed textarea").first).to_have_value("3")
        page.locator("#sounds-duration input, #sounds-duration textarea").fill("long")
        page.locator("#sounds-run").click()
        expect(page.locator("#sounds-told")).to_contain_text("Seconds must be a number")


def test_the_api_makes_the_same_sound_for_the_same_seed(audio: Client, model: Path) -> None:
    first = made(audio, model)
    file = bytes_of(first["audio"])
    with wave.open(io.BytesIO(file)) as sound:
        assert (sound.getframerate(), sound.getnchannels()) == (RATE, 2)
    assert first["finish_reason"] == "stop" and first["seconds"] == pytest.approx(0.6, abs=0.01)
    assert made_here(file)["request"]["prompt"] == "rain" and json.dumps(first["receipt"]).count(str(model)) <= 2
    assert made(audio, model)["receipt"]["seed"] == 3
    listed = audio.predict(api_name="/models")
    assert any(row["task"] == "text-to-sound" for row in listed)


@pytest.mark.parametrize(
    ("more", "words"),
    [({"prompt": " "}, "tin roof"), ({"duration": 60}, "47 seconds"), ({"file": "aiff"}, "saved as")],
)
def test_what_can_not_be_made_is_told(audio: Client, model: Path, more: dict[str, Any], words: str) -> None:
    with pytest.raises(AppError, match=words):
        made(audio, model, **more)
