"""What people hand on, as they meet it: a link opens another's browser with the settings, a page shows the output."""

from __future__ import annotations

import urllib.error
import urllib.request

import pytest
from playwright.sync_api import Browser, expect

from tests.support.browser import visitor
from tests.support.server import Server


@pytest.mark.browser
def test_a_link_opens_with_its_settings_and_a_page_shows_the_output_until_it_is_taken_back(
    image_space: Server, browser: Browser
) -> None:
    with visitor(browser) as page:
        page.goto(image_space.url)
        page.locator("#prompt textarea").fill("a red apple <b>on</b> ice")
        page.locator("#set-seed input, #set-seed textarea").first.fill("41")
        page.locator("#restore-link").click()
        expect(page.locator("#restore-shared")).to_contain_text("make something first")
        page.locator("#draw").click()
        expect(page.locator("#receipt-box")).to_be_visible()
        page.locator("#restore-link").click()
        address = page.locator("#restore-url textarea, #restore-url input").first
        expect(address).not_to_have_value("")
        link = address.input_value()
        assert link.startswith(f"{image_space.url}/#restore=restore.z") and "apple" not in link
        page.locator("#restore-share").click()
        expect(page.locator("#restore-shared")).to_contain_text("Take it back")
        expect(address).not_to_have_value(link)
        shown = address.input_value()
        with visitor(browser) as other:
            errors: list[str] = []
            other.on("console", lambda message: errors.append(message.text) if message.type == "error" else None)
            other.goto(shown)
            expect(other.locator("blockquote")).to_have_text("a red apple <b>on</b> ice")
            assert other.locator("main img").evaluate("image => image.naturalWidth") > 8
            expect(other.locator("table")).to_contain_text("41 (repeats exactly)")
            other.get_by_text("Open these settings").click()
            expect(other.locator("#prompt textarea")).to_have_value("a red apple <b>on</b> ice")
            expect(other.locator("#set-seed input, #set-seed textarea").first).to_have_value("41")
            expect(other.locator("#restore-told")).to_contain_text("nothing runs before you say so")
            assert not [each for each in errors if "Content Security" in each]
        with visitor(browser) as third:
            third.goto(link)
            expect(third.locator("#set-seed input, #set-seed textarea").first).to_have_value("41")
        page.locator("#shared-box button").first.click()
        page.locator("#shared-pages label").first.click()
        page.locator("#take-back").click()
        expect(page.locator("#shared-box")).to_contain_text("its file is deleted")
    for gone in (shown, f"{shown}/file"):
        with pytest.raises(urllib.error.HTTPError, match="404"):
            urllib.request.urlopen(gone, timeout=30)


@pytest.mark.browser
def test_a_history_is_ones_own_puts_a_run_back_is_saved_and_deleted(image_space: Server, browser: Browser) -> None:
    with visitor(browser) as page:
        page.goto(image_space.url)
        seed = page.locator("#set-seed input, #set-seed textarea").first
        page.locator("#prompt textarea").fill("a red apple")
        seed.fill("42")
        page.locator("#draw").click()
        expect(page.locator("#receipt-box")).to_be_visible()
        page.reload()  # it is known again
        page.get_by_role("tab", name="History").click()
        history = page.locator("#history")
        expect(history.locator("tbody tr")).to_have_count(1)
        expect(history.locator("tbody tr")).to_contain_text("Picture")
        with page.expect_download() as saved:
            history.get_by_role("button", name="Download as CSV").click()
        lines = saved.value.path().read_text("utf-8").splitlines()
        assert len(lines) == 2 and lines[1].endswith(",42") and "text-to-image" in lines[1]
        page.set_viewport_size({"width": 390, "height": 800})
        assert page.evaluate("document.documentElement.scrollWidth <= innerWidth")
        page.get_by_role("tab", name="Draw").click()
        page.locator("#prompt textarea").fill("words of mine")
        page.get_by_role("tab", name="History").click()
        history.get_by_role("button", name="Put back").click()
        expect(seed).to_have_value("42")
        expect(page.locator("#restore-told")).to_contain_text("words aren't kept")
        expect(page.locator("#prompt textarea")).to_have_value("words of mine")
        with visitor(browser) as other:
            other.goto(image_space.url)
            other.get_by_role("tab", name="History").click()
            expect(other.locator("#history")).to_contain_text("Nothing yet")
        page.get_by_role("tab", name="History").click()
        history.get_by_text("Delete my history").click()
        history.get_by_role("button", name="Delete all of it").click()
        expect(history).to_contain_text("Deleted: 1 run")
