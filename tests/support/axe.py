"""axe-core in a page: the faults that keep people out."""

from __future__ import annotations

from importlib.resources import files
from typing import Any

from playwright.sync_api import Page

_AXE = files("axe_playwright_python") / "axe.min.js"
_RUN = """async () => (await axe.run(document, {resultTypes: ["violations"]})).violations
  .filter((rule) => ["serious", "critical"].includes(rule.impact))
  .flatMap((rule) => rule.nodes.map((node) => `${rule.id} at ${node.target.join(" ")}: ${node.html.slice(0, 200)}`))"""


def faults(page: Page) -> list[Any]:
    """What axe-core calls serious or critical in the page as it is now."""
    if not page.evaluate("() => 'axe' in window"):
        page.evaluate(_AXE.read_text(encoding="utf-8"))
    page.wait_for_timeout(400)  # colours fade in; half-way they have too little contrast
    found: list[Any] = page.evaluate(_RUN)
    return found
