"""The chat Space as people meet it: in a browser, and on its API."""

from __future__ import annotations

import json
import urllib.request
from collections.abc import Iterator

import pytest
from gradio_client import Client
from gradio_client.exceptions import AppError
from playwright.sync_api import Browser, Page, expect

from tests.support.browser import kept, send, visiting
from tests.support.server import running


@pytest.fixture(scope="module")
def url() -> Iterator[str]:
    with running("spaces/chat/app.py") as address:
        yield address


@pytest.fixture
def page(url: str, browser: Browser) -> Iterator[Page]:
    with visiting(browser, url) as opened:
        yield opened


@pytest.mark.browser
def test_first_answer_with_its_receipt(page: Page) -> None:
    send(page, "Say hello.")
    expect(page.locator("#chat")).to_contain_text("Receipt: SmolLM2 135M", timeout=60_000)
    expect(page.locator("#metrics")).to_contain_text("llama.cpp Q8_0")
    expect(page.locator("#box textarea")).to_have_value("")


@pytest.mark.browser
def test_an_answer_is_read_aloud(page: Page) -> None:
    page.locator("#read-aloud").click()
    expect(page.locator("#aloud-line")).to_contain_text("Ask something first")
    send(page, "Say hello.")
    expect(page.locator("#chat")).to_contain_text("Receipt: SmolLM2 135M", timeout=60_000)
    page.locator("#read-aloud").click()
    page.wait_for_function("() => pgSpeech.level() > 0.01")
    expect(page.locator("#aloud-line")).to_contain_text("real time")
    expect(page.locator("#aloud-sound audio")).to_have_count(1)
    assert page.evaluate("pgSpeech.told().words") > 0


@pytest.mark.browser
def test_stop_keeps_what_came(page: Page) -> None:
    send(page, "Tell a very long story about a ship, with many chapters.")
    stop = page.locator("#box button.stop-button")
    stop.click(timeout=30_000)
    expect(page.locator("#chat")).to_contain_text("Stopped by you.", timeout=30_000)


def test_the_page_opens_with_what_its_first_engine_can_follow(url: str) -> None:
    with urllib.request.urlopen(f"{url}/config") as answer:
        controls = {c["props"].get("label"): c["props"] for c in json.load(answer)["components"]}
    effort = controls["Thinking effort"]
    assert controls["Top k"]["interactive"] and not effort["interactive"]
    assert "Not for this engine" in effort["info"] and "as nearly as it can" in controls["Seed"]["info"]


@pytest.mark.browser
def test_switching_the_engine_keeps_the_conversation(page: Page) -> None:
    send(page, "Say hello.")
    expect(page.locator("#chat")).to_contain_text("Receipt: SmolLM2 135M", timeout=60_000)
    page.get_by_role("radio", name="Hosted API").check()
    expect(page.locator("#engine-note")).to_contain_text("needs a key", timeout=15_000)
    expect(page.locator("#chat")).to_contain_text("Say hello.")
    send(page, "And now?")
    expect(page.locator("#chat")).to_contain_text("Not answered.", timeout=30_000)
    page.get_by_role("radio", name="Quantized here").check()
    expect(page.locator("#engine-note")).to_contain_text("small starter model", timeout=15_000)
    send(page, "Say hello again.")
    expect(page.locator("#metrics")).to_contain_text("llama.cpp Q8_0", timeout=60_000)
    expect(page.locator("#chat")).to_contain_text("And now?")


@pytest.mark.browser
def test_compare_side_by_side_and_vote_blind(page: Page) -> None:
    page.get_by_role("tab", name="Compare").click()
    page.locator("#blind input").check()
    page.locator("#engine-1 input").click()  # the first already has this engine
    page.get_by_role("option", name="SmolLM2 135M (starter) · llama.cpp · Q4_1").click()
    page.locator("#compare-prompt textarea").fill("Say hello.")
    page.locator("#compare-run").click()
    vote = page.get_by_role("button", name="This one is better").first
    vote.click(timeout=90_000)
    expect(page.locator("#verdict")).to_contain_text("You chose SmolLM2", timeout=15_000)
    expect(page.locator("#line-1")).to_contain_text("Tokens/s")


@pytest.mark.browser
def test_look_inside_and_continue_from_another_token(page: Page) -> None:
    send(page, "Say hello.")
    expect(page.locator("#chat")).to_contain_text("Receipt: SmolLM2 135M", timeout=60_000)
    page.get_by_role("tab", name="Look inside").click()
    page.locator("#look").click()
    first = page.locator("#tokens .token").first
    first.click(timeout=60_000)
    page.locator("#others label").nth(1).click()
    page.locator("#branch").click()
    page.get_by_role("tab", name="Chat", exact=True).click()
    expect(page.locator("#version")).to_contain_text("Answer 3 of 3", timeout=60_000)


@pytest.mark.browser
def test_a_phone_shows_it_all_without_scrolling_sideways(page: Page) -> None:
    page.set_viewport_size({"width": 390, "height": 844})
    for tab in ("Chat", "Compare", "Look inside", "Models"):
        page.get_by_role("tab", name=tab, exact=True).click()
        assert page.evaluate("document.documentElement.scrollWidth") <= 390


@pytest.mark.browser
def test_a_reload_keeps_the_conversation(page: Page) -> None:
    send(page, "Say hello.")
    expect(page.locator("#chat")).to_contain_text("Receipt: SmolLM2 135M", timeout=60_000)
    kept(page)
    page.reload()
    expect(page.locator("#chat")).to_contain_text("Receipt: SmolLM2 135M", timeout=30_000)


def test_the_api_answers_and_lists_models(url: str) -> None:
    client = Client(url, verbose=False)
    answer = client.predict(message="Say hello.", max_tokens=16, api_name="/chat")
    assert answer["text"] and answer["receipt"]["starter"] is True
    models = client.predict(api_name="/models")
    assert any(m["id"] == "smollm2-135m" and m["runs_here"] for m in models)
    with pytest.raises(AppError, match="empty"):
        client.predict(message=" ", api_name="/chat")


def test_pages_refuse_remote_pictures(url: str) -> None:
    import urllib.request

    with urllib.request.urlopen(url) as answer:
        assert "img-src 'self'" in answer.headers["Content-Security-Policy"]
