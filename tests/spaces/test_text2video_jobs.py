"""Hosted clips in a browser: told what they cost, agreed to, and found again by a server that was started anew."""

from __future__ import annotations

from pathlib import Path

import pytest
from playwright.sync_api import Browser, expect

from tests.support.browser import choose, visitor
from tests.support.fake_server import Act, serving
from tests.support.hosted import KEY
from tests.support.protocols_stories import Shots
from tests.support.protocols_video import WORKING, Provider
from tests.support.server import free_port, started


@pytest.mark.browser
def test_a_paid_clip_outlives_the_page_and_the_server(tmp_path: Path, browser: Browser) -> None:
    port = free_port()
    log = tmp_path / "log.txt"
    with serving(Act()) as fake, visitor(browser) as page:
        shots = Shots(states=dict.fromkeys(("a ball rolls", "a ball falls", "a ball rests"), WORKING))
        provider = Provider(shots, fake)
        env = {
            "PLAYGROUND_DATA": str(tmp_path / "data"), "PLAYGROUND_JOB_POLL": "0.2", "PLAYGROUND_SAFETY": "off",
            "RUNWAY_BASE_URL": fake.url, "RUNWAYML_API_SECRET": KEY,
        }  # fmt: skip
        with started("spaces/text2video/app.py", env=env, port=port, log=log) as server:
            page.goto(server.url)
            expect(page.locator("#make")).to_be_enabled()
            page.get_by_label("Hosted API").check()
            choose(page, "runway:gen4.5")
            page.locator("#prompt textarea").fill("a ball rolls")
            page.locator("#make").click()
            expect(page.locator("#quoted")).to_contain_text("$0.60")
            assert not provider.sent
            page.locator("#agree").click()
            expect(page.locator("#growing")).to_contain_text("at work")
            assert len(provider.sent) == 1
            page.get_by_role("tab", name="Storyboard").click()
            page.locator("#story-shots textarea").fill("a ball falls\na ball rests")
            page.locator("#story-run").click()
            expect(page.locator("#story-quoted")).to_contain_text("$1.20")
            assert len(provider.sent) == 1
            page.locator("#story-agree").click()
            expect(page.locator("#story-growing")).to_contain_text("at work")
            expect(page.locator("#story-quoted")).to_be_empty()
        assert len(provider.sent) == 3 and not provider.called_off
        with started("spaces/text2video/app.py", env=env, port=port) as server:
            page.goto(server.url)
            page.get_by_role("tab", name="Jobs").click()
            listed = page.locator("#jobs")
            expect(listed).to_contain_text("at the provider")
            del shots.states["a ball rolls"]
            expect(listed).to_contain_text("done")
            listed.locator("label").filter(has_text="a ball rolls").click()
            page.locator("#job-open").click()
            expect(page.locator("#job-film video")).to_be_visible()
            expect(page.locator("#job-told")).to_contain_text("$0.6")
            shots.states.clear()
            page.get_by_role("tab", name="Storyboard").click()
            page.locator("#story-open").click()
            expect(page.locator("#story-film video")).to_be_visible()
            expect(page.locator("#story-metrics")).to_contain_text("$1.2")
        assert len(provider.sent) == 3 and not provider.called_off
    assert KEY not in log.read_text("utf-8", "replace")
