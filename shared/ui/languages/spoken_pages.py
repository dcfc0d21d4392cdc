"""Makes a Space speak the visitor's language, in one place and with no word about it in its panels.

The page itself is described in each language once. What a run says is put into the language where it leaves for the
page; within, all is English. Who calls a named endpoint gets English.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from typing import Any

import gradio as gr

from shared.languages import ENGLISH, asked_language
from shared.languages.tongue import Tongue, tongue
from shared.ui.languages import props
from shared.ui.languages.page_texts import ASKED, PageTexts, translated


class SpokenBlocks(gr.Blocks):
    """As Gradio's own, in the language that is asked for."""

    tongues: Mapping[str, Tongue]
    _configs: dict[str, Any]

    @property
    def config(self) -> Any:
        """The page's description in the language of the call in hand."""
        code = ASKED.get()
        if code not in self._configs:
            assert isinstance(self.i18n_instance, PageTexts)
            self._configs[code] = translated(self._configs[ENGLISH], self._tongue(code), self.i18n_instance)
        return self._configs[code]

    @config.setter
    def config(self, value: Any) -> None:
        self._configs = {ENGLISH: value}

    def get_api_info(self, *args: Any, **kwargs: Any) -> Any:
        """In English: it is for programs."""
        with speaking(ENGLISH):
            return super().get_api_info(*args, **kwargs)

    async def process_api(self, block_fn: Any, inputs: list[Any], *args: Any, **kwargs: Any) -> dict[str, Any]:
        """Run an event; what it says to a page, its errors too, is in the language of whoever asked."""
        called = self.fns[block_fn] if isinstance(block_fn, int) else block_fn
        with speaking(_language(called, kwargs.get("request"))) as code:
            try:
                return await super().process_api(called, inputs, *args, **kwargs)
            except gr.Error as error:
                if code != ENGLISH:
                    error.message = self._tongue(code).text(str(error.message))
                    error.title = self._tongue(code).text(error.title)
                raise

    async def postprocess_data(self, block_fn: Any, predictions: Any, state: Any) -> list[Any]:
        """What the event's outputs show."""
        shown = await super().postprocess_data(block_fn, predictions, state)
        code = ASKED.get()
        if code == ENGLISH:
            return shown
        spoken = self._tongue(code)
        return [_said(block, given, spoken) for block, given in zip(block_fn.outputs, shown, strict=False)]

    def _tongue(self, code: str) -> Tongue:
        found = self.tongues.get(code)
        return found if found is not None else tongue(code)


def speak(demo: gr.Blocks) -> None:
    """Have the Space speak; call it once it is served or mounted, before anybody came."""
    config = demo.__dict__.pop("config")
    demo.__class__ = SpokenBlocks
    spoken: Any = demo
    spoken.config, spoken.tongues, spoken.i18n_instance = config, {}, PageTexts()
    log = demo._queue.log_message

    def said(*args: Any, **kwargs: Any) -> None:
        """A toast, in the language of the run that shows it."""
        words = tongue(ASKED.get())
        log(*args, **{**kwargs, "log": words.text(str(kwargs["log"])), "title": words.text(str(kwargs["title"]))})

    demo._queue.log_message = said  # type: ignore[method-assign]


@contextmanager
def speaking(code: str) -> Iterator[str]:
    """All within is answered in that language."""
    token = ASKED.set(code)
    try:
        yield code
    finally:
        ASKED.reset(token)


def _language(called: Any, request: Any) -> str:
    """Of the page that began the event; English for what programs call."""
    if called.api_visibility != "private":
        return ENGLISH
    headers = getattr(request, "headers", None)
    if headers is None:
        return ENGLISH
    names = ("cookie", "accept-language")
    return asked_language({"headers": [(name.encode(), headers.get(name, "").encode("latin-1")) for name in names]})


def _said(block: Any, given: Any, spoken: Tongue) -> Any:
    kind, theirs = block.get_block_name(), props.THEIRS in (getattr(block, "elem_classes", None) or ())
    if isinstance(given, dict) and given.get("__type__") == "update":
        return props.spoken(kind, given, spoken, spoken.text, theirs=theirs)
    return given if theirs else props.value(kind, given, spoken, spoken.text)
