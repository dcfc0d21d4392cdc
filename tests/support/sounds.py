"""What tests of sound need: runs of speech, and figures of what was heard."""

from __future__ import annotations

from typing import Any

import numpy as np

from shared.audio.pcm import to_samples
from shared.events import AudioChunk, Event, Final
from shared.outputs import AudioOutput
from shared.requests import SpeechRequest


def speech(text: str = "Hello there.", **settings: Any) -> SpeechRequest:
    """A request."""
    return SpeechRequest(text=text, **settings)


def final_of(events: list[Event]) -> Final:
    """The one end of a run."""
    (final,) = [event for event in events if isinstance(event, Final)]
    assert events[-1] is final
    return final


def chunks_of(events: list[Event]) -> list[AudioChunk]:
    """The pieces that came while it was made."""
    return [event for event in events if isinstance(event, AudioChunk)]


def streams_what_it_ends_with(events: list[Event]) -> AudioOutput:
    """The pieces, one after another, are the whole, each where it says that it begins; and something is heard."""
    output: AudioOutput = final_of(events).output
    chunks = chunks_of(events)
    assert chunks and b"".join(chunk.pcm for chunk in chunks) == output.pcm
    at = 0.0
    for chunk in chunks:
        assert abs(chunk.start - at) < 1e-3 and chunk.sample_rate == output.sample_rate
        at += chunk.seconds
    assert loudness(output) > 0.01
    times = [t for word in output.words for t in (word.start, word.end)]
    assert times == sorted(times) and (not times or times[-1] <= output.seconds + 0.01)
    return output


def loudness(output: AudioOutput) -> float:
    """Root mean square of the samples; 1 is full scale."""
    samples = to_samples(output.pcm)
    return float(np.sqrt(np.mean(np.square(samples)))) if len(samples) else 0.0


def pitch(output: AudioOutput) -> float:
    """The voice's height in hertz: the strongest lag of the autocorrelation between 60 and 400 Hz, by medians."""
    samples, rate = to_samples(output.pcm), output.sample_rate
    size, low, high = rate // 12, rate // 400, rate // 60
    found = []
    for at in range(0, len(samples) - size, size):
        frame = samples[at : at + size] - samples[at : at + size].mean()
        if np.sqrt(np.mean(frame**2)) < 0.03:
            continue
        likeness = np.correlate(frame, frame, "full")[size - 1 :]
        found.append(rate / (low + int(np.argmax(likeness[low:high]))))
    return float(np.median(found))
