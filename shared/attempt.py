"""One attempt at a run: its circumstances as they become known, and the receipt at its end."""

from __future__ import annotations

import time
from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import UTC, datetime
from typing import Any

from shared import pricing
from shared.audio.cloning.marking import told
from shared.backends.base import Capabilities, Outcome, Usage
from shared.catalog import ModelSpec, Variant
from shared.events import Final
from shared.outputs import AudioOutput
from shared.pool import Lease
from shared.receipts import Receipt, Seconds
from shared.recording import Recorder
from shared.requests import Request
from shared.tasks import Mode


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
    loaded = run.lease.model.facts if run.lease else {}
    facts: dict[str, Any] = {**loaded, **outcome.facts}
    facts["notes"] = dict.fromkeys((*loaded.get("notes", ()), *outcome.facts.get("notes", ())))
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
        notes=(*run.notes, *facts.pop("notes")),
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
