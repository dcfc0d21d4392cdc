"""Where the texts of a Gradio component are: which of its properties a person reads, and which only look like words."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

from shared.languages.tongue import Tongue

Props = dict[str, Any]
Mark = Callable[[str], str]  # from a text to what stands for it in the page, or to itself

# Gradio's page looks these up itself, by a mark of `gr.I18n`.
MARKED = ("label", "info", "placeholder", "title", "description")
# These it shows as they come.
_PLAIN = ("submit_btn", "stop_btn", "x_title", "y_title", "color_title", "upload_text", "empty")
# Their value is our words; everywhere else it is the visitor's, or a model's.
_BUTTONS = {"button", "downloadbutton", "uploadbutton"}
# On a component whose value and choices are a model's words, or the visitor's.
THEIRS = "pg-theirs"


def spoken(
    kind: str, props: Mapping[str, Any], tongue: Tongue, mark: Mark, *, first: bool = False, theirs: bool = False
) -> Props:
    """The properties, or those of an update, in that language; the given ones stay as they are.

    `mark` does for what Gradio's page looks up itself. `first`: as the page comes, before any run. `theirs`: value and
    choices are no words of ours.
    """
    said: Props = dict(props)
    for name in MARKED:
        if isinstance(said.get(name), str):
            said[name] = mark(said[name])
    for name in _PLAIN:
        if isinstance(said.get(name), str):
            said[name] = tongue.text(said[name])
    if theirs:
        return said
    if kind == "html" and isinstance(said.get("html_template"), str):
        said["html_template"] = tongue.html(said["html_template"])
    if isinstance(said.get("choices"), (list, tuple)):
        said["choices"] = [_choice(each, tongue) for each in said["choices"]]
    if isinstance(said.get("headers"), (list, tuple)):
        said["headers"] = [tongue.text(each) if isinstance(each, str) else each for each in said["headers"]]
    if "value" in said:
        said["value"] = value(kind, said["value"], tongue, mark, first=first)
    return said


def value(kind: str, given: Any, tongue: Tongue, mark: Mark, *, first: bool = False) -> Any:
    """A component's value in that language, where it is our words; else as it is."""
    if kind == "dataframe" and isinstance(given, dict):
        return _frame(given, tongue)
    if not isinstance(given, str):
        return given
    if kind in _BUTTONS:
        return mark(given)
    if kind == "html":
        return tongue.html(given) if "<" in given else tongue.text(given)
    if kind == "markdown":
        return mark(given) if first or tongue.known(given) else tongue.table(given)
    return given


def _choice(given: Any, tongue: Tongue) -> Any:
    """A choice as a name and a value, of which the name alone is shown and the value alone comes back."""
    if isinstance(given, (list, tuple)) and len(given) == 2:
        return [tongue.text(given[0]) if isinstance(given[0], str) else given[0], given[1]]
    return [tongue.text(given), given] if isinstance(given, str) else given


def _frame(given: Mapping[str, Any], tongue: Tongue) -> dict[str, Any]:
    """A table's headers, and those of its cells that are whole texts of ours."""
    headers = [tongue.text(each) if isinstance(each, str) else each for each in given.get("headers", [])]
    rows = [[tongue.text(each) if isinstance(each, str) else each for each in row] for row in given.get("data", [])]
    return {**given, "headers": headers, "data": rows}
