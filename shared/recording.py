"""Watches a run's events as they pass: what came so far, when it began, and the receipt at its end."""

from __future__ import annotations

import io
import time
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime
from typing import Any

from shared import pricing
from shared.audio.cloning.marking import told
from shared.backends.base import Capabilities, Outcome, Usage
from shared.catalog import ModelSpec, Variant
from shared.events import AudioChunk, Event, Final, Frame, Notes, Partial, Piece, Preview
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
from shared.pool import Lease
from shared.receipts import Receipt, Seconds
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
from shared.tasks import Mode


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


@dataclass(kw_only=True)
class Run:
    """One attempt's circumstances, filled in as they become known."""

    spec: ModelSpec
    variant: Variant
    request: Request
    capabilities: Capabilities
    unhonoured: Mapping[str, str] = field(default_factory=dict)
    notes: list[str] = field(default_factory=list)
    lease: Lease | None = None
    peak_gb: float | None = None

    def final(self, outcome: Outcome, recorder: Recorder) -> Final:
        """The end of this run, with its receipt."""
        return Final(outcome.output, _receipt(self, outcome, recorder))


def _receipt(run: Run, outcome: Outcome, recorder: Recorder) -> Receipt:
    spec, variant = run.spec, run.variant
    facts: dict[str, Any] = {**(run.lease.model.facts if run.lease else {}), **outcome.facts}
    usage = _usage(outcome, run, recorder)
    local = variant.mode != Mode.HOSTED
    priced_as = facts.pop("priced_as", None)
    served = facts.get("served_model") or variant.repo_id
    cost = facts.pop("cost", None) or (pricing.LOCAL if local else pricing.price(priced_as, served, usage))
    unhonoured = {**run.unhonoured, **facts.pop("unhonoured", {})}
    settings = {name: value for name, value in run.request.settings().items() if name not in unhonoured}
    return Receipt(
        model=spec.id,
        name=spec.name,
        task=spec.task,
        backend=variant.backend,
        mode=variant.mode,
        license=spec.license,
        starter=spec.starter,
        repo_id=variant.repo_id,
        revision=facts.pop("revision", variant.revision),
        filename=variant.filename,
        device=facts.pop("device", None),
        dtype=facts.pop("dtype", None),
        quantization=facts.pop("quantization", variant.quantization),
        versions=facts.pop("versions", {}),
        seed=settings.pop("seed", None),
        seed_kind=run.capabilities.seed,
        noise_device=facts.pop("noise_device", None),
        settings=settings,
        unhonoured=unhonoured,
        notes=(*run.notes, *facts.pop("notes", ())),
        seconds=_seconds(run, recorder),
        input_tokens=usage.input_tokens,
        output_tokens=usage.output_tokens,
        cached_tokens=usage.cached_tokens,
        reasoning_tokens=usage.reasoning_tokens,
        tokens_per_second=_rate(usage.output_tokens, recorder),
        audio_seconds=_audio_seconds(outcome),
        realtime_factor=_realtime_factor(outcome, recorder),
        memory_gb=_memory(run) if local else None,
        cost_usd=cost.usd,
        cost_note=cost.note,
        finish_reason=getattr(outcome.output, "finish_reason", None),
        created=datetime.now(UTC).isoformat(timespec="seconds"),
        extra={**facts, **told(run.request)},
    )


def _memory(run: Run) -> float | None:
    """The peak where the run ended by itself, otherwise what loading took."""
    if run.peak_gb is not None or run.lease is None:
        return run.peak_gb
    return round(run.lease.memory_gb, 4)


def _usage(outcome: Outcome, run: Run, recorder: Recorder) -> Usage:
    """The engine's own count; for a local run that was stopped, its pieces, which come one a token."""
    usage = outcome.usage
    if usage.output_tokens is None and run.variant.mode != Mode.HOSTED and recorder.partials:
        return Usage(input_tokens=usage.input_tokens, output_tokens=len(recorder.partials))
    return usage


def _seconds(run: Run, recorder: Recorder) -> Seconds:
    first = recorder.first_output
    waited = (run.lease.queue_seconds + recorder.held, run.lease.load_seconds) if run.lease else (recorder.held, 0.0)
    return Seconds(
        queue=round(waited[0], 4),
        load=round(waited[1], 4),
        first_output=None if first is None else round(first - recorder.started, 4),
        total=round(time.monotonic() - recorder.started + sum(waited), 4),
    )


def _rate(tokens: int | None, recorder: Recorder) -> float | None:
    """Tokens a second after the first: (n - 1) / (time of last - time of first)."""
    first, last = recorder.first_output, recorder.last_output
    if not tokens or tokens < 2 or first is None or last is None or last <= first:
        return None
    return round((tokens - 1) / (last - first), 2)


def _audio_seconds(outcome: Outcome) -> float | None:
    return round(outcome.output.seconds, 3) if isinstance(outcome.output, AudioOutput) else None


def _realtime_factor(outcome: Outcome, recorder: Recorder) -> float | None:
    """Seconds of work over seconds of sound: below 1 it is made faster than it is heard."""
    heard = _audio_seconds(outcome)
    return round((time.monotonic() - recorder.started) / heard, 5) if heard else None
