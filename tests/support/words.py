"""What a page says in Latin letters: in a language that has others, this is what was left in English."""

from __future__ import annotations

from collections.abc import Iterable

from playwright.sync_api import Page

# Also what is hidden or read out; not what somebody typed or a model wrote, or what languages call themselves.
_READ = """(within) => {
  const left = "script, style, pre, code, blockquote, .work h3, .pg-language, [translate=no]", found = [];
  const root = document.querySelector(within);
  const take = (node, text) => { if (text && !node.closest(left)) found.push(text.trim()); };
  for (const node of root.querySelectorAll("*")) {
    for (const name of ["placeholder", "title", "aria-label", "alt"]) take(node, node.getAttribute(name));
    for (const each of node.childNodes) if (each.nodeType === 3) take(node, each.textContent);
  }
  return [...found, within === "body" ? document.title : ""];
}"""
# Formats, measures and this product's own name for its rooms are the same everywhere.
SAME = ("Generative-AI playgrounds", "temperature=0.2", "seed=1", "QR", "CSV", "zip")


def latin_words(page: Page, within: str, names: Iterable[str] = ()) -> list[str]:
    """Each text there that still has a Latin word in it, without the `names`."""
    found = []
    for text in page.evaluate(_READ, within):
        rest = text
        for name in sorted(filter(None, (*names, *SAME)), key=len, reverse=True):
            rest = rest.replace(name, "")
        if any(part.isascii() and part.isalpha() and len(part) > 1 for part in _parts(rest)):
            found.append(text)
    return found


def _parts(text: str) -> list[str]:
    return "".join(each if each.isalpha() else " " for each in text).split()
