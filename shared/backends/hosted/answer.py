"""Collects a streamed answer, and watches that the stream neither hangs nor breaks off."""

from __future__ import annotations

import asyncio
import contextlib
from collections.abc import AsyncIterator, Mapping
from dataclasses import dataclass, fields, replace
from typing import TYPE_CHECKING, Any, Literal

from shared.backends.base import Outcome, Usage
from shared.errors import ContentFiltered, ProviderTimeout, StreamCut
from shared.events import Partial
from shared.outputs import ChatOutput

if TYPE_CHECKING:
    from shared.settings import Settings
    from shared.streaming import Emit


@dataclass(frozen=True)
class Finish:
    """The provider says that the answer has ended, and why."""

    reason: Literal["stop", "length", "content_filter"]
    detail: str = ""


@dataclass(frozen=True)
class Facts:
    """What the receipt should name, for example `served_model`."""

    values: Mapping[str, Any]


# What a backend yields for each event of its provider; None is a sign of life without content.
Piece = Partial | Usage | Finish | Facts | None


class Answer:
    """The answer so far. `began` once any output came."""

    def __init__(self, provider: str, emit: Emit) -> None:
        self._provider, self._emit = provider, emit
        self._parts: list[Partial] = []
        self._usage = Usage()
        self._facts: dict[str, Any] = {}
        self._finish: Finish | None = None

    @property
    def began(self) -> bool:
        """Whether any output came."""
        return bool(self._parts)

    def take(self, piece: Piece) -> None:
        """Add a piece; output is passed on at once. Raises `Cancelled` when the run was stopped."""
        self._emit.check()
        if isinstance(piece, Partial) and (piece.text or piece.thinking or piece.tokens):
            self._parts.append(piece)
            self._emit(piece)
        elif isinstance(piece, Usage):
            known = {f.name: v for f in fields(piece) if (v := getattr(piece, f.name)) is not None}
            self._usage = replace(self._usage, **known)
        elif isinstance(piece, Finish):
            self._finish = piece
        elif isinstance(piece, Facts):
            self._facts.update({name: value for name, value in piece.values.items() if value})

    def outcome(self) -> Outcome:
        """The whole answer. Raises `StreamCut` if its end never came, `ContentFiltered` if a filter ended it."""
        if self._finish is None:
            raise StreamCut(self._provider)
        if self._finish.reason == "content_filter":
            raise ContentFiltered(self._provider, self._finish.detail)
        output = ChatOutput(
            text="".join(p.text for p in self._parts),
            thinking="".join(p.thinking for p in self._parts),
            tokens=tuple(t for p in self._parts for t in p.tokens),
            finish_reason=self._finish.reason,
        )
        return Outcome(output=output, usage=self._usage, facts=self._facts)


async def collect(stream: AsyncIterator[Piece], answer: Answer, provider: str, settings: Settings) -> None:
    """Take every piece of the stream. Raises `ProviderTimeout` when it is silent, or goes on, for too long.

    The first piece may take `first_output_timeout`, each later one `idle_timeout`, all of them `total_timeout`.
    """
    async with _within(settings.total_timeout, provider), contextlib.aclosing(stream):  # type: ignore[type-var]
        patience = settings.first_output_timeout
        while True:
            async with _within(patience, provider):
                try:
                    piece = await anext(stream)
                except StopAsyncIteration:
                    return
            answer.take(piece)
            patience = settings.idle_timeout


@contextlib.asynccontextmanager
async def _within(seconds: float, provider: str) -> AsyncIterator[None]:
    limit = asyncio.timeout(seconds)
    try:
        async with limit:
            yield
    except TimeoutError:
        if limit.expired():
            raise ProviderTimeout(provider, seconds) from None
        raise
