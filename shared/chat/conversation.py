"""A conversation as a tree: editing a message or asking again makes a branch, and nothing is lost."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import asdict, dataclass, field, replace
from typing import Any, Literal
from uuid import uuid4

from shared.events import Token
from shared.requests import ImagePart, Message

Role = Literal["user", "assistant"]
FORMAT = 1


@dataclass
class Node:
    """One message. `error` marks an answer that failed; the error itself is shown, and never sent to a model.

    `images` are media type and base64 data, as they are exported. `prefill` is the part of an answer that the
    person gave; `tokens` are those that the model then chose, where the engine told. They are not exported.
    """

    id: str
    parent: str | None
    role: Role
    text: str
    thinking: str = ""
    images: list[dict[str, str]] = field(default_factory=list)
    receipt: dict[str, Any] | None = None
    finish_reason: str | None = None
    error: str | None = None
    prefill: str = ""
    tokens: tuple[Token, ...] = ()


@dataclass
class Conversation:
    """Messages by id, and the tip of the branch that is shown."""

    id: str = field(default_factory=lambda: uuid4().hex[:12])
    title: str = "New chat"
    nodes: dict[str, Node] = field(default_factory=dict)
    tip: str | None = None

    def path(self) -> list[Node]:
        """The messages of the branch that is shown, first to last."""
        found: list[Node] = []
        at = self.tip
        while at is not None:
            if len(found) == len(self.nodes):
                raise ValueError("The messages form a ring.")
            found.append(self.nodes[at])
            at = self.nodes[at].parent
        return found[::-1]

    def add(self, role: Role, text: str, parent: str | Literal["tip"] | None = "tip", **more: Any) -> Node:
        """Add a message after `parent` (None: at the beginning) and show its branch."""
        node = Node(uuid4().hex[:12], self.tip if parent == "tip" else parent, role, text, **more)
        self.nodes[node.id] = node
        self.tip = node.id
        if role == "user" and self.title == "New chat":
            self.title = " ".join(text.split())[:48] or "Pictures"
        return node

    def siblings(self, node: Node) -> list[Node]:
        """The versions of a message: those with the same parent and role, oldest first, itself among them."""
        return [n for n in self.nodes.values() if n.parent == node.parent and n.role == node.role]

    def branching(self) -> Node | None:
        """The last message of the shown branch that has other versions."""
        return next((n for n in reversed(self.path()) if len(self.siblings(n)) > 1), None)

    def step(self, by: int) -> None:
        """Show the next (1) or previous (-1) branch, round at the ends, so that every one can be reached."""
        ends = self._ends()
        if self.tip in ends:
            self.tip = ends[(ends.index(self.tip) + by) % len(ends)]

    def _ends(self) -> list[str]:
        """The last messages of all branches, those of older versions first."""
        children: dict[str | None, list[str]] = {}
        for node in self.nodes.values():
            children.setdefault(node.parent, []).append(node.id)
        ends: list[str] = []
        left = [*reversed(children.get(None, []))]
        while left:
            at = left.pop()
            left += reversed(children.get(at, []))
            if at not in children:
                ends.append(at)
        return ends

    def messages(self) -> tuple[Message, ...]:
        """What is sent to a model: the shown branch without answers that failed before they said anything."""
        return tuple(_message(n) for n in self.path() if n.text or n.images)

    def to_dict(self) -> dict[str, Any]:
        """Plain JSON types."""
        return {
            "format": FORMAT,
            "id": self.id,
            "title": self.title,
            "tip": self.tip,
            "messages": [_plain(node) for node in self.nodes.values()],
        }

    @classmethod
    def from_dict(cls, data: Mapping[str, Any]) -> Conversation:
        """Read one back. Raises `ValueError` where it isn't a conversation."""
        try:
            nodes = [Node(**{"parent": None, "text": "", **message}) for message in data["messages"]]
            made = cls(str(data["id"]), str(data["title"]), {n.id: n for n in nodes}, data.get("tip"))
            made.path()
        except (KeyError, TypeError, AttributeError) as error:
            raise ValueError(f"This is not a conversation: {error}") from None
        return made


def _plain(node: Node) -> dict[str, Any]:
    fields = asdict(replace(node, tokens=()))
    return {name: value for name, value in fields.items() if value not in (None, "", [], ())}


def _message(node: Node) -> Message:
    import base64

    pictures = tuple(ImagePart(base64.b64decode(i["data"]), i["media_type"]) for i in node.images)
    return Message(node.role, node.text, pictures)
