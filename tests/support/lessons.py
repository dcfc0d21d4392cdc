"""What hands do with lessons, in any Space."""

from __future__ import annotations

from playwright.sync_api import Page


def begin(page: Page, title: str) -> None:
    """Choose a lesson."""
    page.get_by_role("button", name=title, exact=True).click()


def choose(page: Page, run: str) -> None:
    """Choose one of its runs."""
    page.locator("#lesson-run").get_by_label(run, exact=True).check()
