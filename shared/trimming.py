"""Makes a conversation fit the model's context: counts it, and drops the oldest turns where the person agreed."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace

from shared.errors import ContextOverflow
from shared.requests import ChatRequest

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
    """The request, and how many of its oldest messages were dropped to fit `limit` tokens.

    Raises `ContextOverflow` if it doesn't fit and `request.overflow` is "error", or if the last message
    alone is too long.
    """
    if limit is None:
        return request, 0
    room = limit - min(request.max_tokens or ANSWER_ROOM, limit // 2)
    total = len(request.messages)
    while True:
        exact = count(request)
        needed = estimate_tokens(request) if exact is None else exact
        if needed <= room:
            return request, total - len(request.messages)
        if request.overflow == "error" or len(request.messages) == 1:
            answer = limit - room
            raise ContextOverflow(needed + answer, limit, estimated=exact is None)
        request = replace(request, messages=_without_oldest(request, needed / room))


def _without_oldest(request: ChatRequest, excess: float) -> tuple:  # type: ignore[type-arg]
    """Drop about as much as is too much, in whole turns, so that a person's message comes first."""
    messages = request.messages
    drop = max(1, int(len(messages) * (1 - 1 / excess) / 2))
    while drop < len(messages) - 1 and messages[drop].role != "user":
        drop += 1
    return messages[min(drop, len(messages) - 1) :]
