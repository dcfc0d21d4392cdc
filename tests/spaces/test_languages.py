"""A visitor's language in a real browser: Arabic from right to left on a phone, and the menu that changes it."""

from __future__ import annotations

import pytest
from playwright.sync_api import Browser, expect

from shared.languages.tongue import tongue
from tests.support.axe import faults
from tests.support.browser import PATIENCE, arrive
from tests.support.server import Server

pytestmark = pytest.mark.browser


def test_a_page_speaks_the_browsers_language_and_then_the_one_that_is_chosen(browser: Browser, space: Server) -> None:
    arabic, spanish = tongue("ar").text, tongue("es").text
    context = browser.new_context(locale="ar", viewport={"width": 390, "height": 800})
    try:
        page = context.new_page()
        page.set_default_timeout(PATIENCE)
        arrive(page, space.url)
        expect(page.locator("html")).to_have_attribute("dir", "rtl")
        expect(page.get_by_placeholder(arabic("Write a message"))).to_be_visible()
        expect(page.locator("#new-chat")).to_have_text(arabic("New chat"))
        expect(page.locator("#new-chat")).to_have_css("direction", "rtl")
        assert page.evaluate("document.documentElement.scrollWidth") <= 390
        assert faults(page) == []

        page.locator(".pg-language").select_option("es")
        expect(page.locator("html")).to_have_attribute("lang", "es")
        expect(page.locator("html")).to_have_attribute("dir", "ltr")
        expect(page.locator("#new-chat")).to_have_text(spanish("New chat"))
        expect(page.locator(".pg-language")).to_have_value("es")
        page.get_by_role("button", name=spanish("Save as Markdown"), exact=True).click()
        expect(page.get_by_text(spanish("There is nothing to save yet."))).to_be_visible()
    finally:
        context.close()
