"""Sounds are put in space on the screen and by the API."""

from __future__ import annotations

import base64
import io
import re
import wave

import numpy as np
import pytest
from gradio_client import Client
from gradio_client.exceptions import AppError
from playwright.sync_api import Browser, Page, expect

from shared.media.sound.restoring import made_here, restore
from tests.support.api import bytes_of
from tests.support.browser import visitor


def channels(file: bytes) -> np.ndarray:
    """16-bit samples (n, channels) of a WAV file."""
    with wave.open(io.BytesIO(file)) as sound:
        return np.frombuffer(sound.readframes(sound.getnframes()), "<i2").reshape(-1, sound.getnchannels())


def level(samples: np.ndarray) -> float:
    return float(np.sqrt((samples.astype(float) ** 2).mean()))


def a_sound(seconds: float = 0.5) -> str:
    out = io.BytesIO()
    with wave.open(out, "wb") as file:
        file.setnchannels(1)
        file.setsampwidth(2)
        file.setframerate(16000)
        noise = np.random.default_rng(0).integers(-4000, 4000, round(seconds * 16000))
        file.writeframes(noise.astype("<i2").tobytes())
    return "data:audio/wav;base64," + base64.b64encode(out.getvalue()).decode()


@pytest.mark.browser
def test_what_was_spoken_is_drawn_a_path_to_the_left_and_heard_there(audio_url: str, browser: Browser) -> None:
    with visitor(browser) as page:
        page.goto(audio_url)
        expect(page.locator("#speak")).to_be_enabled()
        page.locator("#text textarea").fill("Here I come.")
        page.locator("#speak").click()
        expect(page.locator("#sound audio")).to_have_attribute("src", re.compile("."))
        page.get_by_role("tab", name="In space").click()
        page.locator("#place").click()
        expect(page.locator("#place-told")).to_contain_text("Drop a sound first")
        page.get_by_role("button", name="Take the speech").click()
        expect(page.locator("#place-sound audio").first).to_be_attached()
        page.locator("#place-move input").click()
        page.get_by_role("option", name="Drawn on the map").click()
        draw(page, (0.1, 0.5), (0.3, 0.55))
        expect(page.locator("[data-pg=told]")).to_contain_text("A path of")
        page.locator("#place").click()
        expect(page.locator("#place-told")).to_contain_text("headphones")
        link = page.locator("#placed-file a[href]").first
        file = page.request.get(link.get_attribute("href") or "").body()
        left, right = channels(file).T
        assert level(left) > 1.5 * level(right)
        assert restore(file).text == "Here I come." and made_here(file)["space"]["way"] == "binaural"


def draw(page: Page, *points: tuple[float, float]) -> None:
    """A stroke on the map, through points given as shares of its width and height."""
    area = page.locator("#place-pad canvas").bounding_box()
    assert area is not None
    places = [(area["x"] + x * area["width"], area["y"] + y * area["height"]) for x, y in points]
    page.mouse.move(*places[0])
    page.mouse.down()
    for place in places[1:]:
        page.mouse.move(*place, steps=8)
    page.mouse.up()


def test_the_api_places_a_sound(audio: Client) -> None:
    for way, count in (("binaural", 2), ("stereo", 2), ("ambisonics", 4)):
        made = audio.predict(a_sound(), way, "", [[-90, 0, 1]], "wav", api_name="/place")
        sides = channels(bytes_of(made["audio"]))
        assert sides.shape[1] == len(made["channels"]) == count
        assert made["seconds"] == pytest.approx(0.5, abs=0.01)
        if count == 2:
            assert level(sides[:, 1]) > 1.5 * level(sides[:, 0]), way
    moved = audio.predict(a_sound(), "stereo", "left_to_right", None, "wav", api_name="/place")
    sides = channels(bytes_of(moved["audio"]))
    first, last = sides[: len(sides) // 3], sides[-len(sides) // 3 :]
    assert level(first[:, 0]) > level(first[:, 1]) and level(last[:, 1]) > level(last[:, 0])


@pytest.mark.parametrize(
    ("arguments", "words"),
    [
        (("nothing", "binaural", "", [[0, 0, 1]], "wav"), "data URL"),
        (("data:audio/wav;base64,AAAA", "binaural", "", [[0, 0, 1]], "wav"), "damaged"),
        ((a_sound(), "quadraphonic", "", [[0, 0, 1]], "wav"), "ambisonics"),
        ((a_sound(), "stereo", "loop", [], "wav"), "left_to_right"),
        ((a_sound(), "stereo", "", [[0, 0]], "mp3"), "wav, flac"),
        ((a_sound(), "stereo", "", [["x", 0, 1]], "wav"), "three numbers"),
        ((a_sound(), "stereo", "", [[0, 0, 99]], "wav"), "metres away"),
    ],
)
def test_what_can_not_be_placed_is_told(audio: Client, arguments: tuple[object, ...], words: str) -> None:
    with pytest.raises(AppError, match=words):
        audio.predict(*arguments, api_name="/place")
