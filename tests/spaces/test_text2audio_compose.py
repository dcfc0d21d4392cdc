"""Music in the audio Space, in a browser and on its API, by a tiny random model: not the tunes are tested."""

from __future__ import annotations

import io
import re
import wave
from pathlib import Path
from typing import Any

import httpx
import pytest
from gradio_client import Client
from gradio_client.exceptions import AppError
from playwright.sync_api import Browser, expect

from shared.catalog import Catalog, ModelSpec, Variant
from shared.data_urls import data_url
from shared.engine import Engine
from shared.errors import NoBackendAvailable
from shared.media.sound import riff
from shared.music.restoring import restore
from shared.requests import MusicRequest
from shared.settings import Settings
from shared.tasks import Mode, Task
from shared.ui.model_picker import describe, first_mode, model_choices
from tests.support.api import bytes_of, ended
from tests.support.browser import visitor

PARAMETERS = [
    *("prompt", "model", "mode", "engine_variant", "bars", "duration", "temperature", "top_p", "seed"),
    *("top_logprobs", "beginning", "beginning_bars", "file"),
    *("negative_prompt", "num_inference_steps", "guidance_scale", "recording", "recording_use"),
    "owner_token",
]
PHONE = {"width": 390, "height": 844}
TONE = data_url(riff.write(bytes(range(256)) * 64, 8000, 1, {}), "audio/wav")


def composed(audio: Client, **arguments: Any) -> dict[str, Any]:
    return ended(audio, "/compose", **{"prompt": "a reel in D on the flute", "bars": 3, "seed": 5, **arguments})


@pytest.mark.browser
def test_music_is_seen_while_it_is_written_and_then_heard_kept_and_restored(
    audio_url: str, browser: Browser, tmp_path: Path
) -> None:
    with visitor(browser) as page:
        page.goto(audio_url)
        expect(page.locator("#speak")).to_be_enabled()
        page.get_by_role("tab", name="Compose").click()
        expect(page.locator("#text-to-audio-model input")).to_have_value("Tune starter")
        expect(page.locator("#model")).to_have_count(0)
        expect(page.locator("#set-voice")).to_have_count(0)
        page.locator("#compose-prompt textarea").fill("a chorale in F on the fiddle for zombies, 60 bars")
        page.locator("#compose-run").click()
        expect(page.locator("#compose-metrics progress")).to_be_visible()
        expect(page.locator("#compose-score svg").first).to_be_visible()
        page.locator("#compose-stop").click()
        expect(page.locator("#compose-note")).to_contain_text("Stopped by you. The whole bars are kept.")
        expect(page.locator("#compose-run")).to_be_visible()
        expect(page.locator("#compose-facts")).to_contain_text("chorale, F major")
        expect(page.locator("#compose-facts")).to_contain_text("Not understood: zombies")
        page.locator("#compose-prompt textarea").fill("a reel in D on the flute")
        page.locator("#compose-bars input, #compose-bars textarea").fill("3")
        page.locator("#compose-seed input, #compose-seed textarea").fill("5")
        page.locator("#compose-run").click()
        for ending in ("wav", "mid", "musicxml"):
            expect(page.locator("#compose-files")).to_contain_text(ending)
        expect(page.locator("#compose-facts")).to_contain_text("Key heard")
        expect(page.locator("#compose-roll svg")).to_have_attribute("aria-label", re.compile("notes in 3 bars"))
        sound = page.locator("#compose-sound audio")
        sound.evaluate("a => { a.muted = false; return a.play(); }")
        page.wait_for_function("() => document.querySelector('#compose-sound audio').currentTime > 0.2")
        expect(page.locator("#compose-roll [data-now]")).to_have_attribute("visibility", "visible")
        page.locator("#compose-instrument input").click()
        page.get_by_role("option", name="Piano").click()
        expect(page.locator("#compose-facts")).to_contain_text("Piano")
        expect(page.locator("#compose-run")).to_be_visible()
        page.locator("#compose-kind input").click()
        page.get_by_role("option", name="FLAC").click()
        expect(page.locator("#compose-files")).to_contain_text("flac")
        with page.expect_download() as kept:
            page.locator("#compose-files a[download$=mid]").first.click()
        file = tmp_path / "tune.mid"
        kept.value.save_as(file)
        page.locator("#beginning-box button").first.click()
        page.locator("#beginning input[type=file]").set_input_files(str(file))
        expect(page.locator("#beginning-told")).to_contain_text("Kept: 3 bars in D major, 2/2")
        page.locator("#compose-prompt textarea").fill("")
        for name in ("bars", "seed"):
            page.locator(f"#compose-{name} input, #compose-{name} textarea").fill("")
        page.locator("#compose-restore-box button").first.click()
        page.locator("#compose-restore input[type=file]").set_input_files(str(file))
        expect(page.locator("#compose-restore-told")).to_contain_text("Restored from music made here.")
        expect(page.locator("#compose-prompt textarea")).to_have_value("a reel in D on the flute")
        expect(page.locator("#compose-bars input, #compose-bars textarea")).to_have_value("3")
        expect(page.locator("#compose-seed input, #compose-seed textarea")).to_have_value("5")
        page.locator("#compose-inside-box button").first.click()
        expect(page.locator("#compose-inside")).to_contain_text("bits a note")
        page.locator("#tunes-box button").first.click()
        page.locator("#tunes-blind input").check()
        page.locator("#tunes-run").click()
        expect(page.locator("#tunes-table audio")).to_have_count(2)
        expect(page.locator("#tunes-table")).not_to_contain_text("Tune starter")
        for place, score in enumerate((5, 2)):
            page.locator(f"#tunes-score-{place}").get_by_role("radio").nth(score - 1).check()
        page.locator("#tunes-show").click()
        expect(page.locator("#tunes-table")).to_contain_text("A: Tune starter")
        expect(page.locator("#tunes-table svg").first).to_be_visible()
        expect(page.locator("#tunes-means")).to_contain_text("3.50")
        expect(page.locator("#tunes-means")).to_contain_text("2, 2 blind")
        page.set_viewport_size(PHONE)  # type: ignore[arg-type]
        page.wait_for_function(f"document.documentElement.scrollWidth <= {PHONE['width']}")
        page.get_by_role("tab", name="Speak").click()
        expect(page.locator("#set-voice")).to_be_visible()


def test_the_api_tells_of_every_bar_and_ends_with_sound_notes_and_receipt(audio: Client) -> None:
    job = audio.submit(prompt="a chorale in F on the piano", bars=24, seed=1, api_name="/compose")
    last = job.result(timeout=120)
    told = job.outputs()
    assert len(told) > 2 and told[0]["audio"] is None
    assert [each["bar"] for each in told] == sorted(each["bar"] for each in told) and last["bar"] == 24
    assert last["piece"]["key"] == "F major" and last["piece"]["voices"] == 4 and len(last["piece"]["notes"]) > 24
    with wave.open(io.BytesIO(bytes_of(last["audio"]))) as file:
        assert file.getnchannels() == 2 and file.getnframes() / 44_100 > last["piece"]["seconds"]
    receipt = last["receipt"]
    assert receipt["seed"] == 1 and receipt["starter"] and receipt["extra"]["played_by"]["soundfont"]
    assert receipt["extra"]["heard"]["key"] and last["finish_reason"] == "stop" and last["error"] is None
    for data in (bytes_of(last["midi"]), last["musicxml"].encode(), bytes_of(last["audio"])):
        assert restore(data).prompt == "a chorale in F on the piano" and restore(data).seed == 1


def test_the_api_repeats_a_seed_and_gives_other_kinds_of_file(audio: Client) -> None:
    first, again, other = (composed(audio, seed=seed, file="") for seed in (5, 5, 6))
    assert first["piece"] == again["piece"] != other["piece"] and first["audio"] is None
    guesses = composed(audio, file="", top_logprobs=3)["guesses"]
    assert guesses and not first["guesses"] and len(guesses[0]["likely"]) == 3
    more = composed(audio, bars=5, file="", beginning=first["midi"], beginning_bars=2)
    assert more["bar"] == 5 and more["receipt"]["extra"]["music"]["begun_bars"] == 2
    assert composed(audio, file="mp3")["audio"].startswith("data:audio/mpeg;base64,")


def test_both_kinds_of_models_are_listed_and_it_is_a_tool_for_agents(audio_url: str, audio: Client) -> None:
    rows = audio.predict(api_name="/models")
    assert {"text-to-speech", "text-to-audio"} <= {row["task"] for row in rows}
    assert any(row["id"] == "tune-starter" and row["runs_here"] for row in rows)
    tools = {tool["name"] for tool in httpx.get(f"{audio_url}/gradio_api/mcp/schema").json()}
    assert {"speak", "compose", "place", "models"} <= tools and not any(name.startswith("_") for name in tools)


def test_programs_can_count_on_these_parameters(audio_url: str) -> None:
    """A name may be added at the end, none may go or change."""
    told = httpx.get(f"{audio_url}/gradio_api/info").json()["named_endpoints"]["/compose"]["parameters"]
    assert [p["parameter_name"] for p in told] == PARAMETERS
    assert [p["parameter_name"] for p in told if not p["parameter_has_default"]] == ["prompt"]


@pytest.mark.parametrize(
    ("arguments", "words"),
    [
        ({"prompt": " "}, "The prompt is empty"),
        ({"bars": 0}, "bars must be between"),
        ({"beginning": "hello"}, "must be a MIDI"),
        ({"file": "exe"}, "wav, flac, mp3, ogg"),
        ({"model": "hibari"}, "a model for text-to-speech"),
        ({"mode": "hosted"}, "no engine of that kind"),
        ({"recording": "data:audio/wav;base64,aGVsbG8="}, "can't be read"),
        ({"recording": TONE, "recording_use": "sample"}, "used as lead_in, melody"),
        ({"recording": TONE}, "can't go on from a recording"),
    ],
)
def test_bad_input_is_answered_clearly(audio: Client, arguments: dict[str, Any], words: str) -> None:
    with pytest.raises(AppError, match=words):
        composed(audio, **arguments)


def test_without_weights_the_picker_says_why_and_what_to_do(tmp_path: Path) -> None:
    variant = Variant(backend="symbolic_music", repo_id="x", device="cpu", options={"starter": "no-such-tunes"})
    spec = ModelSpec(id="tunes", name="Tunes", task=Task.TEXT_TO_AUDIO, license="MIT", variants=(variant,))
    engine = Engine(Catalog([spec]), Settings(data_dir=tmp_path))
    assert first_mode(engine, spec.task) == Mode.LOCAL
    assert model_choices(engine, spec.task, Mode.LOCAL, engine.settings) == [("Tunes (can't run here)", "tunes")]
    assert "Make it with: python training/" in describe(engine, spec.task, "tunes", Mode.LOCAL, None, engine.settings)
    with pytest.raises(NoBackendAvailable, match="choose another model"):
        list(engine.generate("tunes", MusicRequest(prompt="a jig")))
