"""Makes a conversation fit for the model: turns that alternate, no more of them than it reads, and pictures only
where it sees."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace

from shared.errors import ContextOverflow, InvalidRequest
from shared.requests import ChatRequest, Message

# Where the engine can't count before it runs: English prose has about four characters a token in today's
# tokenizers (OpenAI's rule of thumb), a little is added for the template around each message.
CHARS_PER_TOKEN = 4
TOKENS_PER_MESSAGE = 6
TOKENS_PER_IMAGE = 800
ANSWER_ROOM = 256  # tokens kept for the answer where max_tokens is not set


def estimate_tokens(request: ChatRequest) -> int:
    """A rough count of the conversation's tokens, for engines that can't count."""
    texts = [request.system or "", *(m.content for m in request.messages)]
    images = sum(len(m.images) for m in request.messages)
    return sum(len(t) // CHARS_PER_TOKEN + TOKENS_PER_MESSAGE for t in texts) + images * TOKENS_PER_IMAGE


def fit(request: ChatRequest, limit: int | None, count: Callable[[ChatRequest], int | None]) -> tuple[ChatRequest, int]:
    """The request with turns that alternate, and how many of its oldest messages were dropped to fit `limit` tokens.

    Raises `ContextOverflow` if it doesn't fit and `request.overflow` is "error", or if the last message
    alone is too long.
    """
    room = None if limit is None else limit - min(request.max_tokens or ANSWER_ROOM, limit // 2)
    messages = request.messages
    while True:
        tried = replace(request, messages=joined(messages))
        if limit is None or room is None:
            return tried, 0
        exact = count(tried)
        needed = estimate_tokens(tried) if exact is None else exact
        if needed <= room:
            return tried, len(request.messages) - len(messages)
        if request.overflow == "error" or len(messages) == 1:
            raise ContextOverflow(needed + limit - room, limit, estimated=exact is None)
        messages = _without_oldest(messages, needed / room)


def joined(messages: tuple[Message, ...]) -> tuple[Message, ...]:
    """Messages of one role that follow each other made one: many chat templates want turns to alternate.

    It happens only after trimming, so that a message that was too long, and therefore not answered, can be left out.
    """
    found: list[Message] = []
    for message in messages:
        if found and found[-1].role == message.role:
            before = found.pop()
            text = "\n\n".join(t for t in (before.content, message.content) if t)
            message = Message(message.role, text, before.images + message.images)
        found.append(message)
    return tuple(found)


def _without_oldest(messages: tuple[Message, ...], excess: float) -> tuple[Message, ...]:
    """Drop about as much as is too much, in whole turns, so that a person's message comes first."""
    drop = max(1, int(len(messages) * (1 - 1 / excess) / 2))
    while drop < len(messages) - 1 and messages[drop].role != "user":
        drop += 1
    return messages[min(drop, len(messages) - 1) :]


def without_pictures(messages: tuple[Message, ...]) -> tuple[tuple[Message, ...], str | None]:
    """The messages for a model that reads text only, and what was left out of earlier ones, if anything.

    Raises `InvalidRequest` where the last message has pictures: the person means the model to see them.
    """
    if messages and messages[-1].images:
        raise InvalidRequest("This model reads text only. Remove the pictures, or choose a model that sees.")
    if not any(m.images for m in messages):
        return messages, None
    blind = tuple(Message(m.role, m.content or "(A picture.)") if m.images else m for m in messages)
    return blind, "This model reads text only: the pictures of earlier messages were left out."
