"""Watches a run's events as they pass: what came so far, and when it began."""

from __future__ import annotations

import io
import time
from collections.abc import Sequence

from shared.backends.base import Outcome
from shared.events import AudioChunk, Event, Frame, Notes, Partial, Piece, Preview
from shared.jobs.book import Book
from shared.jobs.job import JobTold
from shared.music.piece import Guess
from shared.operation.seen import Seen
from shared.outputs import (
    AudioOutput,
    ChatOutput,
    FinishReason,
    ImageOutput,
    MotionOutput,
    MusicOutput,
    SolidOutput,
    VideoOutput,
)
from shared.requests import (
    ImagePart,
    ImageRequest,
    MotionRequest,
    MusicRequest,
    Request,
    SolidRequest,
    SoundRequest,
    SpeechRequest,
    VideoRequest,
)
from shared.streaming import CancelToken, Emit


class Recorder:
    """An `Emit` that keeps what passes through, so that a stopped or broken run loses nothing."""

    def __init__(self, emit: Emit, seen: Seen | None = None) -> None:
        self._emit, self._seen = emit, seen
        self.cancel: CancelToken = emit.cancel
        self.started = time.monotonic()
        self.first_output: float | None = None
        self.last_output: float | None = None
        self.partials: list[Partial] = []
        self.preview: Preview | None = None
        self.sound: list[AudioChunk] = []
        self.notes: Notes | None = None
        self.guesses: list[Guess] = []
        self.frames: list[Frame] = []
        self.book: Book | None = None  # where the run is a job at a provider

    def __call__(self, event: Event) -> None:
        if isinstance(event, Piece):
            self.last_output = time.monotonic()
            self.first_output = self.first_output or self.last_output
        if isinstance(event, Partial):
            self.partials.append(event)
        elif isinstance(event, Preview):
            self.preview = event
        elif isinstance(event, AudioChunk):
            self.sound.append(event)
        elif isinstance(event, Notes):
            self.notes = event
            self.guesses += event.guesses
        elif isinstance(event, Frame):
            self.frames.append(event)
        self._emit(event)

    def check(self) -> None:
        """Raise `Cancelled` if the run was stopped."""
        self._emit.check()

    def job(self, told: JobTold) -> None:
        """Have it written down what became of the job."""
        if self.book is not None:
            self.book.told(told)
            if self._seen is not None:
                self._seen.sent = self.book.sent and told.state != "failed"

    @property
    def bound(self) -> bool:
        """Whether it must not be tried again: output came, or a job that may be paid for was sent."""
        return self.began or (self.book is not None and self.book.sent)

    def restart(self) -> None:
        """The run proper begins now: queue and load are over."""
        if self._seen is not None:
            self._seen.state = "working"
        self.started = time.monotonic()

    @property
    def held(self) -> float:
        """Seconds that it waited for its turn before an engine was asked."""
        return self._seen.held if self._seen is not None else 0.0

    @property
    def began(self) -> bool:
        """Whether any output came."""
        return self.first_output is not None

    def outcome(self, reason: FinishReason, request: Request) -> Outcome:
        """What came so far, as the outcome of a run that did not end by itself."""
        if isinstance(request, ImageRequest):
            return Outcome(output=ImageOutput(images=self._unfinished(), finish_reason=reason))
        if isinstance(request, VideoRequest):
            return Outcome(output=self._clip(reason))
        if isinstance(request, SolidRequest):
            return Outcome(output=SolidOutput(solid=None, finish_reason=reason))
        if isinstance(request, MotionRequest):
            return Outcome(output=MotionOutput(motion=None, finish_reason=reason))
        if isinstance(request, SpeechRequest | SoundRequest):
            return Outcome(output=joined(self.sound, reason))
        if isinstance(request, MusicRequest) and not self.sound:
            return Outcome(output=self._written(reason))
        if isinstance(request, MusicRequest):
            return Outcome(output=joined(self.sound, reason))
        output = ChatOutput(
            text="".join(p.text for p in self.partials),
            thinking="".join(p.thinking for p in self.partials),
            tokens=tuple(t for p in self.partials for t in p.tokens),
            finish_reason=reason,
        )
        return Outcome(output=output)

    def _written(self, reason: FinishReason) -> MusicOutput:
        if self.notes is None:
            return MusicOutput(piece=None, finish_reason=reason)
        kept = tuple(self.guesses)
        return MusicOutput(piece=self.notes.music, instrument=self.notes.instrument, guesses=kept, finish_reason=reason)

    def _clip(self, reason: FinishReason) -> VideoOutput:
        """The frames that were whole, as a clip."""
        if not self.frames:
            return VideoOutput(video=b"", finish_reason=reason)
        from shared.video.encoding import encode

        fps, (width, height) = self.frames[0].fps, self.frames[0].image.size
        return VideoOutput(
            video=encode((frame.image for frame in self.frames), fps),
            width=width,
            height=height,
            num_frames=len(self.frames),
            fps=fps,
            finish_reason=reason,
        )

    def _unfinished(self) -> tuple[ImagePart, ...]:
        """The last preview as a PNG file."""
        if self.preview is None:
            return ()
        file = io.BytesIO()
        self.preview.image.save(file, "PNG")
        return (ImagePart(file.getvalue(), "image/png"),)


def joined(sound: Sequence[AudioChunk], reason: FinishReason) -> AudioOutput:
    """The pieces as one sound; an empty one at 24 kHz where there are none."""
    rate, channels = (sound[0].sample_rate, sound[0].channels) if sound else (24_000, 1)
    words = tuple(word for chunk in sound for word in chunk.words)
    pcm = b"".join(chunk.pcm for chunk in sound)
    return AudioOutput(pcm=pcm, sample_rate=rate, channels=channels, words=words, finish_reason=reason)
