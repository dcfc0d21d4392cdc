"""axe-core finds no serious fault on any page: every tab of every Space, with what is folded opened, light and dark."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Literal

import pytest
from playwright.sync_api import Browser, Page, expect

from shared.classroom.made import Made
from tests.support.axe import faults
from tests.support.browser import visitor
from tests.support.class_server import PHRASE, a_class
from tests.support.pictures import encoded
from tests.support.server import running

pytestmark = pytest.mark.browser
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

# What a class may hang: a picture, words, a thing that no page shows. The last is put on the projector.
MADE = (
    Made(encoded(), "image/png", ".png"),
    Made(b"A rhyme in time.", "text/plain", ".txt"),
    Made(b"glTF", "model/gltf-binary", ".glb"),
)


@pytest.fixture(scope="module")
def hub(tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    """All Spaces, as a visitor without keys finds them."""
    with running("-m", "shared.ui.hub", path="/healthz") as address:
        yield address


@pytest.fixture
def page(browser: Browser) -> Iterator[Page]:
    with visitor(browser) as opened:
        yield opened


def test_axe_finds_what_is_wrong(page: Page) -> None:
    page.set_content("<img src='data:,'><p style='color: #ccc; background: #fff'>pale</p>")
    assert {"color-contrast", "image-alt"} <= {each.split()[0] for each in faults(page)}


def test_the_landing_page(hub: str, page: Page) -> None:
    for theme in ("light", "dark"):
        page.goto(f"{hub}/?__theme={theme}")
        expect(page.locator(".pg-card").first).to_be_visible()
        assert faults(page) == [], theme


@pytest.mark.parametrize("theme", ["light", "dark"])
@pytest.mark.parametrize("space", SPACES)
def test_every_tab_of_a_space(hub: str, page: Page, space: str, theme: str) -> None:
    known_by, lesson = SPACES[space]
    if theme == "dark":  # the narrow screen, once
        page.set_viewport_size({"width": 390, "height": 800})
    page.goto(f"{hub}/{space}/?__theme={theme}")
    expect(page.locator(known_by)).to_be_visible()
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


@pytest.mark.parametrize("theme", ["light", "dark"])
def test_the_pages_of_a_class(browser: Browser, page: Page, tmp_path: Path, theme: Literal["light", "dark"]) -> None:
    if theme == "dark":  # the narrow screen, once
        page.set_viewport_size({"width": 390, "height": 800})
    page.emulate_media(color_scheme=theme)
    found, too_wide = {}, []

    def look(name: str) -> None:
        found[name] = faults(page)
        if page.evaluate("document.documentElement.scrollWidth > innerWidth"):
            too_wide.append(name)

    with a_class(tmp_path) as (url, room):
        page.goto(f"{url}/join")
        look("door")
        page.fill("#code", "WRONG1")
        page.click("button.main")
        expect(page.locator("#trouble")).not_to_be_empty()
        look("a wrong code")
        page.fill("#code", room.room.facts.code)
        page.fill("#name", "Ada")
        page.click("button.main")
        expect(page.locator("#class-strip")).to_contain_text("Ada")
        (ada,) = room.room.people
        for number, made in enumerate(MADE):
            work = room.works.add(ada.id, "any", f"Work {number}", {"name": "A model", "seed": 7}, made, "shown")
        room.room.set(pushed={"id": "1", "text": "Draw a cat", "space": "/x/", "link": "/x/"}, paused=True)
        expect(page.locator("#class-card")).to_be_visible()
        look("a playground")
        strip, card = page.locator("#class-strip").bounding_box(), page.locator("#class-card").bounding_box()
        assert strip and card and card["x"] >= 0 and card["y"] + card["height"] <= strip["y"]
        room.room.set(frozen=True)
        expect(page.locator("#class-veil")).to_be_visible()
        look("frozen")
        room.room.set(frozen=False, shown=work)
        page.goto(f"{url}/class/wall")
        expect(page.locator("#works .work")).to_have_count(len(MADE))
        look("wall")
        page.goto(f"{url}/class/desk")
        look("unlock")
        page.fill("#phrase", PHRASE)
        page.click("button.main")
        expect(page.locator("#works .work")).to_have_count(len(MADE))
        expect(page.locator("#people")).to_contain_text("Ada")
        look("desk")
        page.goto(f"{url}/class/projector")
        expect(page.locator("#big .work")).to_be_visible()
        look("a work on the projector")
        room.room.set(shown="")
        expect(page.locator("#big")).to_be_hidden()
        look("projector")
    assert {name: wrong for name, wrong in found.items() if wrong} == {} and too_wide == []
