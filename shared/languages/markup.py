"""Puts another text in the place of each text of a piece of HTML or of a Markdown table, and touches nothing else."""

from __future__ import annotations

import re
from collections.abc import Callable
from html import escape, unescape

Say = Callable[[str], str]  # from a text to the same in another language; unknown ones come back as they are

_TAG = re.compile(r"""(<!--.*?-->|<[a-zA-Z/!?](?:"[^"]*"|'[^']*'|[^'">])*>)""", re.DOTALL)
_NAME = re.compile(r"</?([a-zA-Z][\w-]*)")
_BAR = re.compile(r"(?<!\\)\|")
_ATTRIBUTE = re.compile(r"""(\s(?:placeholder|title|aria-label|alt)=)("[^"]*"|'[^']*')""")
# What these hold is somebody's, a model's or a machine's.
_UNTOUCHED = {"script", "style", "pre", "code", "blockquote", "q", "textarea"}
_FOREIGN = re.compile(r"""\stranslate=["']?no\b""")


def in_html(page: str, say: Say) -> str:
    """The HTML with its texts and the attributes that are read out said anew, escaped again as they were."""
    made: list[str] = []
    within, depth = "", 0
    for number, piece in enumerate(_TAG.split(page)):
        if number % 2 == 0:
            made.append(piece if depth else _text(piece, say))
            continue
        name = found[1].lower() if (found := _NAME.match(piece)) else ""
        if not depth and name and not piece.startswith("</") and (name in _UNTOUCHED or _FOREIGN.search(piece)):
            within, depth = name, 0 if piece.endswith("/>") else 1
        elif depth and name == within:
            depth += -1 if piece.startswith("</") else 1
            made.append(piece)
            continue
        made.append(piece if depth else _ATTRIBUTE.sub(lambda one: one[1] + _attribute(one[2], say), piece))
    return "".join(made)


def in_table(table: str, say: Say) -> str:
    """The Markdown with the cells of its tables said anew; what stands outside of them is somebody's."""
    return "\n".join(_row(line, say) if line.startswith("| ") else line for line in table.split("\n"))


def _row(line: str, say: Say) -> str:
    cells = _BAR.split(line)
    return "|".join(_text(cell, lambda text: _BAR.sub(r"\|", say(text)).replace("\n", " ")) for cell in cells)


def _text(piece: str, say: Say) -> str:
    words = piece.strip()
    if not words:
        return piece
    plain = unescape(words)
    said = say(plain)
    if said == plain:
        return piece
    before, after = piece[: len(piece) - len(piece.lstrip())], piece[len(piece.rstrip()) :]
    return f"{before}{escape(said, quote=False)}{after}"


def _attribute(quoted: str, say: Say) -> str:
    plain = unescape(quoted[1:-1])
    said = say(plain)
    return quoted if said == plain else f'"{escape(said)}"'
