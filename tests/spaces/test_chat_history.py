"""A conversation over time: kept in the browser, saved as a file, changed, branched and deleted; by keyboard too."""

from __future__ import annotations

import json
from pathlib import Path

import pytest
from playwright.sync_api import Page, expect

from shared.chat.conversation import Conversation
from tests.support.browser import arrive, attach, box, chat, choose, kept, says, send
from tests.support.protocols import Completions
from tests.support.providers import Providers, saying

pytestmark = pytest.mark.browser
ONE = Completions()


def asked(played: Providers) -> list[str]:
    """What was said last to the provider, message by message."""
    return [message["content"] for message in played[ONE].asked[-1].body["messages"]]


def answered(page: Page, played: Providers, text: str, answer: str) -> None:
    """Send a message and wait for its answer's end."""
    played[ONE].act = saying(answer)
    send(page, text)
    says(page, answer)
    expect(page.locator("#box .submit-button")).to_be_visible()


def save(page: Page, name: str, to: Path) -> str:
    """Press the export button of that name and read the file that the browser saves."""
    with page.expect_download() as download:
        page.get_by_role("button", name=name, exact=True).click()
    download.value.save_as(to)
    return to.read_text(encoding="utf-8")


def test_history_is_kept_taken_out_and_deleted(page: Page, played: Providers, tmp_path: Path) -> None:
    choose(page, ONE.model)
    answered(page, played, "First question?", "First answer.")
    answered(page, played, "Second question?", "Second answer.")
    page.get_by_role("button", name="New chat").click()
    expect(chat(page)).not_to_contain_text("First question?")
    answered(page, played, "Another chat?", "Another answer.")
    assert asked(played) == ["Another chat?"]
    kept(page)
    arrive(page, page.url)
    says(page, "Another answer.")
    page.locator("#chats").get_by_text("First question?").click()
    says(page, "Second answer.")
    data = json.loads(save(page, "Save as JSON", tmp_path / "chat.json"))
    again = Conversation.from_dict(data)
    assert [n.text for n in again.path()] == ["First question?", "First answer.", "Second question?", "Second answer."]
    assert again.to_dict() == data
    assert all(n.receipt for n in again.path() if n.role == "assistant")
    markdown = save(page, "Save as Markdown", tmp_path / "chat.md")
    assert "## You\n\nSecond question?\n\n## Assistant\n\nSecond answer." in markdown
    page.get_by_role("button", name="Delete this chat").click()
    expect(page.locator("#chats")).not_to_contain_text("First question?")
    expect(chat(page)).not_to_contain_text("First answer.")
    kept(page)
    arrive(page, page.url)
    says(page, "Another answer.")
    expect(page.locator("#chats")).not_to_contain_text("First question?")


def test_a_changed_message_and_a_second_answer_are_branches(page: Page, played: Providers) -> None:
    choose(page, ONE.model)
    answered(page, played, "Is 1 <b a tag! [x]?", "First answer.")
    played[ONE].act = saying("Other answer.")
    page.get_by_role("button", name="Retry").click()
    says(page, "Other answer.")
    expect(page.locator("#version")).to_contain_text("Answer 2 of 2")
    page.locator("#older").click()
    says(page, "First answer.")
    expect(page.locator("#version")).to_contain_text("Answer 1 of 2")
    played[ONE].act = saying("Changed answer.")
    page.get_by_role("button", name="Edit").click()
    field = page.locator("#chat textarea")
    field.press("End")
    field.press_sequentially(" Or not?")
    page.get_by_role("button", name="Submit").first.click()
    says(page, "Changed answer.")
    expect(page.locator("#version")).to_contain_text("Message 2 of 2")
    assert asked(played) == ["Is 1 <b a tag! [x]? Or not?"]
    for button, answer, version in (
        ("#older", "Other answer.", "Answer 2 of 2"),
        ("#older", "First answer.", "Answer 1 of 2"),
        ("#older", "Changed answer.", "Message 2 of 2"),
        ("#newer", "First answer.", "Answer 1 of 2"),
    ):
        page.locator(button).click()
        says(page, answer)
        expect(page.locator("#version")).to_contain_text(version)
    kept(page)
    arrive(page, page.url)
    says(page, "First answer.")
    page.locator("#newer").click()
    says(page, "Other answer.")


def test_clearing_the_screen_begins_a_new_chat(page: Page, played: Providers) -> None:
    choose(page, ONE.model)
    answered(page, played, "First question?", "First answer.")
    page.get_by_role("button", name="Clear", exact=True).click()
    expect(chat(page)).not_to_contain_text("First question?")
    answered(page, played, "Second question?", "Second answer.")
    assert asked(played) == ["Second question?"]
    expect(page.locator("#chats")).to_contain_text("First question?")


def test_an_attached_text_is_sent_whole(page: Page, played: Providers) -> None:
    choose(page, ONE.model)
    attach(page, "notes.md", b"# Notes\n\n```\nx < 1\n```\n", "text/markdown")
    answered(page, played, "Sum this up.", "Done.")
    assert asked(played)[0].startswith("notes.md:\n````\n# Notes\n\n```\nx < 1\n```\n````\n\nSum this up.")


def test_the_keyboard_alone_is_enough(page: Page, played: Providers) -> None:
    played[ONE].act = saying("First answer.")
    choose(page, ONE.model)
    page.locator("body").click(position={"x": 2, "y": 2})
    for _ in range(40):
        page.keyboard.press("Tab")
        if box(page).evaluate("field => field === document.activeElement"):
            break
    page.keyboard.type("First question?")
    page.keyboard.press("Enter")
    log = page.get_by_role("log")
    expect(log).to_contain_text("First answer.")
    expect(log).to_have_attribute("aria-live", "polite")
    expect(page.locator("#metrics [role=status]")).to_contain_text("Tokens/s")
    expect(box(page)).to_have_value("")
    assert box(page).evaluate("field => field === document.activeElement"), "the next message can't be typed at once"


def test_every_control_has_a_name_for_a_screen_reader(page: Page, played: Providers) -> None:
    choose(page, ONE.model)
    answered(page, played, "First question?", "First answer.")
    for name in ("Settings ▼", "Your keys ▼", "More ▼"):
        page.get_by_role("button", name=name).click()
    for tab in ("Chat", "Compare", "Look inside", "Models"):
        page.get_by_role("tab", name=tab, exact=True).click()
        assert page.evaluate(NAMELESS) == [], tab
    assert page.evaluate("document.documentElement.lang"), "a screen reader must know the language"


NAMELESS = """() => [...document.querySelectorAll('button, input, textarea, select, [role=button], [role=combobox]')]
    .filter(e => !e.closest('.thought-group .arrow'))  // Gradio's: the fold around it is a button with a name
    .filter(e => e.checkVisibility() && e.type !== 'file' && e.type !== 'hidden')
    .filter(e => !(e.getAttribute('aria-label') || e.title || e.textContent.trim() || e.placeholder
        || [...(e.labels || [])].some(label => label.textContent.trim())
        || document.getElementById(e.getAttribute('aria-labelledby'))))
    .map(e => e.outerHTML.slice(0, 200))"""
