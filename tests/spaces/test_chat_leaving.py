"""A person who stops or leaves in mid-answer: the engine stops, and the connection to the provider closes at once."""

from __future__ import annotations

import json
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager

import httpx
import psutil
import pytest
from playwright.sync_api import Browser, Page, expect

from tests.support.browser import PATIENCE, choose, says, send, visiting
from tests.support.fake_server import Act
from tests.support.protocols import DIALECTS, Completions, Dialect
from tests.support.providers import Providers, endless
from tests.support.server import Server

PROMPTLY = 1.0  # seconds, from leaving until the provider sees its connection closed
LONG = "Tell a very long story about a ship, with many chapters."
CALLER = """
import sys
from gradio_client import Client
client = Client(sys.argv[1], verbose=False, analytics_enabled=False)
job = client.submit(message="What is blue?", model=sys.argv[2], api_name="/chat")
for answer in job:
    print("came", flush=True)
"""


@contextmanager
def asking(space: Server, **request: object) -> Iterator[httpx.Response]:
    """Ask over plain HTTP; yields the answer's stream. The client hangs up when the block is left."""
    names = httpx.get(f"{space.url}/gradio_api/info").json()["named_endpoints"]["/chat"]["parameters"]
    values = [request.get(p["parameter_name"], p.get("parameter_default")) for p in names]
    body = json.dumps({"data": values})
    headers = {"Content-Type": "application/json"}
    event = httpx.post(f"{space.url}/gradio_api/call/chat", content=body, headers=headers).json()["event_id"]
    with httpx.stream("GET", f"{space.url}/gradio_api/call/chat/{event}", timeout=60) as answer:
        yield answer


def first_text(answer: httpx.Response) -> None:
    """Read until some of the answer has come."""
    assert any(line.startswith("data:") and json.loads(line[5:])[0]["text"] for line in answer.iter_lines())


def closes_promptly(played: Providers, dialect: Dialect, leave: Callable[[], object]) -> None:
    """Leave while the provider streams, and see when its connection closes."""
    fake = played[dialect]
    assert fake.streaming.wait(PATIENCE / 1000) and not fake.closed.is_set()
    left = time.monotonic()
    leave()
    assert fake.closed.wait(PATIENCE / 1000), "the provider still streams to nobody"
    assert fake.closed_at is not None and fake.closed_at - left <= PROMPTLY


@pytest.mark.parametrize("dialect", DIALECTS, ids=lambda d: d.backend)
def test_a_client_that_hangs_up_closes_the_provider_s_connection(
    dialect: Dialect, space: Server, played: Providers
) -> None:
    played.reset()
    played[dialect].act = endless(dialect)
    with asking(space, message="What is blue?", model=dialect.model) as answer:
        first_text(answer)
        closes_promptly(played, dialect, answer.close)


def test_a_gradio_client_that_is_killed_closes_the_provider_s_connection(space: Server, played: Providers) -> None:
    played.reset()
    one = Completions()
    played[one].act = endless(one)
    command = [sys.executable, "-c", CALLER, space.url, one.model]
    with subprocess.Popen(command, stdout=subprocess.PIPE, text=True) as caller:
        assert caller.stdout is not None
        assert caller.stdout.readline() == "came\n"
        closes_promptly(played, one, caller.kill)


def test_the_local_engine_stops_working_when_its_client_hangs_up(space: Server) -> None:
    process = psutil.Process(space.pid)
    with asking(space, message=LONG, max_tokens=3500, temperature=1.5) as answer:
        first_text(answer)
        working = busy(process)
    time.sleep(1)
    idle = busy(process)
    assert working > 0.15, "the engine was to be at work"
    assert idle < working / 3, f"it works on for nobody: {idle:.2f} of a core, {working:.2f} before"


def busy(process: psutil.Process, seconds: float = 1.0) -> float:
    """How much of a core the process uses meanwhile."""
    before = process.cpu_times()
    time.sleep(seconds)
    after = process.cpu_times()
    return (after.user + after.system - before.user - before.system) / seconds


@pytest.mark.browser
def test_a_page_closed_in_mid_answer_closes_the_provider_s_connection(
    browser: Browser, space: Server, played: Providers
) -> None:
    played.reset()
    one = Completions()
    played[one].act = endless(one)
    with visiting(browser, space.url) as page:
        choose(page, one.model)
        send(page, "What is blue?")
        says(page, "Blue is")
        closes_promptly(played, one, page.close)


@pytest.mark.browser
def test_stop_closes_the_provider_s_connection_and_keeps_what_came(page: Page, played: Providers) -> None:
    one = Completions()
    played[one].act = endless(one)
    choose(page, one.model)
    send(page, "What is blue?")
    says(page, "Blue is")
    closes_promptly(played, one, page.locator("#box .stop-button").click)
    says(page, "Stopped by you.")
    says(page, "Blue is")


@pytest.mark.browser
def test_stop_ends_a_lesson_and_the_box_is_ready_again(page: Page, played: Providers) -> None:
    one = Completions()
    played[one].act = endless(one)
    choose(page, one.model)
    page.get_by_role("button", name="Critique and revise").click()
    says(page, "Blue is")
    page.locator("#box .stop-button").click()
    says(page, "Stopped by you.")
    expect(page.locator("#box .submit-button")).to_be_visible()
    assert len(played[one].asked) == 1
    played.reset()
    send(page, "What is blue?")
    says(page, "Blue is a colour.")


@pytest.mark.browser
def test_stop_reaches_an_answer_that_has_not_begun(page: Page, played: Providers) -> None:
    one = Completions()
    played[one].act = Act(before="hang")
    choose(page, one.model)
    send(page, "What is blue?")
    assert played[one].arrived.wait(PATIENCE / 1000)
    page.locator("#box .stop-button").click()
    says(page, "Stopped by you.")
    expect(page.locator("#box .submit-button")).to_be_visible()
