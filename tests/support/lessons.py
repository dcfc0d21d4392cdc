"""What hands do with lessons, in any Space."""

from __future__ import annotations

from playwright.sync_api import Page, expect


def begin(page: Page, title: str) -> None:
    """Choose a lesson."""
    page.get_by_role("button", name=title, exact=True).click()


def choose(page: Page, run: str) -> None:
    """Choose one of its runs."""
    page.locator("#lesson-run").get_by_label(run, exact=True).check()


def answer(page: Page, text: str) -> None:
    """Write an answer, or choose it where there are choices."""
    choices = page.locator("#lesson-choice")
    if choices.is_visible():
        choices.get_by_label(text, exact=True).check()
    else:
        page.locator("#lesson-answer textarea").fill(text)


def go_on(page: Page, step: str) -> None:
    """Press Next, and wait for that step: its number of how many, as in `2 of 5`."""
    page.locator("#lesson-next").click()
    expect(page.locator("#lesson-question")).to_contain_text(f"Step {step}")
