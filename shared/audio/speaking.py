"""Tells of speech while it is made: parts are joined, sent off as chunks with their times, and kept as one sound."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from typing import Any

from shared.audio.joining import Joiner
from shared.audio.pcm import to_pcm
from shared.audio.script import Utterance
from shared.audio.timing import estimated
from shared.events import AudioChunk, Progress, Word
from shared.outputs import Alignment, AudioOutput, Codes, SoundInside
from shared.streaming import Emit

INSIDE = 6  # utterances whose inside is kept: of a long text, the first


class Speaking:
    """One run's sound. `rate`: samples a second, all of one channel. `of`: how many utterances there are.

    For each utterance: `begin`, `add` as often as samples come, `end`. With `mark`, which puts a watermark into an
    utterance's samples, each is heard once it is whole, and nothing leaves without it.
    """

    def __init__(
        self,
        emit: Emit,
        rate: int,
        of: int,
        speed: float | None = None,
        mark: Callable[[Any], Any] | None = None,
    ) -> None:
        self._emit, self.rate, self._of, self._pace = emit, rate, of, speed or 1.0
        self._mark = mark
        self._unmarked: list[Any] = []
        self._inside: list[SoundInside] = []
        self._began_at = 0.0  # of the utterance that ended last, with the silence before it that was trimmed
        self._joiner = Joiner(rate)
        self._pcm: list[bytes] = []
        self._samples = 0
        self._words: list[Word] = []
        self._done = 0
        self._heard: float | None = None  # when the present utterance began to sound

    @property
    def at(self) -> float:
        """Seconds of sound so far."""
        return self._samples / self.rate

    def begin(self, utterance: Utterance) -> None:
        """The next utterance is being made."""
        self._utterance, self._heard, self._joiner.dropped = utterance, None, 0
        message = "Speaking" if self._of == 1 else f"Speaking, part {self._done + 1} of {self._of}"
        self._emit(Progress(message, self._done, self._of))

    def add(self, samples: Any) -> None:
        """More of it: float32 samples of one channel."""
        if self._mark is not None:
            self._unmarked.append(samples)
        else:
            self._give(self._joiner.add(samples))

    def end(self, words: Iterable[Word] = ()) -> None:
        """It is over. `words`: with times counted from the first sample that was added, where the engine knows them."""
        import numpy

        if self._mark is not None and self._unmarked:
            whole, self._unmarked = numpy.concatenate(self._unmarked), []
            self._give(self._joiner.add(self._mark(whole)))
        pause = self._utterance.pause / self._pace
        rest = self._joiner.end(pause)
        silence = round(pause * self.rate)
        begun = self.at if self._heard is None else self._heard
        sounded = (self._samples + len(rest) - (silence if len(rest) >= silence else 0)) / self.rate
        told = self._placed(words, begun) or estimated(self._utterance.text, begun, sounded, self._utterance.speaker)
        self._began_at = begun - self._joiner.dropped / self.rate
        self._done += 1
        if self._done == self._of:
            rest = numpy.concatenate([rest, self._joiner.finish()])
        self._give(rest, told if sounded > begun else ())

    def tell(self, seconds: float, codes: Codes | None, alignment: Alignment | None) -> None:
        """What the model had in hand for the utterance that has just ended, which was so long before it was trimmed."""
        if len(self._inside) < INSIDE and (codes is not None or alignment is not None):
            self._inside.append(
                SoundInside(
                    start=round(self._began_at, 3),
                    end=round(self._began_at + seconds, 3),
                    codes=codes,
                    alignment=alignment,
                )
            )

    def _placed(self, words: Iterable[Word], begun: float) -> tuple[Word, ...]:
        """The engine's own times as times of the whole: what was silent before the first sound is left out."""
        shift = begun - self._joiner.dropped / self.rate
        speaker = self._utterance.speaker
        return tuple(
            Word(w.text, round(max(begun, w.start + shift), 3), round(max(begun, w.end + shift), 3), speaker, True)
            for w in words
        )

    def say(self, utterance: Utterance, samples: Any) -> None:
        """A whole utterance at once."""
        self.begin(utterance)
        self.add(samples)
        self.end()

    def output(self) -> AudioOutput:
        """All of it."""
        self._give(self._joiner.finish())
        return AudioOutput(
            pcm=b"".join(self._pcm), sample_rate=self.rate, words=tuple(self._words), inside=tuple(self._inside)
        )

    def _give(self, samples: Any, words: tuple[Word, ...] = ()) -> None:
        if not len(samples) and not words:
            return
        if len(samples) and self._heard is None:
            self._heard = self.at
        chunk = AudioChunk(to_pcm(samples), self.rate, round(self.at, 4), words=words)
        self._samples += len(samples)
        self._pcm.append(chunk.pcm)
        self._words += words
        self._emit(chunk)
