"""axe-core finds no serious fault on any page: every tab of every Space, with what is folded opened, light and dark."""

from __future__ import annotations

from collections.abc import Iterator
from importlib.resources import files
from typing import Any

import pytest
from playwright.sync_api import Browser, Page, expect

from tests.support.browser import visitor
from tests.support.server import running

pytestmark = pytest.mark.browser
AXE = (files("axe_playwright_python") / "axe.min.js").read_text(encoding="utf-8")
RUN = """async () => (await axe.run(document, {resultTypes: ["violations"]})).violations
  .filter((rule) => ["serious", "critical"].includes(rule.impact))
  .flatMap((rule) => rule.nodes.map((node) => `${rule.id} at ${node.target.join(" ")}: ${node.html.slice(0, 200)}`))"""
UNFOLD = "() => document.querySelectorAll('button.label-wrap:not(.open)').forEach((each) => each.click())"
TABS = ".tab-container:not(.visually-hidden) button[role=tab]"
# What a page is known by, and a lesson of its own to begin.
SPACES = {
    "chat": ("#box", None),  # its lessons send at once
    "text2img": ("#draw", "Guidance"),
    "text2audio": ("#speak", "High and low"),
    "text2video": ("#make", "Why clips are small"),
    "3d": ("#make", "A thing made of clouds"),
}


@pytest.fixture(scope="module")
def hub(tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    """All Spaces, as a visitor without keys finds them."""
    with running("-m", "shared.ui.hub", path="/healthz") as address:
        yield address


@pytest.fixture
def page(browser: Browser) -> Iterator[Page]:
    with visitor(browser) as opened:
        yield opened


def faults(page: Page) -> list[Any]:
    page.wait_for_timeout(400)  # colours fade in; half-way they have too little contrast
    found: list[Any] = page.evaluate(RUN)
    return found


def test_axe_finds_what_is_wrong(page: Page) -> None:
    page.set_content("<img src='data:,'><p style='color: #ccc; background: #fff'>pale</p>")
    page.evaluate(AXE)
    assert {"color-contrast", "image-alt"} <= {each.split()[0] for each in faults(page)}


def test_the_landing_page(hub: str, page: Page) -> None:
    for theme in ("light", "dark"):
        page.goto(f"{hub}/?__theme={theme}")
        expect(page.locator(".pg-card").first).to_be_visible()
        page.evaluate(AXE)
        assert faults(page) == [], theme


@pytest.mark.parametrize("theme", ["light", "dark"])
@pytest.mark.parametrize("space", SPACES)
def test_every_tab_of_a_space(hub: str, page: Page, space: str, theme: str) -> None:
    known_by, lesson = SPACES[space]
    if theme == "dark":  # the narrow screen, once
        page.set_viewport_size({"width": 390, "height": 800})
    page.goto(f"{hub}/{space}/?__theme={theme}")
    expect(page.locator(known_by)).to_be_visible()
    page.evaluate(AXE)
    page.evaluate(UNFOLD)
    if lesson:
        page.locator("#lessons").get_by_role("button", name=lesson, exact=True).click()
        expect(page.locator("#lesson-question")).to_contain_text("Step 1 of")
    found = {}
    tabs = page.locator(TABS)
    for number in range(tabs.count()):
        tab = tabs.nth(number)
        name = tab.inner_text()
        tab.click()
        page.evaluate(UNFOLD)
        found[name] = faults(page)
    assert len(found) > 3 and {name: wrong for name, wrong in found.items() if wrong} == {}
