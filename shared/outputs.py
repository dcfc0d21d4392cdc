"""What a run makes, one class a task."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any, Literal

if TYPE_CHECKING:
    from shared.events import Token, Word
    from shared.motion.skeleton import Motion
    from shared.music.piece import Guess, Piece
    from shared.requests import ImagePart
    from shared.solid.lifting import Lift
    from shared.solid.mesh import Solid

# How an answer ended: by itself, at the token limit, by the person, by a filter, or by a broken connection.
FinishReason = Literal["stop", "length", "stopped", "content_filter", "cut"]


@dataclass(frozen=True, kw_only=True)
class ChatOutput:
    """An assistant's answer. `tokens` is filled where log-probabilities were asked for and given."""

    text: str
    thinking: str = ""
    finish_reason: FinishReason = "stop"
    tokens: tuple[Token, ...] = ()


@dataclass(frozen=True, kw_only=True)
class ImageOutput:
    """Pictures as encoded files, in the order of their seeds. One that was stopped may hold an unfinished picture.

    `seeds`: of each picture, where the engine has seeds. `attention`: where it was asked for and the engine can tell.
    """

    images: tuple[ImagePart, ...]
    seeds: tuple[int, ...] = ()
    finish_reason: FinishReason = "stop"
    attention: AttentionMaps | None = None


@dataclass(frozen=True, kw_only=True)
class AttentionMaps:
    """Where a model looked for each word: the share of attention that each patch of the picture gave it, 0 to 1.

    The mean over heads, steps and layers. `by_size`: rows and columns of patches -> array (words, rows, columns).
    """

    words: tuple[str, ...]
    by_size: Mapping[tuple[int, int], Any]


@dataclass(frozen=True, kw_only=True)
class Codes:
    """A part of a sound as a codec's tokens: int32 array (codebooks, frames), the coarsest first, each below `size`."""

    tokens: Any
    size: int


@dataclass(frozen=True, kw_only=True)
class Alignment:
    """Which sign of a text sounded when: float32 array (signs, frames), of each frame the share of each sign.

    `exact`: from durations that the model sets; otherwise from where it looked, which may be elsewhere.
    """

    signs: tuple[str, ...]
    share: Any
    exact: bool


@dataclass(frozen=True, kw_only=True)
class SoundInside:
    """What a model had in hand for the part of a sound from `start` to `end` (seconds), as far as it can tell."""

    start: float
    end: float
    codes: Codes | None = None
    alignment: Alignment | None = None


@dataclass(frozen=True, kw_only=True)
class AudioOutput:
    """A sound: 16-bit signed little-endian samples, those of all channels after one another, `sample_rate` a second.

    `words`: of speech, in order, with their times. `inside`: of its first parts, where the engine can tell.
    """

    pcm: bytes
    sample_rate: int
    channels: int = 1
    words: tuple[Word, ...] = ()
    finish_reason: FinishReason = "stop"
    inside: tuple[SoundInside, ...] = field(default=(), compare=False)

    @property
    def seconds(self) -> float:
        """How long it sounds."""
        return len(self.pcm) / (2 * self.channels * self.sample_rate)


@dataclass(frozen=True, kw_only=True)
class MusicOutput:
    """Music as notes, None where it was stopped before its first bar. `shared.music` makes sound and scores of it.

    `instrument`: a name of `shared.music.instruments`, what it is meant to be played on. `guesses`: where asked for.
    """

    piece: Piece | None
    instrument: str = "piano"
    guesses: tuple[Guess, ...] = ()
    finish_reason: FinishReason = "stop"


@dataclass(frozen=True, kw_only=True)
class VideoOutput:
    """A clip as an encoded file; an empty one where it was stopped before its first frame.

    `width` and `height` in pixels, `fps` frames a second. `steps`: where every step's preview was asked for, contact
    sheets of the frames after each, as PNG files.
    """

    video: bytes
    media_type: str = "video/mp4"
    width: int = 0
    height: int = 0
    num_frames: int = 0
    fps: float = 0.0
    steps: tuple[ImagePart, ...] = ()
    finish_reason: FinishReason = "stop"

    @property
    def seconds(self) -> float:
        """How long it plays."""
        return self.num_frames / self.fps if self.fps else 0.0


@dataclass(frozen=True, kw_only=True)
class SolidOutput:
    """A thing in three dimensions, None where it was stopped before there was one.

    `picture`: what it was made of, where it was made of one. `lift`: how it came about, of engines that lift pictures;
    `field`: of engines that make a field, its numbers (n, n, n) by x, y and z, positive within and 0 at the surface.
    """

    solid: Solid | None
    picture: ImagePart | None = None
    lift: Lift | None = None
    field: Any = None
    finish_reason: FinishReason = "stop"


@dataclass(frozen=True, kw_only=True)
class MotionOutput:
    """A skeleton that moves, None where it was stopped before there was one."""

    motion: Motion | None
    finish_reason: FinishReason = "stop"
