"""A conversation as a file: JSON holds all of it, Markdown reads well."""

from __future__ import annotations

import json
from typing import Any

from shared.chat.conversation import Conversation, Node
from shared.receipts import Receipt


def to_json(conversation: Conversation) -> str:
    """Every branch with its receipts; `Conversation.from_dict` reads it back."""
    return json.dumps(conversation.to_dict(), indent=2, ensure_ascii=False)


def to_markdown(conversation: Conversation) -> str:
    """The branch that is shown, with a line of receipt under each answer."""
    parts = [f"# {conversation.title}", *(_section(node) for node in conversation.path())]
    return "\n\n".join(parts) + "\n"


def _section(node: Node) -> str:
    head = "## You" if node.role == "user" else "## Assistant"
    pictures = [f"*({len(node.images)} pictures attached)*"] if node.images else []
    thinking = [f"<details><summary>Thinking</summary>\n\n{node.thinking}\n\n</details>"] if node.thinking else []
    failed = [f"*{'Broken off' if node.text else 'Not answered'}: {node.error}*"] if node.error else []
    foot = [f"*{receipt_line(node.receipt)}*"] if node.receipt else []
    return "\n\n".join(part for part in [head, *pictures, *thinking, node.text, *failed, *foot] if part)


def receipt_line(data: dict[str, Any]) -> str:
    """A receipt in one line."""
    receipt = Receipt.from_dict(data)
    parts = [receipt.name, receipt.backend, receipt.quantization or receipt.dtype]
    parts.append(f"{receipt.tokens_per_second:.0f} tokens/s" if receipt.tokens_per_second else None)
    parts.append(f"seed {receipt.seed}" if receipt.seed is not None else None)
    parts.append(f"${receipt.cost_usd:.6f}" if receipt.cost_usd is not None else None)
    return " · ".join(part for part in parts if part)
