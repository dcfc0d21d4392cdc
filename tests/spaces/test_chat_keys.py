"""Keys: a visitor's own is used for their requests and found nowhere else; the server's go to its providers alone."""

from __future__ import annotations

import re
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest
from gradio_client import Client
from gradio_client.exceptions import AppError
from playwright.sync_api import Browser, Page, expect

from tests.support.browser import browsing, chat, choose, says, send, visiting
from tests.support.fake_server import Act, FakeServer, serving
from tests.support.protocols import Completions, Messages
from tests.support.providers import KEY, Providers, providers
from tests.support.server import Server, started
from tests.support.tee import Tee, tee

pytestmark = pytest.mark.browser
ONE = Completions()
RECEIPT = re.compile("^Receipt")
MODEL = "mistral:some-model"  # a provider for which the server has no key
MINE = "sk-mine-Zq7TtYxW0123456789abcdef"
PIECES = (MINE, MINE[8:20], MINE[-12:])  # a part of a key is a leak as well


@pytest.fixture(scope="module")
def mistral() -> Iterator[FakeServer]:
    with serving(Act(chunks=ONE.answer())) as fake:
        yield fake


@pytest.fixture(scope="module")
def played() -> Iterator[Providers]:
    with providers() as servers:
        yield servers


@pytest.fixture(scope="module")
def home(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The one place that the server can write to without being told another."""
    return tmp_path_factory.mktemp("home")


@pytest.fixture(scope="module")
def space(mistral: FakeServer, played: Providers, home: Path) -> Iterator[Server]:
    places = {name: str(home) for name in ("HOME", "TMPDIR", "GRADIO_TEMP_DIR", "PLAYGROUND_DATA", "XDG_CACHE_HOME")}
    env = {**played.environment(), "MISTRAL_BASE_URL": ONE.base_url(mistral.url), "CUSTOM_API_KEY": KEY, **places}
    with started("spaces/chat/app.py", env=env, log=home / "log.txt") as server:
        yield server


@pytest.fixture(scope="module")
def browser() -> Iterator[Browser]:
    with browsing() as opened:
        yield opened


@pytest.fixture(autouse=True)
def fresh(mistral: FakeServer, played: Providers) -> None:
    mistral.reset(Act(chunks=ONE.answer()))
    played.reset()


@contextmanager
def visitor(browser: Browser, space: Server) -> Iterator[tuple[Page, Tee]]:
    """Somebody new, and all that the server sends to them."""
    with tee(space.url) as between, visiting(browser, between.url) as page:
        yield page, between


def use_key(page: Page, key: str, provider: str) -> None:
    field = page.locator("#key input")
    if not field.is_visible():
        page.get_by_role("button", name="Your keys ▼").click()
    page.get_by_label("Provider", exact=True).click()
    page.get_by_role("option", name=provider, exact=True).click()
    field.fill(key)
    page.get_by_role("button", name="Use this key").click()
    expect(page.locator("#keys-status")).to_contain_text(f"Yours, for this session: {provider}.")
    expect(field).to_have_value("")


def test_a_visitor_s_key_is_used_and_found_nowhere_else(
    browser: Browser, space: Server, mistral: FakeServer, home: Path, tmp_path: Path
) -> None:
    with visitor(browser, space) as (page, between):
        use_key(page, MINE, "Mistral")
        choose(page, MODEL)
        send(page, "What is blue?")
        says(page, "Blue is a colour.")
        assert ONE.key_in(mistral.asked[-1]) == MINE
        for status in (401, 400, 422):
            mistral.act = ONE.error(
                status, f"Incorrect API key provided: {MINE}, in {{'Authorization': 'Bearer {MINE}'}}"
            )
            send(page, "And red?")
            expect(chat(page).get_by_text("Not answered.")).to_have_count({401: 1, 400: 2, 422: 3}[status])
        page.get_by_role("button", name=RECEIPT).first.click()
        files = [save(page, name, tmp_path / name) for name in ("Save as JSON", "Save as Markdown")]
        page.get_by_role("tab", name="Models").click()
        page.get_by_role("button", name="Ask the providers").click()
        expect(page.locator("#models-told")).to_contain_text("Mistral")
        stored = page.evaluate("JSON.stringify([{...localStorage}, {...sessionStorage}, document.cookie])")
        typed = page.evaluate("[...document.querySelectorAll('input, textarea')].map(e => e.value).join(' ')")
        own = [page.evaluate(f"fetch('{path}').then(r => r.text())") for path in ("/", "/config", "/gradio_api/info")]
        shown = [page.content(), stored, typed, *own, *files]
        sent = bytes(between.received)
    assert b"Blue is a colour." in sent and b"Your keys" in sent, "what the server sent can't be read"
    written = {path: path.read_bytes() for path in [*home.rglob("*"), *tmp_path.rglob("*")] if path.is_file()}
    assert home / "log.txt" in written
    for piece in PIECES:
        assert piece.encode() not in sent
        assert not [text for text in shown if piece in text]
        assert not [path for path, data in written.items() if piece.encode() in data]


def save(page: Page, name: str, to: Path) -> str:
    with page.expect_download() as download:
        page.get_by_role("button", name=name, exact=True).click()
    download.value.save_as(to)
    return to.read_text(encoding="utf-8")


def test_another_session_has_no_part_in_it_and_forgetting_works(
    browser: Browser, space: Server, mistral: FakeServer
) -> None:
    with visitor(browser, space) as (page, _), visitor(browser, space) as (other, _):
        use_key(page, MINE, "Mistral")
        choose(page, MODEL)
        choose(other, MODEL)
        send(page, "What is blue?")
        says(page, "Blue is a colour.")
        expect(other.locator("#engine-note")).to_contain_text("needs a key")
        send(other, "What is blue?")
        says(other, "needs a key. Type yours under “Your keys”")
        with pytest.raises(AppError, match="needs a key"):
            Client(space.url, verbose=False, analytics_enabled=False).predict("What is blue?", MODEL, api_name="/chat")
        assert [(each.path, ONE.key_in(each)) for each in mistral.asked] == [(ONE.path, MINE)]
        page.get_by_role("button", name="Forget my keys").click()
        expect(page.locator("#keys-status")).to_contain_text("Yours, for this session: none.")
        send(page, "And red?")
        says(page, "needs a key. Type yours under “Your keys”")
        assert len(mistral.asked) == 1


def test_a_visitor_s_key_goes_before_the_server_s_and_only_to_its_provider(
    browser: Browser, space: Server, played: Providers
) -> None:
    with visitor(browser, space) as (page, _):
        use_key(page, MINE, "Anthropic")
        for dialect, key in ((Messages(), MINE), (ONE, KEY)):
            choose(page, dialect.model)
            send(page, f"Hello, {dialect.backend}.")
            expect(page.get_by_role("button", name=RECEIPT)).to_have_count(1 if key == MINE else 2)
            assert [dialect.key_in(each) for each in played[dialect].asked] == [key]


def test_no_key_of_the_server_reaches_an_address_that_a_visitor_gives(browser: Browser, space: Server) -> None:
    with serving(Act(chunks=ONE.answer())) as own, visitor(browser, space) as (page, _):
        choose(page, f"llama@{own.url}/v1")
        send(page, "What is blue?")
        says(page, "Blue is a colour.")
        use_key(page, MINE, "A server of your own")
        send(page, "And red?")
        expect(page.get_by_role("button", name=RECEIPT)).to_have_count(2)
        assert KEY not in str([each.headers for each in own.asked])
        assert [ONE.key_in(each) for each in own.asked] == ["none", MINE]


def test_no_key_of_the_server_reaches_an_address_given_on_the_api(space: Server) -> None:
    with serving(Act(chunks=ONE.answer())) as own:
        client = Client(space.url, verbose=False, analytics_enabled=False)
        answer = client.predict("What is blue?", f"llama@{own.url}/v1", api_name="/chat")
        assert answer["text"] == "Blue is a colour."
        assert own.asked and KEY not in str([each.headers for each in own.asked])
