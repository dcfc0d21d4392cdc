"""What a replica tells travels in few batches, and what a person waits for doesn't wait for a batch."""

from __future__ import annotations

import asyncio
import threading
from contextlib import aclosing

from shared.backends.base import Outcome
from shared.cluster.messages import Begun, Done, End, Message, Stopped
from shared.cluster.replica import told
from shared.errors import Cancelled
from shared.events import Partial
from shared.outputs import ChatOutput
from shared.streaming import Emit

NEVER = 3600.0  # seconds between batches: what would wait for one hangs
SOON = 20.0


def the_end() -> Done:
    return Done(Outcome(output=ChatOutput(text="")), 0.0)


def test_the_first_piece_and_the_end_are_sent_at_once() -> None:
    begun, seen = threading.Event(), threading.Event()

    def work(emit: Emit) -> End:
        emit(Begun(0.0))  # type: ignore[arg-type]
        assert begun.wait(SOON)
        emit(Partial("first"))
        assert seen.wait(SOON), "the first piece was held back"
        for _ in range(1000):
            emit(Partial("later"))
        return the_end()

    async def listen() -> list[tuple[Message, ...]]:
        batches = []
        async for batch in told(work, NEVER):
            batches.append(batch)
            begun.set()
            if Partial("first") in batch:
                seen.set()
        return batches

    batches = asyncio.run(asyncio.wait_for(listen(), SOON))
    messages = [message for batch in batches for message in batch]
    assert len(messages) == 1003 and isinstance(messages[-1], Done)
    assert len(batches) <= 4, "what comes quickly goes together"


def test_pieces_follow_while_the_work_goes_on() -> None:
    """Each waits for the one before to have arrived, so that none may be kept until another comes."""
    arrived = [threading.Event() for _ in range(5)]

    def work(emit: Emit) -> End:
        for number, event in enumerate(arrived):
            emit(Partial(str(number)))
            assert event.wait(SOON), f"piece {number} was held back"
        return the_end()

    async def listen() -> None:
        async for batch in told(work, 0.01):
            for message in batch:
                if isinstance(message, Partial):
                    arrived[int(message.text)].set()
                else:
                    assert isinstance(message, Done), message

    asyncio.run(asyncio.wait_for(listen(), SOON))
    assert all(event.is_set() for event in arrived)


def test_who_leaves_waits_until_the_work_has_stopped() -> None:
    stopped: list[Message] = []

    def work(emit: Emit) -> End:
        emit(Partial("first"))
        try:
            while True:
                emit.cancel.wait(SOON)
                emit.check()
        except Cancelled:
            stopped.append(Stopped())
            raise

    async def leave() -> None:
        async with aclosing(told(work, NEVER)) as batches:
            await anext(batches)

    asyncio.run(asyncio.wait_for(leave(), SOON))
    assert stopped
