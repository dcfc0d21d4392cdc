"""A conversation branches without losing anything, and survives its own export."""

from __future__ import annotations

import json

import pytest

from shared.chat.conversation import Conversation
from shared.chat.export import to_json, to_markdown
from shared.trimming import joined


def talk() -> Conversation:
    conversation = Conversation()
    conversation.add("user", "One?")
    conversation.add("assistant", "1")
    return conversation


def test_editing_makes_a_branch_and_both_stay() -> None:
    conversation = talk()
    first = conversation.path()[0]
    conversation.add("user", "Two?", first.parent)
    conversation.add("assistant", "2")
    assert [n.text for n in conversation.path()] == ["Two?", "2"]
    conversation.step(-1)
    assert [n.text for n in conversation.path()] == ["One?", "1"]


def test_a_failed_answer_is_not_sent_and_turns_still_alternate() -> None:
    conversation = talk()
    conversation.add("user", "A")
    conversation.add("assistant", "", error="no network")
    conversation.add("user", "B")
    sent = joined(conversation.messages())
    assert [m.role for m in sent] == ["user", "assistant", "user"]
    assert sent[-1].content == "A\n\nB"


def test_a_broken_off_answer_is_kept_in_both_exports() -> None:
    conversation = talk()
    conversation.add("user", "A")
    conversation.add("assistant", "Half an", error="It broke off.")
    assert "Half an\n\n*Broken off: It broke off.*" in to_markdown(conversation)
    assert '"Half an"' in to_json(conversation)


def test_export_comes_back_whole() -> None:
    conversation = talk()
    again = Conversation.from_dict(json.loads(to_json(conversation)))
    assert again.to_dict() == conversation.to_dict()
    assert "One?" in to_markdown(conversation)


@pytest.mark.parametrize("data", [{}, {"messages": [{"id": "a"}]}, {"id": "x", "title": "t", "messages": 5}])
def test_what_is_no_conversation_is_refused(data: dict) -> None:  # type: ignore[type-arg]
    with pytest.raises(ValueError):
        Conversation.from_dict(data)


def test_messages_in_a_ring_are_refused() -> None:
    ring = [{"id": "a", "parent": "b", "role": "user"}, {"id": "b", "parent": "a", "role": "user"}]
    with pytest.raises(ValueError):
        Conversation.from_dict({"id": "x", "title": "t", "messages": ring, "tip": "a"})
