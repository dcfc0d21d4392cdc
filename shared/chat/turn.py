"""One turn of a conversation: asks an engine and adds the answer, whole, stopped or broken, to the tree."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from shared.chat.answer import Answer, answers
from shared.chat.conversation import Conversation, Node
from shared.engine import Engine
from shared.errors import InferenceError
from shared.requests import ChatRequest
from shared.settings import Settings
from shared.streaming import CancelToken
from shared.tasks import Mode


def take_turn(
    engine: Engine,
    conversation: Conversation,
    *,
    model: str,
    mode: str | None,
    variant: str | None,
    settings: Settings,
    options: dict[str, Any],
    cancel: CancelToken | None = None,
) -> Iterator[Answer]:
    """Answer the conversation's last message and yield the answer as it grows.

    `options` are fields of `ChatRequest`. The answer is added once it has ended, errors included: what came
    before an error is kept and marked.
    """
    parent = conversation.tip
    try:
        request = ChatRequest(messages=conversation.messages(), **options)
        kind = Mode(mode) if mode else None
        events = engine.generate(model, request, mode=kind, variant=variant, settings=settings, cancel=cancel)
        last = Answer()
        for last in answers(events):
            if not last.done:
                yield last
    except InferenceError as error:
        last = Answer(error=error)
    _keep(conversation, last, parent, options.get("prefill") or "")
    yield last


def _keep(conversation: Conversation, answer: Answer, parent: str | None, prefill: str) -> Node:
    return conversation.add(
        "assistant",
        prefill + answer.text if answer.text else "",
        parent,
        thinking=answer.thinking,
        receipt=answer.receipt.to_dict() if answer.receipt else None,
        finish_reason=answer.finish_reason,
        error=str(answer.error) if answer.error else None,
        prefill=prefill,
        tokens=answer.tokens,
    )
