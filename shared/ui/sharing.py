"""Below an output: a link that opens the Space with its settings, and a page that shows it by an address of its own."""

from __future__ import annotations

import re
import time
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import gradio as gr

from shared.engine import Engine
from shared.errors import InferenceError, InvalidRequest
from shared.media.publishing import public
from shared.operation import beside
from shared.sharing import links
from shared.sharing.documents import document_of
from shared.state.shares import Shares, shares_of
from shared.ui.jobs_panel import Owner
from shared.ui.running import PRIVATE, note

COPIED = "Copied. The link opens this Space with these words and settings: who has it can read them."
SHOWN = (
    "Whoever has this address sees the output, what was asked for and how it was made. "
    "Take it back under “Outputs you share”."
)
# A page that isn't served over https may not write to the clipboard: then the address is there to be copied by hand.
_COPY = "navigator.clipboard?.writeText(url).catch(() => {}); return url; }"
COPY_LINK = f"(end) => {{ if (!end) return ''; const url = location.origin + location.pathname + end; {_COPY}"
COPY_PAGE = f"(path) => {{ if (!path) return ''; const url = location.origin + path; {_COPY}"
WHERE = "(...given) => [location.pathname, ...given.slice(1)]"
# Another link that is typed into an open page changes nothing there by itself.
FRAGMENT = (
    "() => { if (!window.pgLinks) { window.pgLinks = true; addEventListener('hashchange', () => "
    f"location.hash.startsWith('{links.MARK}') && location.reload()); }} return location.hash; }}"
)
_PATH = re.compile(r"/|(?:/[\w.~-]{1,40}){1,6}/?", re.ASCII)
_RAW: dict[str, Any] = {**PRIVATE, "queue": False}


@dataclass(frozen=True)
class Made:
    """An output that can be handed on: what made it, and its file, or its text where it is none."""

    document: dict[str, Any]
    path: Path | None = None
    text: str = ""


Reader = Callable[..., Made]


def made_by_file(value: Any) -> Made:
    """For a component or a state that holds a path. Raises `InvalidRequest` where there is none yet."""
    if not value:
        raise InvalidRequest("There is nothing to hand on yet: make something first.")
    path = Path(value)
    return Made(document_of(path), path)


def newest(value: Any) -> Made:
    """For a state that holds paths and captions, the newest first."""
    return made_by_file(value[0][0] if value else None)


class ShareRow:
    """The components; `wire` connects them. `name`: that of the box that restores what is handed on."""

    def __init__(self, name: str) -> None:
        self.name = name
        with gr.Row(elem_classes="pg-share"):
            self.copy = gr.Button("Copy link", size="sm", elem_id=f"{name}-link", min_width=84)
            self.show = gr.Button("Share this output", size="sm", elem_id=f"{name}-share", min_width=124)
        self.url = gr.Textbox(
            label="Address", visible=False, interactive=False, buttons=["copy"], elem_id=f"{name}-url", max_lines=1
        )
        self.told = gr.HTML("", elem_id=f"{name}-shared")
        self._end = gr.Textbox(visible="hidden", elem_id=f"{name}-end")

    def wire(self, engine: Engine, space: str, owner: Owner, source: Any, reader: Reader) -> None:
        """Connect the events. `source`, or several in a list, hold the output, and `reader` tells what it is."""
        sources = source if isinstance(source, list) else [source]
        shares = shares_of(engine.settings)
        self.show.visible = engine.settings.sharing

        def link(*held: Any) -> list[Any]:
            try:
                end = fragment(shares, space, self.name, reader(*held).document)
            except InferenceError as error:
                return ["", gr.update(visible=False), note(str(error), "pg-error")]
            return [end, gr.update(visible=True), note(COPIED)]

        def show(home: str, token: Any, *held: Any) -> list[Any]:
            if not engine.settings.sharing:
                return [gr.skip(), gr.skip(), note("Nothing is shared from this server.", "pg-error"), gr.skip()]
            given = owner.given(token)
            try:
                made, root = reader(*held), engine.settings.root_path
                with beside.turn():  # who may have nothing done may show nothing either
                    path = root + publish(shares, owner.of(given), space, self.name, home, made)
            except InferenceError as error:
                return ["", gr.update(visible=False), note(str(error), "pg-error"), given]
            return [path, gr.update(visible=True), note(SHOWN), given]

        told = [self._end, self.url, self.told]
        linked = self.copy.click(link, sources, told, **_RAW)
        linked.then(None, self._end, self.url, js=COPY_LINK, **_RAW)
        shown = self.show.click(show, [self._end, owner.token, *sources], [*told, owner.token], js=WHERE, **_RAW)
        shown.then(None, self._end, self.url, js=COPY_PAGE, **_RAW)


def fragment(shares: Shares, space: str, box: str, document: dict[str, Any]) -> str:
    """The end of an address with these settings, or with the id under which the server keeps long ones."""
    small = links.compact(document)
    text = links.packed(small)
    held = f"z{text}" if len(text) <= links.LONGEST else f"s{shares.link(space, small)}"
    return f"{links.MARK}{box}.{held}"


def publish(shares: Shares, owner: str, space: str, box: str, home: str, made: Made) -> str:
    """Show it; returns the page's path on this server. `home`: the Space's own path, as the browser says."""
    content = {
        "document": public(made.document),
        "text": made.text,
        "home": (home if _PATH.fullmatch(str(home)) else "/") + fragment(shares, space, box, made.document),
    }
    data, suffix = (made.path.read_bytes(), made.path.suffix.lower()) if made.path else (b"", "")
    return f"/shared/{shares.page(owner, space, content, data, suffix)}"


class SharedPanel:
    """What this browser shares, to be taken back."""

    def __init__(self, engine: Engine, space: str, owner: Owner) -> None:
        self._shares, self._space, self._owner = shares_of(engine.settings), space, owner
        with gr.Accordion(
            "Outputs you share", open=False, visible=engine.settings.sharing, elem_id="shared-box"
        ) as box:
            self.pages = gr.Radio([], label="The newest first", elem_id="shared-pages")
            self.back = gr.Button("Take it back", size="sm", elem_id="take-back")
            self.told = gr.HTML("")
        outputs = [self.pages, self.told]
        box.expand(lambda token: [self._listed(token), ""], owner.token, outputs, **_RAW)
        self.back.click(self._take_back, [self.pages, owner.token], outputs, **_RAW)

    def _take_back(self, chosen: str | None, token: Any) -> list[Any]:
        gone = bool(chosen) and self._shares.take_back(str(chosen), self._owner.of(token))
        words = "It is shown no longer, and its file is deleted." if gone else "Choose one of them first."
        return [self._listed(token), note(words)]

    def _listed(self, token: Any) -> Any:
        found = [share for share in self._shares.of(self._owner.of(token)) if share.space == self._space]
        rows = [(_label(share.content, share.created), share.id) for share in found]
        return gr.update(choices=rows, value=None)


def _label(content: Any, created: float) -> str:
    request = content.get("document", {}).get("request", {})
    words = str(request.get("prompt") or request.get("text") or "An output")[:50]
    return f"{words} · {time.strftime('%Y-%m-%d %H:%M', time.gmtime(created))} UTC"
