"""A page's description in another language, made once: its texts are marks of `gr.I18n`, which it explains."""

from __future__ import annotations

from collections.abc import Mapping
from contextvars import ContextVar
from hashlib import blake2s
from typing import Any

import gradio as gr

from shared.languages import ENGLISH
from shared.languages.tongue import Tongue
from shared.ui.languages.props import THEIRS, spoken

# The language that the call in hand is answered in.
ASKED: ContextVar[str] = ContextVar("asked_language", default=ENGLISH)


class PageTexts(gr.I18n):
    """As Gradio's own, but that a page brings one language and not ten: two hundred may load it at once."""

    def __init__(self) -> None:
        super().__init__()
        self.by_language: dict[str, dict[str, dict[str, str]]] = {}

    @property
    def translations_dict(self) -> dict[str, dict[str, str]]:
        """What the page of the language that is asked for looks up."""
        return self.by_language.get(ASKED.get(), {})


def translated(config: Mapping[str, Any], tongue: Tongue, texts: PageTexts) -> dict[str, Any]:
    """The page's description in that language. What it looks up is put into `texts` too."""
    own: dict[str, str] = {}
    english: dict[str, str] = {}

    def mark(text: str) -> str:
        said = tongue.text(text)
        if said == text:
            return text
        key = key_of(text)
        # English is there for who changes the language in Gradio's own settings.
        own[key], english[key] = said, text
        return str(texts(key))

    made = dict(config)
    made["components"] = [_component(each, tongue, mark) for each in config["components"]]
    if isinstance(config.get("title"), str):
        made["title"] = tongue.text(config["title"])
    made["i18n_translations"] = {tongue.language.locale: own, ENGLISH: english}
    texts.by_language[tongue.language.code] = made["i18n_translations"]
    return made


def _component(given: Mapping[str, Any], tongue: Tongue, mark: Any) -> dict[str, Any]:
    theirs = THEIRS in (given["props"].get("elem_classes") or ())
    return {**given, "props": spoken(given["type"], given["props"], tongue, mark, first=True, theirs=theirs)}


def key_of(text: str) -> str:
    """What the text is looked up by. The page looks up every label and value, so that no text may be its own key: a
    menu's value that reads like a label would be translated too, and be no choice any more."""
    return f"t{blake2s(text.encode(), digest_size=6).hexdigest()}"
