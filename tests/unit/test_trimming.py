"""A conversation that is too long is told, or loses its oldest turns and nothing else."""

from __future__ import annotations

from collections.abc import Callable

import pytest

from shared.errors import ContextOverflow
from shared.requests import ChatRequest, ImagePart, Message
from shared.trimming import estimate_tokens, fit
from tests.support.fakes import ask

Count = Callable[[ChatRequest], int | None]


def ten_each(request: ChatRequest) -> int:
    """An engine that counts ten tokens a message and five for a system prompt."""
    return 10 * len(request.messages) + (5 if request.system else 0)


def dialogue(turns: int, **settings: object) -> ChatRequest:
    """That many messages, named by their place, the person's first and last."""
    return ask(*(str(place) for place in range(turns)), max_tokens=10, **settings)


def left(request: ChatRequest) -> list[str]:
    return [message.content for message in request.messages]


def test_what_fits_is_left_alone() -> None:
    request = dialogue(9)
    assert fit(request, 100, ten_each) == (request, 0)


def test_without_a_limit_nothing_is_counted() -> None:
    request = dialogue(99)
    assert fit(request, None, lambda r: 1 // 0) == (request, 0)


def test_room_is_kept_for_the_answer() -> None:
    with pytest.raises(ContextOverflow) as caught:
        fit(dialogue(9), 99, ten_each)
    assert (caught.value.needed, caught.value.limit) == (100, 99)
    assert "needs 100 tokens and the model reads 99" in str(caught.value)


def test_an_answer_longer_than_the_context_takes_half_of_it() -> None:
    assert fit(ask("a", max_tokens=4096), 40, ten_each)[1] == 0


@pytest.mark.parametrize("turns", [3, 5, 21, 201])
@pytest.mark.parametrize("room", [1, 2, 3, 4, 10])
def test_trimming_drops_whole_turns_from_the_oldest_and_a_persons_message_stays_first(turns: int, room: int) -> None:
    request = dialogue(turns, overflow="trim", system="Be kind.")
    trimmed, dropped = fit(request, room * 10 + 5 + 10, ten_each)
    assert left(trimmed) == left(request)[dropped:]
    assert trimmed.messages[0].role == "user" and trimmed.messages[-1] == request.messages[-1]
    assert trimmed.system == "Be kind."
    assert len(trimmed.messages) <= max(room, 1)
    if turns > room:
        assert len(trimmed.messages) >= room - 1, "more was dropped than had to be"


def test_a_last_message_that_is_too_long_alone_is_told_even_where_trimming_is_allowed() -> None:
    with pytest.raises(ContextOverflow):
        fit(dialogue(5, overflow="trim"), 15, lambda r: 1000)


def test_an_estimate_is_called_one() -> None:
    request = ask("x" * 4000)
    with pytest.raises(ContextOverflow, match="about") as caught:
        fit(request, 1000, lambda r: None)
    assert caught.value.estimated
    assert 1000 <= estimate_tokens(request) <= 1100


def test_pictures_and_the_system_prompt_count() -> None:
    plain = ask("Hi")
    with_picture = ChatRequest(messages=(Message("user", "Hi", (ImagePart(b"", "image/png"),)),))
    assert estimate_tokens(with_picture) > estimate_tokens(plain) + 100
    assert estimate_tokens(ask("Hi", system="x" * 400)) >= estimate_tokens(plain) + 100
