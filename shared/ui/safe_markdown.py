"""Makes a model's text safe to show as Markdown: no HTML of its own, and no picture fetched from elsewhere.

Gradio's sanitiser stops scripts but fetches remote pictures, and a picture's address can carry out what was said.
The page's Content-Security-Policy (see `serve.py`) refuses them as well: two locks, since Markdown has many forms.
"""

from __future__ import annotations

import re

# Fenced blocks and inline code are shown as they are; everything else has its tags and pictures disarmed.
_FENCED = r"^ {0,3}(?P<fence>`{3,}|~{3,})[^\n]*\n.*?(?:^ {0,3}(?P=fence)[`~]*[ \t]*$|\Z)"
_INLINE = r"(?P<ticks>`+)(?!`).+?(?<!`)(?P=ticks)(?!`)"
_CODE = re.compile(f"{_FENCED}|{_INLINE}", re.DOTALL | re.MULTILINE)
_TAG = re.compile(r"<(?=[A-Za-z/!?])")
_PICTURE = re.compile(r"!(?=\[)")


def safe_markdown(text: str) -> str:
    """The text with HTML shown as text, and pictures turned into links that nothing follows by itself."""
    parts, at = [], 0
    for code in _CODE.finditer(text):
        parts += [_disarm(text[at : code.start()]), code.group()]
        at = code.end()
    return "".join([*parts, _disarm(text[at:])])


def _disarm(text: str) -> str:
    return _PICTURE.sub(r"\\!", _TAG.sub("&lt;", text))
