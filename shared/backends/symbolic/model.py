"""The music model in memory: a prompt in, notes out, bar by bar."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from typing import TYPE_CHECKING, Any

from shared.backends.base import Capabilities, Outcome, Usage
from shared.backends.local.parts import OfParts
from shared.backends.local.sampling import Sampler, Sampling
from shared.backends.symbolic.writer import Writer
from shared.errors import Cancelled
from shared.events import Notes, Progress
from shared.music.brief import Brief, brief
from shared.music.wishes import Wish, understand
from shared.outputs import FinishReason, MusicOutput
from shared.requests import MusicRequest

if TYPE_CHECKING:
    from shared.music.language import Vocabulary
    from shared.music.novelty import Known
    from shared.music.piece import Piece
    from shared.requests import Request
    from shared.streaming import Emit


class MusicModel(OfParts):
    """`known`: the tunes that it learned from, to say how much of a piece is in them."""

    def __init__(
        self,
        model: Any,
        vocabulary: Vocabulary,
        known: Known | None,
        capabilities: Capabilities,
        facts: Mapping[str, Any],
    ) -> None:
        super().__init__(model, capabilities, facts)
        self._vocabulary, self._known = vocabulary, known

    def run(self, request: Request, emit: Emit) -> Outcome:
        """Write the piece; `Notes` after every bar. One that is stopped keeps its whole bars."""
        assert isinstance(request, MusicRequest)
        wish = understand(request.prompt)
        wanted = brief(wish, request.bars, request.duration, request.beginning)
        temperature = 1.0 if request.temperature is None else request.temperature
        top_p = 1.0 if request.top_p is None else request.top_p
        sampling = Sampling(temperature=temperature, top_p=top_p, alternatives=request.top_logprobs or 0)
        writer = Writer(self._parts, self._vocabulary, wanted, Sampler(sampling, request.seed))
        reason: FinishReason = "stop"
        emit(Progress("Writing", 0, wanted.bars))
        try:
            self._write(writer, wanted, emit)
        except Cancelled:
            if not writer.piece.bars:
                raise
            reason = "stopped"
        piece = writer.piece
        facts = {**_facts(wish, wanted), **self._novelty(_own(piece, wanted))}
        guesses = tuple(g for g in writer.guesses if g.start < piece.ticks)
        output = MusicOutput(piece=piece, instrument=wanted.instrument, guesses=guesses, finish_reason=reason)
        return Outcome(output=output, usage=Usage(output_tokens=writer.words), facts=facts)

    def _write(self, writer: Writer, wanted: Brief, emit: Emit) -> None:
        told = 0
        for bar in writer.write():
            emit.check()
            if bar is not None:
                guesses = tuple(writer.guesses[told:])
                told += len(guesses)
                emit(Notes(writer.piece, bar, wanted.bars, wanted.instrument, guesses))
                emit(Progress(f"Bar {bar} of {wanted.bars}", bar, wanted.bars))

    def _novelty(self, piece: Piece) -> dict[str, Any]:
        """Shares of the melody's runs of 5 and 8 notes that are in no known tune; the longest run that is in one."""
        if self._known is None:
            return {}
        shares = {f"new_runs_of_{notes}": self._known.new(piece, notes) for notes in (5, 8)}
        told = {name: round(share, 3) for name, share in shares.items() if share is not None}
        return {"novelty": {**told, "longest_known_run": self._known.longest(piece)}}


def _own(piece: Piece, wanted: Brief) -> Piece:
    """The piece without the notes that were given: what of a tune is known is its owner's matter."""
    begun = wanted.beginning.ticks if wanted.beginning else 0
    return replace(piece, notes=tuple(note for note in piece.notes if note.start >= begun))


def _facts(wish: Wish, wanted: Brief) -> dict[str, Any]:
    facts: dict[str, Any] = {
        "music": {
            **{**wanted.controls, "key": str(wanted.key), "tempo": wanted.tempo, "bars": wanted.bars},
            "instrument": wanted.instrument,
            **({"begun_bars": wanted.beginning.full_bars} if wanted.beginning else {}),
        },
        "understood": [str(meaning) for meaning in wish.meanings],
        "assumed": list(wanted.assumed),
        "unread_words": list(wish.unread),
        "unhonoured": dict(wanted.unfollowed),
    }
    return {name: value for name, value in facts.items() if value}
