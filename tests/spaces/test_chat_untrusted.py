"""A model's words are not to be trusted: in a real browser nothing in them runs, and nothing they name is fetched."""

from __future__ import annotations

import re
import threading
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

import pytest
from playwright.sync_api import Page, expect

from tests.support.browser import arrive, chat, choose, kept, says, send
from tests.support.fake_server import Act
from tests.support.protocols import Completions, Messages, data, named
from tests.support.providers import Providers, saying

pytestmark = pytest.mark.browser
ONE = Completions()
LAST = "That was all of it."
# {0} is a server that counts who calls; `pwned()` counts what runs.
ATTACKS = (
    "<script>pwned()</script>",
    "<img src={0}/tag.png onerror=pwned()>",
    "<img src=x onerror=pwned()>",
    "<svg onload=pwned()><image href={0}/svg.png /></svg>",
    "<iframe src={0}/frame srcdoc='<script>parent.pwned()</script>'></iframe>",
    "<style>@import url({0}/style.css); .prose {{ background: url({0}/background.png) }}</style>",
    "<link rel=stylesheet href={0}/link.css><audio src={0}/a.wav autoplay></audio><video poster={0}/v.png></video>",
    "<details open ontoggle=pwned()>open</details><input autofocus onfocus=pwned()>",
    "![inline]({0}/inline.png)",
    "![titled]({0}/titled.png 'onerror=pwned()')",
    "![reference][pic]\n\n[pic]: {0}/reference.png",
    "![pic]\n\n![][pic]",
    "[![nested]({0}/nested.png)]({0}/outer)",
    "![a![b]({0}/inner.png)]({0}/around.png)",
    "!\\[x]({0}/escaped.png) \\![y]({0}/backslash.png)",
    "<a href='javascript:pwned()'>tag</a> [link](javascript:pwned()) [case](JaVaScRiPt:pwned())",
    "[data](data:text/html;base64,PHNjcmlwdD5wYXJlbnQucHduZWQoKTwvc2NyaXB0Pg==) <javascript:pwned()>",
    "&lt;img src={0}/entity.png&gt; &#33;[x]({0}/entity2.png)",
    "`code` <img src={0}/after-code.png> ``` ![x]({0}/open-fence.png)",
    "| a | b |\n|---|---|\n| <img src={0}/cell.png> | ![c]({0}/cell2.png) |",
    "$$\\includegraphics{{{0}/tex.png}} \\href{{javascript:pwned()}}{{x}}$$",
    "$$\\htmlStyle{{background:url({0}/k.png)}}{{x}} \\url{{javascript:pwned()}}$$",
    "```html\n<img src={0}/fenced.png onerror=pwned()>\n```",
    "```mermaid\ngraph TD; A[<img src={0}/mermaid.png onerror=pwned()>] --> B\n```",
)


@pytest.fixture
def listener() -> Iterator[tuple[str, list[str]]]:
    """A server that nobody has any business with, and what it was asked for."""
    hits: list[str] = []

    class Handler(BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            hits.append(self.path)
            self.send_response(204)
            self.end_headers()

        def log_message(self, format: str, *args: object) -> None:
            """Nothing."""

    server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    threading.Thread(target=server.serve_forever, args=(0.05,), daemon=True).start()
    yield f"http://127.0.0.1:{server.server_port}", hits
    server.shutdown()
    server.server_close()


def attacks(address: str) -> list[str]:
    return [attack.format(address) + "\n\n" for attack in ATTACKS]


def watch(page: Page) -> list[str]:
    """What ran. The page itself counts, from its first line on."""
    ran: list[str] = []
    page.expose_function("pwned", lambda: ran.append("script"))
    page.on("dialog", lambda dialog: (ran.append("dialog"), dialog.dismiss()))
    return ran


def harmless(page: Page) -> None:
    """Nothing in the page could run or fetch, once somebody clicks on it."""
    hostile = "[src^='http'], [onerror], [onload], [onfocus], [ontoggle], iframe, object, embed"
    for root in ("#chat .prose", ".pg-column .prose"):
        expect(page.locator(root).locator(hostile)).to_have_count(0)
        expect(page.locator(f"{root} img, {root} script, {root} link, {root} :not(svg) > style")).to_have_count(0)
        for link in page.locator(f"{root} a[href]").all():
            assert re.match(r"https?:|mailto:|#", str(link.get_attribute("href"))), link.get_attribute("href")


def test_hostile_words_neither_run_nor_fetch(page: Page, played: Providers, listener: tuple[str, list[str]]) -> None:
    address, hits = listener
    ran = watch(page)
    words = [piece for attack in attacks(address) for piece in (attack[: len(attack) // 2], attack[len(attack) // 2 :])]
    played[ONE].act = saying(*words, LAST, pause=0.04)
    choose(page, ONE.model)
    send(page, attacks(address)[1] + attacks(address)[8])  # what a person pastes is shown as well
    says(page, LAST)
    says(page, "Receipt:")
    harmless(page)
    kept(page)
    arrive(page, page.url)
    says(page, LAST)
    harmless(page)
    for shown in ("<script>pwned()</script>", "<img src=x onerror=pwned()>", "!inline"):
        expect(chat(page)).to_contain_text(shown)  # the words themselves are not lost
    page.wait_for_timeout(500)
    assert (hits, ran) == ([], [])


def test_hostile_thinking_names_and_errors_neither_run_nor_fetch(
    page: Page, played: Providers, listener: tuple[str, list[str]]
) -> None:
    address, hits = listener
    ran = watch(page)
    hostile = "".join(attacks(address))
    thinker = Messages()
    begun = thinker._block(type="thinking", thinking="", signature="")
    thought = [begun, thinker._delta(type="thinking_delta", thinking=hostile)]
    played[thinker].act = Act(chunks=named(thinker._start(), *thought, *thinker._end("end_turn")))
    choose(page, thinker.model)
    send(page, "Think.")
    page.get_by_role("button", name="Thinking").first.click()
    says(page, "!inline")
    harmless(page)
    for short in ("<img src={0}/error.png onerror=pwned()>", "![error]({0}/error2.png)"):
        played[ONE].act = ONE.error(400, short.format(address))
        choose(page, f"{ONE.model}<img src={address}/name.png onerror=pwned()>")
        send(page, "Fail.")
        says(page, "Not answered.")
        says(page, "error")
        harmless(page)
    page.wait_for_timeout(500)
    assert (hits, ran) == ([], [])


def test_hostile_words_side_by_side_and_looked_into(
    page: Page, played: Providers, listener: tuple[str, list[str]]
) -> None:
    address, hits = listener
    ran = watch(page)
    hostile = attacks(address)
    answer = [ONE._word(word, tokens=True) for word in (*hostile, LAST)]
    for chunk, word in zip(answer, (*hostile, LAST), strict=True):
        chunk["choices"][0]["logprobs"]["content"][0]["top_logprobs"][1]["token"] = word
    played[ONE].act = Act(chunks=(*data(*answer, ONE._chunk({}, "stop")), "data: [DONE]\n\n"))
    choose(page, ONE.model)
    send(page, "Hello.")
    says(page, LAST)
    page.get_by_role("tab", name="Look inside").click()
    page.locator("#look").click()
    page.locator("#tokens .token").nth(2).click()
    expect(page.locator("#others label").first).to_be_visible()
    thinker = Messages()
    begun = [thinker._block(type="text", text=""), *map(thinker._word, (*hostile, LAST))]
    played[thinker].act = Act(chunks=named(thinker._start(), *begun, *thinker._end("end_turn")))
    page.get_by_role("tab", name="Compare").click()
    for place in (0, 1):
        page.locator(f"#engine-{place} input").fill("Haiku")
        page.get_by_role("option", name="Claude Haiku").first.click()
    page.locator("#compare-prompt textarea").fill("Hello.")
    page.locator("#compare-run").click()
    expect(page.locator("#answer-1")).to_contain_text(LAST)
    harmless(page)
    page.wait_for_timeout(500)
    assert (hits, ran) == ([], [])
