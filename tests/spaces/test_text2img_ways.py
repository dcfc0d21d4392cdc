"""Ways to draw in the image Space: a locked seed and its variations, and beyond a picture's edges."""

from __future__ import annotations

import base64
import io
import re
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
from tests.support.pictures import pixels
from tests.support.server import Server

SIDE = 32


@pytest.fixture(scope="module")
def client(image_space: Server) -> Iterator[Client]:
    with calling(image_space.url) as opened:
        yield opened


@pytest.fixture
def page(image_space: Server, browser: Browser) -> Iterator[Page]:
    with visitor(browser) as opened:
        opened.goto(image_space.url)
        expect(opened.locator("#draw")).to_be_enabled()
        yield opened


def draw(page: Page, prompt: str) -> None:
    page.locator("#prompt textarea").fill(prompt)
    page.locator("#draw").click()


def drawn(client: Client, **arguments: Any) -> dict[str, Any]:
    return ended(client, "/generate", **arguments)


def url_of(picture: Image.Image) -> str:
    file = io.BytesIO()
    picture.save(file, "PNG")
    return f"data:image/png;base64,{base64.b64encode(file.getvalue()).decode()}"


def number(page: Page, id: str) -> Any:
    return page.locator(f"#{id} input[type=number]").first


def unfold(page: Page, id: str) -> None:
    page.locator(f"#{id} button").first.click()


def restore(page: Page, file: Path) -> None:
    unfold(page, "restore-box")
    page.locator("#restore input[type=file]").set_input_files(str(file))
    expect(page.locator("#restore-told")).to_contain_text("Restored from a picture made here.")


def receipt(page: Page) -> Any:
    expect(page.locator("#receipt-box")).to_be_visible()
    unfold(page, "receipt-box")
    return page.locator("#receipt")


@pytest.mark.browser
def test_a_locked_seed_stays_and_an_open_one_is_drawn_anew(page: Page) -> None:
    seed, lock = page.locator("#set-seed textarea, #set-seed input"), page.locator("#keep-seed input")
    line = page.locator("#metrics")
    seen: list[str] = []

    def next_seed() -> str:
        draw(page, f"a star number {len(seen)}")
        expect(page.locator("#gallery img")).to_have_count(len(seen) + 1)
        expect(page.locator("#draw")).to_be_visible()
        expect(line).to_contain_text("Seed")
        seen.append(line.inner_text().partition("Seed")[2].split()[0])
        return seen[-1]

    first, second = next_seed(), next_seed()
    assert first != second
    expect(seed).to_have_value("")
    lock.check()
    expect(seed).to_have_value(second)  # that of the picture which is seen
    assert next_seed() == second
    seed.fill("77")
    assert next_seed() == "77"
    lock.uncheck()
    expect(seed).to_have_value("")
    assert next_seed() not in (second, "77")
    seed.fill("5")
    expect(lock).to_be_checked()  # a seed that is typed is kept


@pytest.mark.browser
def test_a_variation_is_drawn_and_restored_from_its_file(page: Page, client: Client, tmp_path: Path) -> None:
    asked = {"prompt": "a green car", "seed": 77, "num_inference_steps": 3}
    made = drawn(client, variation_seed=9, variation_strength=0.25, **asked)
    assert made["receipt"]["settings"]["variation_strength"] == 0.25
    assert made["images"] != drawn(client, **asked)["images"]
    file = tmp_path / "car.png"
    file.write_bytes(bytes_of(made["images"][0]))
    restore(page, file)
    unfold(page, "variations")
    expect(number(page, "set-variation_strength")).to_have_value("0.25")
    expect(page.locator("#set-variation_seed textarea, #set-variation_seed input")).to_have_value("9")
    expect(page.locator("#keep-seed input")).to_be_checked()
    page.locator("#draw").click()
    expect(receipt(page)).to_contain_text("variation_strength 0.25")


def test_the_api_draws_beyond_a_pictures_edges(client: Client) -> None:
    start = pixels(SIDE, SIDE)
    asked = {"prompt": "a house", "image": url_of(start), "seed": 1, "num_inference_steps": 3}
    made = drawn(client, outpaint=[0.25, 0, 0, 0.5], **asked)
    after = Image.open(io.BytesIO(bytes_of(made["images"][0])))
    assert after.size == (40, 48)
    assert after.crop((16, 0, 40, 24)).tobytes() == start.crop((8, 0, 32, 24)).tobytes()
    assert made["receipt"]["settings"]["outpaint"] == [0.25, 0.0, 0.0, 0.5]
    assert made["receipt"]["settings"]["strength"] == 1.0


@pytest.mark.browser
def test_a_picture_is_drawn_on_beyond_its_edges_and_the_sides_are_restored(page: Page, tmp_path: Path) -> None:
    start = pixels(SIDE, SIDE)
    start.save(tmp_path / "start.png")
    unfold(page, "start-box")
    expect(page.locator("#start canvas").first).to_be_visible()
    page.wait_for_timeout(1000)  # fingers are slower than the editor, which loses a picture that comes as it opens
    page.locator("#start input[type=file]").first.set_input_files(str(tmp_path / "start.png"))
    unfold(page, "outpaint-box")
    expect(page.get_by_role("button", name="Brush Size")).to_be_visible()  # it has the picture
    page.wait_for_timeout(1000)
    number(page, "outpaint-right").fill("50")
    number(page, "outpaint-right").press("Enter")
    expect(page.locator("#outpaint-told")).to_contain_text("32 x 32 becomes about 48 x 32")
    draw(page, "a house")
    expect(page.locator("#gallery img")).to_have_count(1)
    expect(receipt(page)).to_contain_text(re.compile(r"outpaint \(?0.0, 0.0, 0.5, 0.0"))
    expect(page.locator("#receipt")).to_contain_text("strength 1.0")
    file = tmp_path / "drawn.png"
    file.write_bytes(page.request.get(page.locator("#picture img").get_attribute("src") or "").body())
    with Image.open(file) as after:
        assert after.size == (48, SIDE)
        assert after.crop((0, 0, 24, 32)).tobytes() == start.crop((0, 0, 24, 32)).tobytes()
    number(page, "outpaint-right").fill("0")
    restore(page, file)
    expect(page.locator("#restore-told")).to_contain_text("drawn from another picture")
    expect(number(page, "outpaint-right")).to_have_value("50")


@pytest.mark.parametrize(
    ("arguments", "words"),
    [
        ({"outpaint": [0.5, 0, 0, 0]}, "give that picture too"),
        ({"outpaint": [0.5]}, "must be four numbers"),
        ({"outpaint": ["a", 0, 0, 0]}, "must be four numbers"),
        ({"outpaint": [9, 0, 0, 0], "image": url_of(pixels(8, 8))}, "must be between"),
        ({"variation_strength": 2}, "variation_strength must be between"),
        ({"control_image": url_of(pixels(8, 8))}, "No ControlNet or T2I-Adapter is listed"),
        ({"control_image": url_of(pixels(8, 8)), "control_read": "depth"}, "can be read as edges, lines, as it is"),
    ],
)
def test_ways_that_can_not_be_are_answered_clearly(client: Client, arguments: dict[str, Any], words: str) -> None:
    with pytest.raises(AppError, match=words):
        drawn(client, prompt="a cat", **arguments)


@pytest.mark.browser
def test_what_the_model_would_see_is_shown_before_the_run(page: Page, tmp_path: Path) -> None:
    half = Image.new("RGB", (64, 64))
    half.paste("white", (0, 0, 32, 64))
    half.save(tmp_path / "half.png")
    unfold(page, "control-box")
    expect(page.locator("#control-note")).to_contain_text("Not for this engine: No ControlNet")
    page.locator("#model input").fill("sd-1.5")
    page.locator("#model input").press("Enter")
    expect(page.locator("#control-note")).to_contain_text("Put in a photo or a sketch")
    expect(page.locator("#control-kind input")).to_have_value("Edges (ControlNet)")
    page.locator("#control-source input[type=file]").set_input_files(str(tmp_path / "half.png"))
    shown = page.locator("#control-shown img")
    expect(shown).to_be_visible()
    edges = _fetched(page, shown)
    assert edges.size == (64, 64) and sum(edges.convert("L").histogram()[255:]) == 64, "one line, where the halves meet"
    before = shown.get_attribute("src") or ""
    page.get_by_label("As it is").check()
    expect(shown).not_to_have_attribute("src", before)
    assert _fetched(page, shown).convert("RGB").tobytes() == half.tobytes()


def _fetched(page: Page, image: Any) -> Image.Image:
    return Image.open(io.BytesIO(page.request.get(image.get_attribute("src") or "").body()))
