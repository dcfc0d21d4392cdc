"""What of an answer can be read aloud: its words, without Markdown's signs, code, tables' lines and addresses.

Each pattern looks ahead for a limited way only: an odd answer must not take long.
"""

from __future__ import annotations

import re

from shared.errors import InvalidRequest

_PUT = (
    (re.compile(r"^ {0,3}(`{3,}|~{3,}).*?(?:^ {0,3}\1[`~]*[ \t]*$|\Z)", re.MULTILINE | re.DOTALL), ""),  # code
    (re.compile(r"\$\$.{0,2000}?\$\$|\\\[.{0,2000}?\\\]", re.DOTALL), ""),  # formulas
    (re.compile(r"\\([\\`*_{}\[\]()#+.!|~>-])"), lambda sign: chr(_KEPT + ord(sign[1]))),  # signs that are meant
    (re.compile(r"!?\[([^\[\]\n]{1,300})\]\([^()\n]{0,2000}\)"), r"\1"),  # links and pictures
    (re.compile(r"<?https?://[^\s>)]+>?"), ""),
    (re.compile(r"</?[A-Za-z][^<>\n]{0,200}>"), ""),
    (re.compile(r"^[ \t]*(?:[-*_=|:][ \t]*){3,}$", re.MULTILINE), ""),  # rules, of tables too
    (re.compile(r"^[ \t]*(?:#{1,6}[ \t]+|>[ \t]?|[-*+][ \t]+(?:\[[ xX]\][ \t]+)?)+", re.MULTILINE), ""),
    (re.compile(r"(\*{1,3}|~~)(?=\S)(.{1,500}?)(?<=\S)\1", re.DOTALL), r"\2"),
    (re.compile(r"(\*{1,3}|~~)(?=\S)(.{1,500}?)(?<=\S)\1", re.DOTALL), r"\2"),  # one within another
    (re.compile(r"(?<!\w)(_{1,3})(?=\S)(.{1,500}?)(?<=\S)\1(?!\w)", re.DOTALL), r"\2"),
    (re.compile(r"`+"), ""),
)
_KEPT = 0xE000  # of the private use area, where no text has letters


def aloud(text: str) -> str:
    """The words of a Markdown text. Raises `InvalidRequest` where nothing is left to say."""
    for pattern, put in _PUT:
        text = pattern.sub(put, text.replace("\r\n", "\n"))
    said = "\n".join(_row(line) if line.lstrip().startswith("|") else line for line in text.split("\n"))
    said = re.sub(rf"[{chr(_KEPT)}-{chr(_KEPT + 127)}]", lambda sign: chr(ord(sign[0]) - _KEPT), said)
    said = re.sub(r"\n{3,}", "\n\n", said).strip()
    if not re.search(r"\w", said):
        raise InvalidRequest("This answer holds no words to be read aloud: code and formulas are left out.")
    return said


def _row(line: str) -> str:
    """A table's row as a sentence."""
    return ", ".join(cell.strip() for cell in line.strip().strip("|").split("|")) + "."
