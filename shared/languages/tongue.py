"""Says a text in another language."""

from __future__ import annotations

import re
import tomllib
from collections.abc import Mapping
from functools import lru_cache

from shared.languages.known import ENGLISH, FOLDER, LANGUAGES, Language
from shared.languages.markup import in_html, in_table
from shared.languages.templates import Templates, filled

_DEEP = 6  # texts within texts, at most
_LONG = 4000  # characters of a text that is looked at; ours are shorter
_SHORT = 40  # characters of a name or a number within a text
_KEPT = 8192  # texts that were said already
_WORDS = re.compile(r"\b[a-z]{2}")
_LETTERS = re.compile(r"[^\W\d_]{2}")
# What our own texts are joined by, from the strongest; each part may be known though the whole is not.
_JOINTS = tuple(
    map(
        re.compile,
        (r"((?:^|\n)- |\n)", r"( ✓)$", r"( · )", r"((?<=[.!?:]) +)", r"(: )", r"( (?=\())", r"(^\(|\)$)", r"(; |, )"),
    )
)


class Tongue:
    """A language and its texts. Safe for threads."""

    def __init__(self, language: Language, texts: Mapping[str, str]) -> None:
        self.language = language
        self._texts = dict(texts)
        self._templates = Templates(self._texts)
        self._said = lru_cache(_KEPT)(self._say)

    def known(self, text: str) -> bool:
        """Whether the text has a translation by itself."""
        return text in self._texts

    def text(self, text: str) -> str:
        """The text in this language; what has no translation stays as it is."""
        return self._said(text) if self._texts and len(text) <= _LONG and _LETTERS.search(text) else text

    def html(self, page: str) -> str:
        """The HTML with its texts in this language."""
        return in_html(page, self.text) if self._texts else page

    def table(self, markdown: str) -> str:
        """The Markdown with the tables' cells in this language."""
        return in_table(markdown, self.text) if self._texts else markdown

    def with_texts(self, more: Mapping[str, str]) -> Tongue:
        """The same language with more texts."""
        return Tongue(self.language, {**self._texts, **more}) if more else self

    def _say(self, text: str, depth: int = 0) -> str:
        words = text.strip()
        said = self._whole(words, depth)
        if said is None:
            said = self._joined(words, depth)
        return text if said == words else text.replace(words, said, 1)

    def _whole(self, words: str, depth: int) -> str | None:
        """The text as one that was written as it is, or made from one template; None for any other."""
        found = self._texts.get(words)
        if found is not None or depth >= _DEEP:
            return found
        if words[-1:] in ".:" and words[:-1] in self._texts:
            return self._texts[words[:-1]] + words[-1]
        for template, values in self._templates.matches(words):
            if not template.slight or all(map(self._is_small, values)):
                said = tuple(self._say(value, depth + 1) for value in values)
                return filled(self._texts[template.english], said)
        return None

    def _is_small(self, value: str) -> bool:
        """Whether this is something that is put into a text: a number, a name, a text of its own."""
        value = value.strip()
        return value in self._texts or (len(value) <= _SHORT and not _WORDS.search(value))

    def _joined(self, words: str, depth: int) -> str:
        """The text as several, one after another: each that is known is said, the rest stays."""
        if depth >= _DEEP:
            return words
        for joint in _JOINTS:
            first, *rest = joint.split(words)
            if rest:
                pairs = zip(rest[::2], rest[1::2], strict=True)
                said = self._say(first, depth + 1) + "".join(self._after(*pair, depth + 1) for pair in pairs)
                if said != words:
                    return said
        return words

    def _after(self, joint: str, piece: str, depth: int) -> str:
        """A piece with what joins it to the one before; some texts begin with that, as in `, picture {0} of {1}`."""
        together = self._whole(f"{joint}{piece}".strip(), depth) if joint.strip() else None
        if together is None:
            return joint + self._say(piece, depth)
        return joint[: len(joint) - len(joint.lstrip())] + together


@lru_cache(maxsize=len(LANGUAGES))
def tongue(code: str) -> Tongue:
    """The language of that code, its texts read when it is first asked for. English has none to read."""
    texts: dict[str, str] = {}
    for file in (FOLDER / f"{code}.toml", FOLDER / "lessons" / f"{code}.toml"):
        if code != ENGLISH and file.is_file():
            texts |= tomllib.loads(file.read_text(encoding="utf-8"))
    return Tongue(LANGUAGES[code], texts)
