"""A conversation as Gradio's chatbot shows it, and the way back from a place on the screen to a message."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from shared.chat.answer import Answer
from shared.chat.conversation import Conversation, Node
from shared.receipts import Receipt
from shared.ui import receipt_view
from shared.ui.safe_markdown import as_written, safe_markdown

ENDED = {
    "stopped": "*Stopped by you.*",
    "length": "*Cut at the longest answer allowed.*",
    "cut": "*The answer broke off here.*",
    "content_filter": "*Ended by the provider's content filter.*",
}


@dataclass(frozen=True)
class Shown:
    """Chatbot messages, and for each the id of the conversation's message it belongs to."""

    messages: list[dict[str, Any]]
    owners: list[str]


def show(conversation: Conversation, growing: Answer | None = None) -> Shown:
    """The shown branch, and below it the answer that is being written, if any."""
    messages: list[dict[str, Any]] = []
    owners: list[str] = []
    for node in conversation.path():
        parts = _user(node) if node.role == "user" else _assistant(node)
        messages += parts
        owners += [node.id] * len(parts)
    if growing is not None:
        messages += _growing(growing)
    return Shown(messages, owners)


def owner(conversation: Conversation, index: int | tuple[int, int] | list[int]) -> Node | None:
    """The message at that place of the chatbot."""
    at = index if isinstance(index, int) else index[0]
    owners = show(conversation).owners
    return conversation.nodes[owners[at]] if 0 <= at < len(owners) else None


def _user(node: Node) -> list[dict[str, Any]]:
    return [{"role": "user", "content": safe_markdown(node.text) + _attached(node)}]


def _attached(node: Node) -> str:
    return f"\n\n*{len(node.images)} picture(s) attached*" if node.images else ""


def changed(node: Node, shown: str) -> str:
    """What a person now says in a message that was changed as it is shown."""
    return as_written(shown.removesuffix(_attached(node))).strip()


def _assistant(node: Node) -> list[dict[str, Any]]:
    parts = [_folded("Thinking", safe_markdown(node.thinking))] if node.thinking else []
    ending = ENDED.get(node.finish_reason or "", "")
    text = "\n\n".join(part for part in (safe_markdown(node.text), "" if node.error else ending) if part)
    if text:
        parts.append({"role": "assistant", "content": text})
    if node.error:
        what = "Broken off." if node.text else "Not answered."
        parts.append({"role": "assistant", "content": f"**{what}** {safe_markdown(node.error)}"})
    if receipt := read_receipt(node):
        parts.append(_folded(receipt_view.title(receipt), receipt_view.table(receipt)))
    return parts or [{"role": "assistant", "content": "*(an empty answer)*"}]


def _growing(answer: Answer) -> list[dict[str, Any]]:
    parts = []
    if answer.thinking:
        pending = {"title": "Thinking", "status": "done" if answer.text else "pending"}
        parts.append({"role": "assistant", "content": safe_markdown(answer.thinking), "metadata": pending})
    if answer.text:
        parts.append({"role": "assistant", "content": safe_markdown(answer.text)})
    return parts or [{"role": "assistant", "content": f"*{answer.status or 'Starting'}…*"}]


def _folded(title: str, content: str) -> dict[str, Any]:
    return {"role": "assistant", "content": content, "metadata": {"title": title, "status": "done"}}


def read_receipt(node: Node) -> Receipt | None:
    """The message's receipt, or None where it has none that can be read."""
    if not node.receipt:
        return None
    try:
        return Receipt.from_dict(node.receipt)
    except ValueError:
        return None
