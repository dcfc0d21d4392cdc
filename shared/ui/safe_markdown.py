"""Makes a model's text safe to show as Markdown: no HTML of its own, and no picture fetched from elsewhere.

Gradio's sanitiser stops scripts but fetches remote pictures, and a picture's address can carry out what was said.
The page's Content-Security-Policy (see `web.py`) refuses them as well: two locks, since Markdown has many forms.

Code is shown as it is, everything else has its tags and pictures disarmed. What may be code to one reader and text
to another is taken for text: there a tag shows as `&lt;`, and no picture gets through.
"""

from __future__ import annotations

import re

_FENCE = re.compile(r"( {0,3})(`{3,}|~{3,})([^`\n]*)$")
# A fence in a list or a quotation ends with it, where this reader can't follow.
_NESTED_FENCE = re.compile(r"[ \t]*(?:(?:[-*+>]|\d{1,9}[.)])[ \t]*)+(?:`{3,}|~{3,})")
_MATHS = re.compile(r"\$\$|(?<!\\)\\[\[\]]")
_TICKS = re.compile(r"`+")
_TAG = re.compile(r"<(?=[A-Za-z/!?])")
_PICTURE = re.compile(r"!(?=\[)")


def safe_markdown(text: str) -> str:
    """The text with HTML shown as text, and pictures turned into links that nothing follows by itself."""
    reader = _Reader()
    return "\n".join(reader.line(line) for line in text.replace("\r\n", "\n").replace("\r", "\n").split("\n"))


class _Reader:
    """Goes through a text line by line. `lost`: from here on it can't tell where code begins and ends."""

    def __init__(self) -> None:
        self.lost = False
        self._fence: re.Match[str] | None = None
        self._open_ticks = False  # somewhere above in this paragraph
        self._in_maths = False  # whose ends Gradio looks for before it looks for code

    def line(self, line: str) -> str:
        """The line as it is to be shown."""
        if self._fence is None:
            return self._text(line)
        indent, marks = self._fence[1], self._fence[2]
        if line.strip() and not line.startswith(indent):  # it may end the list that the code stands in
            self._fence, self.lost = None, True
            return _disarm(line)
        rest = line[len(indent) :].strip()
        if rest.startswith(marks) and not rest.strip(marks[0]):
            self._fence = None
        return line

    def _text(self, line: str) -> str:
        self.lost = self.lost or bool(_NESTED_FENCE.match(line))
        fence = _FENCE.match(line)
        if fence and not self.lost and not self._in_maths:
            self._fence, self._open_ticks = fence, False
            return _disarm(line)
        self._in_maths ^= bool(len(_MATHS.findall(line)) % 2)
        if not line.strip():
            self._open_ticks = False
        spans = _code_spans(line)
        self._open_ticks = self._open_ticks or spans is None
        return _disarm(line) if self.lost or self._open_ticks else _around(line, spans or [])


def _code_spans(line: str) -> list[tuple[int, int]] | None:
    """Where inline code stands in the line, or None where it isn't plain: ticks left open, tables, escapes, maths."""
    runs = list(_TICKS.finditer(line))
    if runs and ("|" in line or "\\" in line or line.count("$") > 1):
        return None
    spans = []
    at = 0
    while at < len(runs):
        end = next((n for n in range(at + 1, len(runs)) if runs[n][0] == runs[at][0]), None)
        if end is None:
            return None
        spans.append((runs[at].start(), runs[end].end()))
        at = end + 1
    return spans


def _around(line: str, spans: list[tuple[int, int]]) -> str:
    parts, at = [], 0
    for start, end in spans:
        parts += [_disarm(line[at:start]), line[start:end]]
        at = end
    return "".join([*parts, _disarm(line[at:])])


def _disarm(text: str) -> str:
    return _PICTURE.sub("&#33;", _TAG.sub("&lt;", text))  # not by a backslash, which one before it would undo


def as_written(shown: str) -> str:
    """The text that `safe_markdown` was given, for somebody who changes a message as it is shown."""
    return re.sub(r"&#33;(?=\[)", "!", re.sub(r"&lt;(?=[A-Za-z/!?])", "<", shown))
