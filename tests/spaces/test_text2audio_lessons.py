"""A lesson comes onto the audio Space's screen by one click, onto the tab of its task, its runs one after another."""

from __future__ import annotations

from collections.abc import Iterator

import pytest
from playwright.sync_api import Browser, Page, expect

from tests.support.browser import visitor
from tests.support.lessons import begin, choose

pytestmark = pytest.mark.browser


@pytest.fixture
def page(audio_url: str, browser: Browser) -> Iterator[Page]:
    with visitor(browser) as opened:
        opened.goto(audio_url)
        expect(opened.locator("#speak")).to_be_enabled()
        opened.get_by_role("button", name="Lessons").click()
        yield opened


def test_lessons_set_the_screen_of_their_task(page: Page) -> None:
    begin(page, "Dull, daring, random")
    expect(page.locator("#compose-prompt textarea")).to_have_value("a lively jig in G")
    expect(page.locator("#compose-temperature input[type=number]")).to_have_value("0.2")
    expect(page.locator("#compose-bars textarea, #compose-bars input")).to_have_value("8")
    expect(page.locator("#set-speed")).to_be_hidden()
    choose(page, "Too much")
    expect(page.locator("#compose-temperature input[type=number]")).to_have_value("1.8")
    begin(page, "A dialogue")
    expect(page.locator("#lesson-question")).to_contain_text("people who listen to each other?")
    expect(page.locator("#set-speakers textarea")).to_have_value("Ann: heart-high\nBen: heart-low")
    begin(page, "How fast is too fast")
    expect(page.locator("#set-speed input[type=number]")).to_have_value("0.6")
    expect(page.locator("#set-speakers textarea")).to_have_value("")
    choose(page, "Fast")
    expect(page.locator("#set-speed input[type=number]")).to_have_value("1.5")
    page.locator("#speak").click()
    expect(page.locator("#metrics")).to_contain_text("real time")
    page.locator("#receipt-box button").first.click()
    expect(page.locator("#receipt")).to_contain_text("speed 1.5")
