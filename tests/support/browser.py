"""A person at the chat Space: a real browser, and what the hands do in it."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager

from playwright.sync_api import Browser, Locator, Page, Request, expect, sync_playwright

from tests.support.server import chromium

FLAGS = ["--no-sandbox", "--disable-gpu", "--disable-background-networking", "--no-first-run"]
SIZE = {"width": 1280, "height": 900}
PATIENCE = 60_000  # milliseconds: a busy machine answers late, and late is not wrong
expect.set_options(timeout=PATIENCE)


@contextmanager
def browsing() -> Iterator[Browser]:
    """A browser for the length of the block."""
    path = chromium()
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=path, args=FLAGS)
        try:
            yield browser
        finally:
            browser.close()


@contextmanager
def visitor(browser: Browser) -> Iterator[Page]:
    """A visitor of their own, with nothing in the browser's storage, on an empty page."""
    context = browser.new_context(viewport=SIZE)  # type: ignore[arg-type]
    try:
        yield context.new_page()
    finally:
        context.close()


@contextmanager
def visiting(browser: Browser, url: str) -> Iterator[Page]:
    """A new visitor on the chat's page at `url`."""
    with visitor(browser) as page:
        page.set_default_timeout(PATIENCE)
        arrive(page, url)
        yield page


def arrive(page: Page, url: str) -> None:
    """Open the page, and wait until its own first events, which show the last chat, are over."""
    ended: list[str] = []
    for how in ("requestfinished", "requestfailed"):  # the page breaks off its stream of events once all have come
        page.on(how, lambda request: ended.append(request.url) if "/queue/data" in request.url else None)  # type: ignore[call-overload]
    page.goto(url)
    deadline = time.monotonic() + PATIENCE / 1000
    while not ended:
        assert time.monotonic() < deadline, "the page's first events don't end"
        page.wait_for_timeout(20)


def box(page: Page) -> Locator:
    """Where a message is typed."""
    return page.locator("#box textarea")


def chat(page: Page) -> Locator:
    """The conversation as it is shown."""
    return page.locator("#chat")


def send(page: Page, text: str) -> None:
    """Type a message and press Enter, once the answer before it has ended."""
    expect(page.locator("#box .submit-button")).to_be_visible()
    page.wait_for_timeout(200)  # fingers are slower than this
    box(page).fill(text)
    box(page).press("Enter")


def says(page: Page, text: str) -> None:
    """Wait until the conversation holds the text."""
    expect(chat(page)).to_contain_text(text)


def choose(page: Page, model: str) -> None:
    """Type a model's name into the Model box, as somebody does who pastes it, and wait until the screen follows."""
    field = page.locator("#model input")
    with page.expect_event("requestfinished", call(2)):
        field.fill(model)  # the first call is for the engines and the note, the second for the settings
        field.press("Enter")
    expect(field).not_to_have_value("")


def call(number: int) -> Callable[[Request], bool]:
    """Whether a request is the one of that number to come which runs something of the page, but for the one by which a
    page that is first touched tells whose it is: that has one value."""
    calls = iter(range(1, 100))

    def is_it(request: Request) -> bool:
        own = "/run/predict" in request.url and len((request.post_data_json or {}).get("data", [])) > 1
        return own and next(calls) == number

    return is_it


def attach(page: Page, name: str, content: bytes, media_type: str) -> None:
    """Attach a file to the message."""
    page.locator("#box input[type=file]").set_input_files(
        {"name": name, "mimeType": media_type, "buffer": content}  # type: ignore[arg-type]
    )
    expect(page.locator("#box .thumbnail-item, #box .thumbnails").first).to_be_visible()


def kept(page: Page) -> None:
    """Wait until the conversation as it now is stands in the browser's own storage."""
    stored = "() => localStorage.getItem('genai-playgrounds-chats')"
    before = None
    while (now := page.evaluate(stored)) is None or now != before:
        before = now
        page.wait_for_timeout(400)


def open_tab(page: Page, name: str) -> None:
    """Open a tab, on a narrow page from the menu of those that have no room."""
    tab, more = page.get_by_role("tab", name=name), page.locator(".overflow-menu > button")
    expect(tab.or_(more).first).to_be_visible()
    if tab.is_visible():
        tab.click()
        return
    more.click()
    page.locator(".overflow-dropdown button", has_text=name).click()
