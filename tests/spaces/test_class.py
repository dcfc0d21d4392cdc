"""A class in real browsers: a student joins and works, the teacher leads; and the class outlives its server."""

from __future__ import annotations

import re
import signal
import time
from collections.abc import Iterator
from contextlib import AbstractContextManager
from os import kill
from pathlib import Path

import httpx
import pytest
from playwright.sync_api import Browser, Page, expect

from tests.support.browser import SIZE, browsing, send
from tests.support.server import Server, free_port, started
from tests.support.words import latin_words

PHRASE = "open-sesame"


def a_class(folder: Path, port: int = 0) -> AbstractContextManager[Server]:
    env = {"PLAYGROUND_CLASS": "1", "PLAYGROUND_CLASS_PASSPHRASE": PHRASE, "PLAYGROUND_DATA": str(folder)}
    return started("spaces/chat/app.py", path="/join", env=env, log=folder / "log.txt", port=port)


def code_in(folder: Path) -> str:
    """The code, as it was printed for the teacher; the passphrase that they set themselves is not."""
    end = time.monotonic() + 60
    while not (found := re.search(r"and type (\w+)\.", (folder / "log.txt").read_text())) and time.monotonic() < end:
        time.sleep(0.1)
    assert found and PHRASE not in (folder / "log.txt").read_text()
    return found[1]


@pytest.fixture(scope="module")
def browser() -> Iterator[Browser]:
    with browsing() as found:
        yield found


def fits(page: Page) -> bool:
    return bool(page.evaluate("document.documentElement.scrollWidth <= innerWidth"))


@pytest.mark.browser
def test_a_student_works_and_the_teacher_leads(browser: Browser, tmp_path: Path) -> None:
    with a_class(tmp_path) as server:
        desk = browser.new_context(viewport={"width": 390, "height": 844}).new_page()
        desk.goto(f"{server.url}/class/desk")
        desk.fill("#phrase", PHRASE)
        desk.click("button.main")
        expect(desk.locator("#code")).to_have_text(code_in(tmp_path))

        ada = browser.new_context(viewport=SIZE).new_page()  # type: ignore[arg-type]
        ada.goto(server.url)
        assert ada.url.endswith("/join")
        ada.fill("#code", code_in(tmp_path))
        ada.fill("#name", "<img src=x>Ada")
        ada.click("button.main")
        expect(ada.locator("#class-strip")).to_contain_text("Ada")
        expect(desk.locator("#people")).to_contain_text("<img src=x>Ada")  # as text
        assert desk.locator("#people img").count() == 0

        desk.fill("#text", "Ask it for a rhyme.")
        desk.click("#push")
        expect(ada.locator("#class-card")).to_contain_text("Ask it for a rhyme.")
        ada.get_by_role("button", name="Close").click()

        send(ada, "Say hello.")
        work = desk.locator("#works .work").first
        expect(work.locator("h3")).to_have_text("Say hello.")
        expect(desk.locator("#people")).to_contain_text("tokens")
        work.get_by_role("button", name="Hang up").click()
        assert fits(desk)

        desk.fill("#text", "")
        desk.select_option("#lesson", label="Zero-shot")
        desk.click("#push")
        ada.get_by_role("link", name="Begin the lesson").click()
        expect(ada.locator("#lesson-question")).to_contain_text("Did it answer in one word")
        assert "#" not in ada.url  # who loads the page again doesn't begin it again

        desk.click("[data-switch=frozen]")
        expect(ada.locator("#class-veil")).to_be_visible()
        expect(desk.locator("[data-switch=frozen]")).to_have_attribute("aria-pressed", "true")
        desk.click("[data-switch=frozen]")
        expect(ada.locator("#class-veil")).to_be_hidden()

        ada.goto(f"{server.url}/class/wall")
        expect(ada.locator("#works blockquote")).not_to_have_text("…")
        ada.get_by_role("button", name="Vote").click()
        expect(ada.get_by_role("button", name="Vote (1)")).to_be_visible()
        in_arabic(browser, server.url, code_in(tmp_path), work.get_attribute("data-id") or "")


def in_arabic(browser: Browser, url: str, code: str, work: str) -> None:
    """All that these pages say is written in Arabic's letters, but for names: what isn't was translated by nobody."""

    def words(page: Page, within: str = "body") -> list[str]:
        assert fits(page)
        expect(page.locator("html")).to_have_attribute("dir", "rtl")
        return latin_words(
            page, within, ("<img src=x>Ada", "Say hello.", model, code, f"{url}/join", "Zero-shot", "Few-shot")
        )

    told = browser.new_context(viewport={"width": 390, "height": 844}, locale="ar")
    desk, student = told.new_page(), browser.new_context(viewport=SIZE, locale="ar").new_page()  # type: ignore[arg-type]
    model = ""
    student.goto(f"{url}/join")
    assert words(student) == []
    student.fill("#code", "WRONG1")
    student.click("button.main")
    expect(student.locator("#trouble")).not_to_be_empty()
    assert words(student) == []
    student.fill("#code", code)
    student.fill("#name", "ليلى")
    student.click("button.main")

    desk.goto(f"{url}/class/desk")
    assert words(desk) == []
    desk.fill("#phrase", PHRASE)
    desk.click("button.main")
    expect(desk.locator("#people tr")).to_have_count(2)
    for _ in range(12):
        assert desk.request.post(f"{url}/class/api/join", data={"code": "WRONG1"}).status == 403
    expect(desk.locator("#guessed")).to_be_visible()
    model = desk.request.get(f"{url}/class/api/works").json()["works"][0]["model"]
    assert words(desk) == []
    desk.select_option("#lesson", index=1)
    desk.locator(f"[data-id='{work}'] button").nth(1).click()  # to the projector
    desk.click("#push")
    expect(student.locator("#class-card a")).to_be_visible()
    assert words(student, "#class-card") == words(student, "#class-strip") == []
    for page in ("wall", "projector"):
        desk.goto(f"{url}/class/{page}")
        expect(desk.locator(".work").first).to_be_visible()
        assert words(desk) == [], page


def joined(url: str, code: str, name: str) -> httpx.Client:
    client = httpx.Client(base_url=url, timeout=60)
    assert client.post("/class/api/join", json={"code": code, "name": name}).status_code == 200
    return client


def test_a_class_outlives_a_server_that_is_killed_with_runs_in_flight(tmp_path: Path) -> None:
    port = free_port()
    with a_class(tmp_path, port) as server:
        url, code = server.url, code_in(tmp_path)
        people = [joined(url, code, f"Student {n}") for n in range(5)]
        teacher = httpx.Client(base_url=url, timeout=60)
        assert teacher.post("/class/api/unlock", json={"phrase": PHRASE}).status_code == 200
        assert teacher.post("/class/api/desk/set", json={"caps": {"tokens": 1e6}}).status_code == 200
        for person in people:
            for _ in range(4):
                said = {"message": "Count to a thousand.", "max_tokens": 1000}
                assert person.post("/gradio_api/call/v2/chat", json=said).status_code == 200
        end = time.monotonic() + 60
        while not (told := teacher.get("/class/api/desk").json())["spent"].get("tokens") and time.monotonic() < end:
            time.sleep(0.1)
        assert told["spent"]["tokens"]["reserved"] > 0
        kill(server.pid, signal.SIGKILL)
    with a_class(tmp_path, port) as server:
        names = {client.get("/class/api/me").json()["name"] for client in people}
        assert names == {f"Student {n}" for n in range(5)} and code_in(tmp_path) == code
        told = teacher.get("/class/api/desk").json()
        assert {p["name"] for p in told["people"]} == names
        assert told["facts"]["caps"] == {"tokens": 1e6} and told["spent"]["tokens"]["spent"] == 0
    for client in (*people, teacher):
        client.close()
