"""A lesson comes onto the image Space's screen by one click, and its runs one after another."""

from __future__ import annotations

import io
from collections.abc import Iterator

import pytest
from PIL import Image
from playwright.sync_api import Browser, Page, expect

from tests.support.browser import visitor
from tests.support.lessons import answer, begin, choose, go_on
from tests.support.server import Server

pytestmark = pytest.mark.browser


@pytest.fixture
def page(image_space: Server, browser: Browser) -> Iterator[Page]:
    with visitor(browser) as opened:
        opened.goto(image_space.url)
        expect(opened.locator("#draw")).to_be_enabled()
        opened.get_by_role("button", name="Lessons").click()
        yield opened


def draw(page: Page) -> None:
    """Draw to the end, and open the receipt."""
    kept = page.locator("#gallery img").count()
    page.locator("#draw").click()
    expect(page.locator("#gallery img")).to_have_count(kept + 1)  # Stop may be gone before it is seen
    box = page.locator("#receipt-box button").first
    expect(box).to_be_visible()
    expect(page.locator("#draw")).to_be_visible()
    if page.locator("#receipt").is_hidden():
        box.click()


def shows(page: Page, prompt: str, **settings: str) -> None:
    expect(page.locator("#prompt textarea")).to_have_value(prompt)
    for name, value in settings.items():
        kind = "[type=number]" if name not in ("seed", "scheduler") else ""
        expect(page.locator(f"#set-{name} input{kind}, #set-{name} textarea").first).to_have_value(value)


def test_each_run_of_a_lesson_sets_the_screen_and_is_drawn(page: Page) -> None:
    page.get_by_role("tab", name="Compare", exact=True).click()
    begin(page, "Steps and schedulers")
    expect(page.locator("#prompt")).to_be_visible()  # the Draw tab is shown
    expect(page.locator("#lesson-question")).to_contain_text("What can be seen after two steps")
    shows(page, "a red apple", num_inference_steps="2", seed="5", scheduler="Model's own")
    draw(page)
    expect(page.locator("#receipt")).to_contain_text("num_inference_steps 2")
    choose(page, "30 steps of another kind")
    shows(page, "a red apple", num_inference_steps="30", scheduler="Euler a")
    draw(page)
    expect(page.locator("#receipt")).to_contain_text("EulerAncestralDiscreteScheduler")
    expect(page.locator("#gallery img")).to_have_count(2)


def test_what_a_lesson_leaves_open_is_the_models_own_again(page: Page) -> None:
    begin(page, "Guidance")
    choose(page, "Very much")
    shows(page, "a blue car", guidance_scale="15", seed="3")
    begin(page, "Say what you want to see")
    shows(page, "an apple", guidance_scale="6", seed="7")
    choose(page, "A number")
    shows(page, "two apples", seed="7")
    begin(page, "Where a picture comes from")
    shows(page, "a birthday cake", seed="21")


def picture(page: Page) -> bytes:
    """The pixels of the finished picture."""
    draw(page)
    address = page.locator("#picture img").get_attribute("src") or ""
    return Image.open(io.BytesIO(page.request.get(address).body())).convert("RGB").tobytes()


def test_a_lesson_brings_its_start_picture_and_the_next_takes_it_away(page: Page) -> None:
    begin(page, "Seeds and chance")
    of_words_alone = picture(page)
    begin(page, "From a picture")
    expect(page.locator("#start canvas").first).to_be_visible()
    shows(page, "a red apple", strength="0.3")
    of_a_picture = picture(page)
    expect(page.locator("#receipt")).to_contain_text("strength 0.3")
    choose(page, "Almost anew")
    shows(page, "a red apple", strength="0.9")
    assert picture(page) != of_a_picture
    begin(page, "Seeds and chance")
    expect(page.locator("#start")).to_be_hidden()
    shows(page, "a cat", strength="0.6", seed="1")
    assert picture(page) == of_words_alone


def test_a_path_is_gone_step_by_step_and_what_was_answered_is_there_again_after_a_reload(page: Page) -> None:
    begin(page, "Guidance")
    expect(page.locator("#lesson-question")).to_contain_text("Step 1 of 5")
    answer(page, "A <b>blue</b> cloud")
    go_on(page, "2 of 5")
    shows(page, "a blue car", guidance_scale="6")  # the next run is on the screen
    go_on(page, "3 of 5")
    answer(page, "More steps are made, and each adds colour.")
    expect(page.locator("#lesson-because")).to_contain_text("Not quite: The guess is pushed")
    go_on(page, "4 of 5")
    answer(page, "About twice the time for each step")
    expect(page.locator("#lesson-because")).to_contain_text("Right. The model runs twice a step")
    expect(page.locator("#lesson-run")).to_contain_text("Question 1 ✓")
    go_on(page, "5 of 5")
    expect(page.locator("#lesson-because")).to_contain_text("3 of 5 steps are answered.")
    page.wait_for_function("() => localStorage.getItem('genai-playgrounds-lessons-text-to-image')?.length > 40")
    page.reload()
    expect(page.locator("#draw")).to_be_enabled()
    page.get_by_role("button", name="Lessons").click()
    begin(page, "Guidance · 3 of 5")
    expect(page.locator("#lesson-question")).to_contain_text("Step 2 of 5")  # the first that isn't answered
    choose(page, "Hardly any ✓")
    expect(page.locator("#lesson-answer textarea")).to_have_value("A <b>blue</b> cloud")
    with page.expect_download() as kept:
        page.locator("#lesson-save").click()
    told = kept.value.path().read_text(encoding="utf-8")
    assert kept.value.suggested_filename == "my-answers.md" and "> A <b>blue</b> cloud" in told
    assert "3 of 5 steps answered." in told and "Right. The model runs twice a step" in told
