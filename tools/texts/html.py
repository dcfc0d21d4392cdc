"""The texts in a piece of HTML: what stands between the tags, and the attributes that are read out or shown."""

from __future__ import annotations

import re
from html.parser import HTMLParser

ATTRIBUTES = ("placeholder", "title", "aria-label", "alt")
_PLACE = re.compile(r"\{(\d+)\}")
# Code, and what is somebody's own words: see `shared/languages/markup.py`.
_UNREAD = ("script", "style", "pre", "code", "blockquote", "q", "textarea")


def texts(page: str) -> list[str]:
    """Every text of the piece, its places `{n}` numbered anew from 0."""
    reader = _Reader()
    reader.feed(page)
    reader.close()
    return [numbered(text.strip()) for text in reader.found if text.strip()]


def numbered(text: str) -> str:
    """The text with its places numbered in their order from 0."""
    numbers = iter(range(100))
    return _PLACE.sub(lambda _: f"{{{next(numbers)}}}", text)


class _Reader(HTMLParser):
    def __init__(self) -> None:
        super().__init__(convert_charrefs=True)
        self.found: list[str] = []
        self._unread = 0

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self._unread += tag in _UNREAD
        self.found += [value for name, value in attrs if name in ATTRIBUTES and value]

    def handle_endtag(self, tag: str) -> None:
        self._unread -= tag in _UNREAD

    def handle_data(self, data: str) -> None:
        if not self._unread:
            self.found.append(data)
