"""What a run tells while it goes on. Plain, frozen and picklable: they cross threads and processes."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from PIL.Image import Image

    from shared.music.piece import Guess
    from shared.music.piece import Piece as Music
    from shared.receipts import Receipt


@dataclass(frozen=True)
class Progress:
    """Work that shows no output yet. `step` of `total` where both are known; `elapsed` in seconds."""

    message: str
    step: float | None = None
    total: float | None = None
    elapsed: float | None = None


@dataclass(frozen=True)
class Preview:
    """An unfinished picture of the output, after `step` of `total` steps where both are known.

    `frames`: of a clip, those that stand for it, in order, to be shown at `fps` a second; `image` is the first.
    """

    image: Image
    step: int | None = None
    total: int | None = None
    frames: tuple[Image, ...] = ()
    fps: float = 0.0


@dataclass(frozen=True)
class Alternative:
    """A token the model might have chosen, and the natural logarithm of its probability."""

    text: str
    logprob: float


@dataclass(frozen=True)
class Token:
    """A token the model chose, with the likeliest tokens at its place, likeliest first."""

    text: str
    logprob: float
    alternatives: tuple[Alternative, ...] = ()


@dataclass(frozen=True)
class Partial:
    """A piece of text as it comes: added to the answer (`text`) or to the thinking before it (`thinking`)."""

    text: str = ""
    thinking: str = ""
    tokens: tuple[Token, ...] = ()


@dataclass(frozen=True)
class Word:
    """A word that is spoken, from `start` to `end` in seconds of the sound. `speaker`: a name of the script.

    `exact`: the engine itself gave the times; otherwise they are estimated.
    """

    text: str
    start: float
    end: float
    speaker: str = ""
    exact: bool = False


@dataclass(frozen=True)
class AudioChunk:
    """A piece of the sound as it comes: samples as in `AudioOutput`, that begin at `start` seconds of the whole.

    `words` are those whose times became known with it.
    """

    pcm: bytes
    sample_rate: int
    start: float
    channels: int = 1
    words: tuple[Word, ...] = ()

    @property
    def seconds(self) -> float:
        """How long it sounds."""
        return len(self.pcm) / (2 * self.channels * self.sample_rate)


@dataclass(frozen=True)
class Notes:
    """Music as far as it is written: `bar` bars of `total`. `instrument`: what it is meant to be played on.

    `guesses`: where they were asked for, those since the notes before.
    """

    music: Music
    bar: int
    total: int
    instrument: str = "piano"
    guesses: tuple[Guess, ...] = ()


@dataclass(frozen=True)
class Frame:
    """A finished frame of a clip, `number` of `total`, counted from 0. `fps`: frames a second of the clip."""

    image: Image
    number: int
    total: int
    fps: float


@dataclass(frozen=True)
class Final:
    """The end of a run: its output (one of `shared.outputs`) and the receipt of how it was made."""

    output: Any
    receipt: Receipt


Piece = Partial | Preview | AudioChunk | Notes | Frame  # of the output
Event = Progress | Piece | Final
