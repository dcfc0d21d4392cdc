"""What a finished speech or sound goes through before anybody gets it: measured, its receipt written into its file."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import Any

from shared.audio import loudness
from shared.audio.pcm import to_samples
from shared.media.sound.files import Kind, kind_of
from shared.media.sound.labelling import label
from shared.media.sound.subtitles import srt, vtt
from shared.outputs import AudioOutput
from shared.receipts import Receipt
from shared.requests import Request


@dataclass(frozen=True)
class Finished:
    """The file as a person gets it, its subtitles ("" where no word has a time), and the receipt with the measures."""

    data: bytes
    kind: Kind
    srt: str
    vtt: str
    receipt: Receipt


def finish(sound: AudioOutput, receipt: Receipt, request: Request, kind: str) -> Finished:
    """The finished sound. Raises `InvalidRequest` for a kind of file that isn't there, `MissingDependency`."""
    whole = replace(receipt, extra={**receipt.extra, **measures(sound)})
    timed = (srt(sound.words), vtt(sound.words)) if sound.words else ("", "")
    return Finished(label(sound, kind, whole, request), kind_of(kind), *timed, whole)


def measures(sound: AudioOutput) -> dict[str, Any]:
    """Loudness (LUFS), peak (decibels of full scale) and pace (words a minute), each where there is one."""
    samples = to_samples(sound.pcm)
    spoken = sum(word.end - word.start for word in sound.words)
    found = {
        "loudness_lufs": loudness.integrated(samples, sound.sample_rate),
        "peak_db": loudness.peak(samples),
        "words_per_minute": round(60 * len(sound.words) / spoken) if spoken > 0.5 else None,
        "word_times": None if not sound.words else "exact" if all(w.exact for w in sound.words) else "estimated",
    }
    return {name: value for name, value in found.items() if value is not None}
