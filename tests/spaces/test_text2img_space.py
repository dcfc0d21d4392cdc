"""The image Space as people meet it: in a browser, and on its API."""

from __future__ import annotations

import base64
import io
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from gradio_client import Client
from gradio_client.exceptions import AppError
from PIL import Image
from playwright.sync_api import Browser, Page, expect

from tests.support.api import bytes_of, calling, ended
from tests.support.browser import visitor
from tests.support.server import Server

PHONE = {"width": 390, "height": 844}


@pytest.fixture(scope="module")
def url(image_space: Server) -> str:
    return image_space.url


@pytest.fixture(scope="module")
def client(url: str) -> Iterator[Client]:
    with calling(url) as opened:
        yield opened


@pytest.fixture
def page(url: str, browser: Browser) -> Iterator[Page]:
    with visitor(browser) as opened:
        opened.goto(url)
        expect(opened.locator("#draw")).to_be_enabled()
        yield opened


def draw(page: Page, prompt: str) -> None:
    page.locator("#prompt textarea").fill(prompt)
    page.locator("#draw").click()


def slowly(page: Page) -> None:
    """Set the screen to a picture that takes seconds."""
    page.locator("#set-num_inference_steps input[type=number]").fill("60")
    page.locator("#set-size input").fill("96x96")
    page.locator("#set-size input").press("Enter")


def drawn(client: Client, **arguments: Any) -> dict[str, Any]:
    return ended(client, "/generate", **arguments)


@pytest.mark.browser
def test_first_picture_with_its_preview_and_receipt(page: Page) -> None:
    slowly(page)
    draw(page, "a red apple")
    expect(page.locator("#stop")).to_be_visible()
    expect(page.locator("#metrics")).to_contain_text("Step")
    expect(page.locator("#picture img")).to_be_visible()
    assert page.locator("#receipt-box").is_hidden(), "the picture came before its receipt: it is a preview"
    expect(page.locator("#metrics")).to_contain_text("Steps/s")
    expect(page.locator("#receipt-box")).to_be_visible()
    expect(page.locator("#gallery img")).to_have_count(1)
    expect(page.locator("#draw")).to_be_visible()


@pytest.mark.browser
def test_stop_keeps_what_there_is(page: Page) -> None:
    slowly(page)
    page.locator("#set-num_images_per_prompt input[type=number]").fill("8")
    draw(page, "a house")
    expect(page.locator("#picture img")).to_be_visible()
    page.locator("#stop").click()
    expect(page.locator("#told")).to_contain_text("Stopped by you.")
    expect(page.locator("#draw")).to_be_visible()


@pytest.mark.browser
def test_a_dropped_picture_restores_its_settings(page: Page, client: Client, tmp_path: Path) -> None:
    made = drawn(client, prompt="a green car", seed=77, num_inference_steps=3, scheduler="DDIMScheduler")
    file = tmp_path / "car.png"
    file.write_bytes(bytes_of(made["images"][0]))
    page.locator("#restore-box button").first.click()
    page.locator("#restore input[type=file]").set_input_files(str(file))
    expect(page.locator("#restore-told")).to_contain_text("Restored from a picture made here.")
    expect(page.locator("#prompt textarea")).to_have_value("a green car")
    expect(page.locator("#set-seed input, #set-seed textarea")).to_have_value("77")
    expect(page.locator("#set-num_inference_steps input[type=number]")).to_have_value("3")
    expect(page.locator("#set-scheduler input")).to_have_value("DDIM")


@pytest.mark.browser
def test_a_grid_over_two_settings(page: Page) -> None:
    page.get_by_role("tab", name="Compare").click()
    page.locator("#across-values textarea, #across-values input").fill("2, 3")
    page.locator("#down-values textarea, #down-values input").fill("1, 4")
    page.locator("#compare-run").click()
    expect(page.locator("#compare-grid img")).to_have_count(4)
    expect(page.locator("#compare-grid")).to_contain_text("dB like the first")
    expect(page.locator("#compare-run")).to_be_visible()


@pytest.mark.browser
def test_the_steps_can_be_looked_through(page: Page) -> None:
    page.get_by_role("tab", name="Look inside").click()
    page.locator("#set-num_inference_steps input[type=number]").fill("5")
    page.locator("#inside-run").click()
    slider = page.locator("#inside-step input[type=number]")
    expect(slider).to_have_value("6")
    last = page.locator("#inside-picture img").get_attribute("src")
    slider.fill("1")
    slider.press("Enter")
    expect(page.locator("#inside-picture img")).not_to_have_attribute("src", last or "")


@pytest.mark.browser
def test_an_error_is_told_and_the_next_picture_comes(page: Page) -> None:
    page.locator("#set-size input").fill("129x41")
    page.locator("#set-size input").press("Enter")
    draw(page, "a star")
    expect(page.locator("#told")).to_contain_text("multiple of")
    page.locator("#set-size input").fill("32x32")
    page.locator("#set-size input").press("Enter")
    page.locator("#draw").click()
    expect(page.locator("#metrics")).to_contain_text("Steps/s")


@pytest.mark.browser
def test_nothing_is_wider_than_a_phone(url: str, browser: Browser) -> None:
    context = browser.new_context(viewport=PHONE)  # type: ignore[arg-type]
    page = context.new_page()
    page.goto(url)
    for tab in ("Draw", "Compare", "Look inside", "Models"):
        page.get_by_role("tab", name=tab).click()
        page.wait_for_timeout(300)
        assert page.evaluate("document.documentElement.scrollWidth") <= PHONE["width"], tab
    context.close()


def test_the_api_draws_and_repeats_a_seed(client: Client) -> None:
    first, again, other = (drawn(client, prompt="a red apple", seed=s, num_inference_steps=4) for s in (5, 5, 6))
    pixels = [Image.open(io.BytesIO(bytes_of(each["images"][0]))).tobytes() for each in (first, again, other)]
    assert pixels[0] == pixels[1] != pixels[2]
    assert first["receipt"]["starter"] and first["receipt"]["seed"] == 5 and first["seeds"] == [5]


def test_the_api_starts_from_a_picture(client: Client) -> None:
    made = []
    for colour in ("red", "blue"):
        start = io.BytesIO()
        Image.new("RGB", (200, 100), colour).save(start, "PNG")
        url = f"data:image/png;base64,{base64.b64encode(start.getvalue()).decode()}"
        made.append(drawn(client, prompt="a house", image=url, strength=0.2, seed=1, num_inference_steps=10))
    first, second = (Image.open(io.BytesIO(bytes_of(each["images"][0]))).tobytes() for each in made)
    assert first != second
    assert made[0]["receipt"]["settings"]["strength"] == 0.2


def test_the_api_lists_models_with_reasons(client: Client) -> None:
    rows = client.predict(api_name="/models")
    assert rows[0]["starter"] and rows[0]["runs_here"] and rows[0]["task"] == "text-to-image"
    assert all(row["runs_here"] or row["reason"] for row in rows)
    assert {row["mode"] for row in rows} == {"local", "quantized", "hosted"}


@pytest.mark.parametrize(
    ("arguments", "words"),
    [
        ({"prompt": "  "}, "The prompt is empty"),
        ({"prompt": "x" * 1_100_000}, "characters"),
        ({"prompt": "a cat", "width": 100_000}, "width must be between"),
        ({"prompt": "a cat", "model": "nonsense"}, "no model called"),
        ({"prompt": "a cat", "mode": "gpu"}, "mode must be one of"),
        ({"prompt": "a cat", "image": "data:image/png;base64,AAAA"}, "picture"),
        ({"prompt": "a cat", "image": "https://example.com/cat.png"}, "data URL"),
        ({"prompt": "a cat", "scheduler": "os.system"}, "no scheduler"),
    ],
)
def test_bad_input_is_answered_clearly(client: Client, arguments: dict[str, Any], words: str) -> None:
    with pytest.raises(AppError, match=words):
        drawn(client, **arguments)
