"""A question's settings, put back on the screen; and what of a conversation can be handed on: its last answer."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import gradio as gr

from shared.chat.conversation import Conversation
from shared.errors import InvalidRequest
from shared.media.fields import clean, load_json
from shared.media.publishing import public, without_keys
from shared.ui.chat.display import read_receipt
from shared.ui.chat.settings_panel import NAMES, SLIDERS, to_request
from shared.ui.restoring import RestoreBox, Restored
from shared.ui.sharing import Made

_NOTHING = "This holds no question's settings. Use the JSON of a receipt that was made here."


def chat_restore() -> RestoreBox:
    """The box for receipts of the chat: it sets the message and the settings."""
    return RestoreBox("restore", "a receipt", "A receipt made here, as JSON", (), _read)


def last_answer(conversation: Conversation, system: str | None) -> Made:
    """The last answer that has a receipt, with what was asked. Raises `InvalidRequest` where there is none yet."""
    path = conversation.path()
    answered = [number for number, node in enumerate(path) if node.role == "assistant" and read_receipt(node)]
    if not answered:
        raise InvalidRequest("There is nothing to hand on yet: ask something first.")
    node = path[answered[-1]]
    asked = next((each for each in reversed(path[: answered[-1]]) if each.role == "user"), None)
    receipt: dict[str, Any] = public(dict(node.receipt or {}))
    request = {"prompt": without_keys(asked.text if asked else "")}
    if system:
        request["system"] = without_keys(system)
    return Made({"request": request, "receipt": receipt}, text=without_keys(node.text))


def _read(data: bytes) -> Restored:
    document = load_json(data.decode("utf-8", "replace"))
    request, receipt = _part(document, "request"), _part(document, "receipt")
    if not isinstance(request.get("prompt"), str):
        raise InvalidRequest(_NOTHING)
    told = _part(receipt, "settings")
    if isinstance(receipt.get("seed"), int):
        told = {**told, "seed": receipt["seed"]}
    told = {**told, "system": request.get("system", "")}
    ignored: list[str] = []
    values = [_value(name, told[name], ignored) if name in told else gr.skip() for name in NAMES]
    model = receipt.get("model")
    return Restored(
        clean(request["prompt"]), clean(model) if isinstance(model, str) else "", values, tuple(ignored), "a receipt"
    )


def _value(name: str, value: Any, ignored: list[str]) -> Any:
    """The value as its control has it, if the control could hold it; a note of it otherwise."""
    if name in SLIDERS:
        _, low, high, *_ = SLIDERS[name]
        good = isinstance(value, int | float) and not isinstance(value, bool) and low <= value <= high
    else:
        value = clean(str(value)) if isinstance(value, str | int) else None
        good = value is not None and _can_be_read(name, value)
    if not good:
        ignored.append(f"{name}: there is no such value here")
    return value if good else gr.skip()


def _can_be_read(name: str, value: str) -> bool:
    given: dict[str, Any] = {each: "" for each in NAMES} | {name: value}
    try:
        to_request([given[each] for each in NAMES])
    except (InvalidRequest, ValueError):
        return False
    return True


def _part(document: Any, name: str) -> Mapping[str, Any]:
    part = document.get(name) if isinstance(document, dict) else None
    return part if isinstance(part, dict) else {}
