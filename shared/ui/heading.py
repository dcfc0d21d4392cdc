"""The top of a page: its title, what it is for, the choice of a language, and the hub's way to the others."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from html import escape

import gradio as gr

from shared.ui.languages.menu import menu

_TOP = "pg-top"  # the class by which a page's heading is found again


@dataclass(frozen=True)
class Way:
    """A link to one of the hub's pages."""

    address: str
    title: str


def heading(title: str, words: str) -> gr.HTML:
    """The component, on the page that is being built."""
    return gr.HTML(f'<div class="pg-head">{menu()}<h1>{title}</h1><p>{words}</p></div>', elem_classes=_TOP)


def lead_on(demo: gr.Blocks, ways: Sequence[Way], here: str) -> None:
    """Put links above a page's heading, before the page is served. `here`: the address that is the page's own."""
    links = "".join(_link(way, here) for way in ways)
    for block in demo.blocks.values():
        if isinstance(block, gr.HTML) and _TOP in (block.elem_classes or ()):
            block.value = f'<nav class="pg-ways" aria-label="Playgrounds">{links}</nav>{block.value}'


def _link(way: Way, here: str) -> str:
    current = ' aria-current="page"' if way.address == here else ""
    return f'<a href="{escape(way.address, quote=True)}"{current}>{escape(way.title)}</a>'
