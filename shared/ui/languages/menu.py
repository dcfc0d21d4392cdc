"""The menu by which a visitor chooses a language. `head.js` keeps the choice; `accessible.js` shows it."""

from __future__ import annotations

from html import escape

from shared.languages import LANGUAGES


def menu() -> str:
    """The menu, as HTML. Each language stands there by its own name."""
    options = "".join(
        f'<option value="{each.code}" lang="{each.locale}">{escape(each.name)}</option>' for each in LANGUAGES.values()
    )
    return f'<select class="pg-language" aria-label="Language">{options}</select>'
