"""Look inside, Compare and the checks of the image Space, as people meet them in a browser."""

from __future__ import annotations

import base64
import io
import re
from collections.abc import Iterator
from pathlib import Path

import pytest
from gradio_client import Client
from PIL import Image
from PIL.ImageFilter import GaussianBlur
from playwright.sync_api import Browser, Page, expect

from tests.support.browser import visitor
from tests.support.pictures import encoded, pixels
from tests.support.server import Server

pytestmark = pytest.mark.browser
PHONE = {"width": 390, "height": 844}
INSIDE = ("Steps", "Words", "Between", "Guidance", "Noise")


@pytest.fixture(scope="module")
def page(image_space: Server, browser: Browser) -> Iterator[Page]:
    """One visitor for all of these tests: each has a tab of its own."""
    with visitor(browser) as opened:
        opened.goto(image_space.url)
        expect(opened.locator("#draw")).to_be_enabled()
        opened.locator("#set-num_inference_steps input[type=number]").fill("3")
        yield opened


def tab(page: Page, *names: str) -> None:
    for name in names:
        page.get_by_role("tab", name=name, exact=True).click()


def fill(page: Page, name: str, text: str) -> None:
    page.locator(f"#{name} textarea, #{name} input").first.fill(text)


def run(page: Page, name: str) -> None:
    page.locator(f"#{name}-run").click()


def test_each_word_has_its_map_over_the_picture(page: Page) -> None:
    tab(page, "Look inside", "Words")
    fill(page, "inside-prompt", "a red apple")
    run(page, "words")
    maps = page.locator("#words-maps")
    expect(maps.locator("img")).to_have_count(4)
    for word in ("The picture", "a · ", "red · ", "apple · "):
        expect(maps).to_contain_text(word)
    expect(page.locator("#words-run")).to_be_visible()


def test_the_way_between_two_prompts_is_a_strip_and_files_to_keep(page: Page, tmp_path: Path) -> None:
    tab(page, "Look inside", "Between")
    run(page, "between")
    expect(page.locator("#between-told")).to_contain_text("something to go to")
    fill(page, "between-prompt", "a blue cat")
    fill(page, "between-seed", "9")
    page.locator("#between-count input[type=number]").fill("3")
    run(page, "between")
    expect(page.locator("#between-strip img")).to_have_count(3)
    expect(page.locator("#between-moving img")).to_be_visible()
    files = page.locator("#between-files a[download]")
    expect(files).to_have_count(3)  # WebP, GIF, and the GIF's settings
    with page.expect_download() as download:
        files.first.click()
    download.value.save_as(tmp_path / "way.webp")
    with Image.open(tmp_path / "way.webp") as shown:
        assert (shown.format, shown.n_frames) == ("WEBP", 4)


def test_guidance_is_swept_with_one_click(page: Page) -> None:
    tab(page, "Look inside", "Guidance")
    fill(page, "guidance-values", "1, 4")
    run(page, "guidance")
    expect(page.locator("#guidance-grid img")).to_have_count(2)
    expect(page.locator("#guidance-grid")).to_contain_text("dB like the first, SSIM")


def test_noise_curves_are_plotted(page: Page) -> None:
    tab(page, "Look inside", "Noise")
    fill(page, "noise-steps", "5, many")
    run(page, "noise")
    expect(page.locator("#noise-told")).to_contain_text("numbers of steps")
    fill(page, "noise-steps", "5, 10")
    run(page, "noise")
    expect(page.locator("#noise-plot canvas, #noise-plot svg.marks")).to_be_visible()
    expect(page.locator("#noise-told")).to_have_text("")


def test_one_prompt_over_attributes(page: Page) -> None:
    tab(page, "Compare", "Attributes")
    page.locator("#attributes-seeds input[type=number]").fill("2")
    run(page, "attributes")
    grid = page.locator("#attributes-grid")
    expect(grid.locator("img")).to_have_count(6)
    for words in ("(not said)", "young", "old"):
        expect(grid).to_contain_text(words)
    expect(page.locator("#attributes-run")).to_be_visible()


def test_two_sets_of_pictures_are_measured(page: Page) -> None:
    tab(page, "Compare", "Measure")
    whole = pixels(64, 48)
    for side, blur in (("first", 0), ("second", 2)):
        file = {"name": "a.png", "mimeType": "image/png", "buffer": encoded("PNG", whole.filter(GaussianBlur(blur)))}
        page.locator(f"#measure-{side} input[type=file]").set_input_files(file)  # type: ignore[arg-type]
        expect(page.locator(f"#measure-{side}")).to_contain_text(re.compile(r"a\s*\.png"))  # two parts
    page.get_by_label("FID and KID").check()
    run(page, "measure")
    table = page.locator("#measure-table")
    expect(table).to_contain_text("Mean of 1 pairs; dB")
    expect(table).to_contain_text("SSIM")
    expect(table).to_contain_text("compare two sets of 4 pictures or more; there are 1 and 1")
    expect(page.locator("#measure-run")).to_be_visible()


def test_stop_ends_a_grid(page: Page) -> None:
    tab(page, "Look inside", "Guidance")
    fill(page, "guidance-values", "1, 2, 4, 8, 16")
    page.locator("#set-num_inference_steps input[type=number]").fill("100")
    run(page, "guidance")
    expect(page.locator("#guidance-stop")).to_be_visible()
    page.locator("#guidance-stop").click()
    expect(page.locator("#guidance-run")).to_be_visible()
    assert page.locator("#guidance-grid img").count() < 5
    page.locator("#set-num_inference_steps input[type=number]").fill("3")


def test_words_are_checked_with_a_visitors_own_key(page: Page) -> None:
    tab(page, "Draw")
    page.get_by_role("button", name="Your keys").click()
    fill(page, "key", "sk-visitors-own")
    page.get_by_role("button", name="Use this key").click()
    expect(page.locator("#keys-status")).to_contain_text("OpenAI")
    fill(page, "prompt", "two knights fight")
    page.locator("#draw").click()
    told = page.locator("#told")
    expect(told).to_contain_text("takes this prompt for violence (90%), so nothing was drawn")
    expect(told).to_contain_text("You did nothing wrong")
    fill(page, "prompt", "a red apple")
    page.locator("#draw").click()
    expect(page.locator("#metrics")).to_contain_text("Steps/s")
    page.locator("#receipt-box button").first.click()
    expect(page.locator("#receipt")).to_contain_text("omni-moderation-latest) looked the words over")


def test_the_api_blends_two_prompts(image_space: Server) -> None:
    client = Client(image_space.url, verbose=False, analytics_enabled=False)
    asked = {"prompt": "a red apple", "seed": 3, "num_inference_steps": 2, "api_name": "/generate"}
    plain, start, half = (
        client.submit(**asked, **more).result(timeout=120)
        for more in ({}, {"blend_prompt": "a blue cat", "blend": 0}, {"blend_prompt": "a blue cat", "blend": 0.5})
    )
    client.close()
    pixels = [decoded(result["images"][0]) for result in (plain, start, half)]
    assert pixels[0] == pixels[1] != pixels[2]
    assert half["receipt"]["settings"]["blend"] == 0.5 and "a blue cat" not in str(half["receipt"])


def decoded(url: str) -> bytes:
    with Image.open(io.BytesIO(base64.b64decode(url.partition(",")[2]))) as image:
        return image.convert("RGB").tobytes()


def test_no_tab_is_wider_than_a_phone(image_space: Server, browser: Browser) -> None:
    context = browser.new_context(viewport=PHONE)  # type: ignore[arg-type]
    page = context.new_page()
    page.goto(image_space.url)
    for top, names in (("Compare", ("Grid", "Attributes", "Measure")), ("Look inside", INSIDE)):
        tab(page, top)
        for name in names:
            tab(page, name)
            page.wait_for_timeout(150)
            assert page.evaluate("document.documentElement.scrollWidth") <= PHONE["width"], name
    context.close()
