"""Parts are joined without clicks, in pieces of any length, and the times told are those of the sound."""

from __future__ import annotations

import numpy as np
import pytest

from shared.audio.joining import FADE, MARGIN, Joiner
from shared.audio.pcm import to_pcm, to_samples
from shared.audio.script import Utterance
from shared.audio.speaking import Speaking
from shared.events import AudioChunk, Event, Progress, Word
from shared.streaming import Emitter

RATE = 8000


def tone(seconds: float, hertz: float = 220.0, loud: float = 0.5, phase: float = 1.0) -> np.ndarray:
    return (loud * np.sin(2 * np.pi * hertz * np.arange(round(seconds * RATE)) / RATE + phase)).astype(np.float32)


def quiet(seconds: float) -> np.ndarray:
    return np.zeros(round(seconds * RATE), np.float32)


def joined(parts: list[tuple[np.ndarray, float]], piece: int) -> np.ndarray:
    joiner, out = Joiner(RATE), []
    for samples, pause in parts:
        for at in range(0, len(samples), piece):
            out.append(joiner.add(samples[at : at + piece]))
        out.append(joiner.end(pause))
    return np.concatenate([*out, joiner.finish()])


FADED = round(FADE * RATE)
STEEPEST = float(np.abs(np.diff(tone(1.0))).max())


def soft(sound: np.ndarray) -> np.ndarray:
    """With edges that are no click of their own."""
    edge = np.linspace(0, 1, 100, dtype=np.float32)
    return np.concatenate([sound[:100] * edge, sound[100:-100], sound[-100:] * edge[::-1]])


@pytest.mark.parametrize("piece", [37, 1000, 10**6])
@pytest.mark.parametrize("pause", [0.0, 0.2])
@pytest.mark.parametrize("around", [0.0, 0.3])
def test_no_step_is_steeper_than_the_sound_itself(piece: int, pause: float, around: float) -> None:
    shaped = soft if around else lambda sound: sound  # one that is cut off in full swing is given soft edges
    tones = [shaped(tone(0.5, phase=phase)) for phase in (1.0, 2.0, 4.0)]
    sound = joined([(np.concatenate([quiet(around), each, quiet(around)]), pause) for each in tones], piece)
    assert np.abs(np.diff(sound)).max() < 1.5 * STEEPEST
    assert abs(sound[0]) < 0.01 and abs(sound[-1]) < 0.01


@pytest.mark.parametrize("piece", [64, 10**6])
def test_silence_is_trimmed_and_the_pause_is_the_one_asked(piece: int) -> None:
    first, second = np.concatenate([quiet(0.5), tone(0.5), quiet(0.7)]), np.concatenate([quiet(0.3), tone(0.5)])
    sound = joined([(first, 0.25), (second, 0.0)], piece)
    loud = np.flatnonzero(np.abs(sound) > 0.02)
    gap = np.diff(loud).max() / RATE
    assert gap == pytest.approx(0.25 + 2 * MARGIN, abs=0.02)
    assert len(sound) / RATE == pytest.approx(1.0 + 0.25 + 4 * MARGIN, abs=0.06)


def test_how_the_pieces_fall_changes_nothing() -> None:
    parts = [(np.concatenate([quiet(0.2), tone(0.4), quiet(0.3), tone(0.2), quiet(0.1)]), 0.1), (tone(0.3), 0.0)]
    whole = joined(parts, 10**6)
    for piece in (13, 500, 2222):
        assert np.allclose(joined(parts, piece), whole, atol=1e-6)


def test_silence_within_a_part_stays() -> None:
    sound = joined([(np.concatenate([tone(0.2), quiet(0.6), tone(0.2)]), 0.0)], 100)
    assert len(sound) / RATE == pytest.approx(1.0 + 2 * MARGIN, abs=0.1)


def test_a_cross_fade_of_unlike_sounds_keeps_their_power() -> None:
    noise = (0.1 * np.random.default_rng(1).standard_normal((200, 2, 2000))).astype(np.float32)
    seams = []
    for one, other in noise:
        one[-1] = other[0] = 0.1  # loud to the very end, so that both are faded there and no margin is added
        sound = joined([(one, 0.0), (other, 0.0)], 10**6)
        seams.append(sound[len(sound) - 2000 : len(sound) - 2000 + FADED])
    assert np.mean(np.square(seams)) == pytest.approx(0.01, rel=0.1)


def test_parts_without_a_sound_leave_no_gap() -> None:
    assert len(joined([(quiet(1.0), 0.3), (quiet(0.1), 0.0)], 50)) == 0
    assert len(joined([(np.zeros(0, np.float32), 0.3)], 50)) == 0


def spoken(parts: list[tuple[str, np.ndarray, float]], words: tuple[Word, ...] = ()) -> tuple[list[Event], Speaking]:
    events: list[Event] = []
    speaking = Speaking(Emitter(events.append), RATE, len(parts))
    for text, samples, pause in parts:
        speaking.begin(Utterance(text, None, "Ann", pause))
        speaking.add(samples)
        speaking.end(words)
    return events, speaking


def test_chunks_make_the_whole_and_say_where_they_begin() -> None:
    events, speaking = spoken([("Hello there.", tone(0.5), 0.2), ("Bye.", tone(0.3), 0.0)])
    output = speaking.output()
    chunks = [e for e in events if isinstance(e, AudioChunk)]
    assert b"".join(c.pcm for c in chunks) == output.pcm
    ends = np.cumsum([c.seconds for c in chunks])
    assert [c.start for c in chunks[1:]] == pytest.approx(ends[:-1], abs=1e-3)
    assert [e.step for e in events if isinstance(e, Progress)] == [0, 1]
    assert tuple(w for c in chunks for w in c.words) == output.words
    assert [w.text for w in output.words] == ["Hello", "there.", "Bye."]
    assert output.words[1].end == pytest.approx(0.5, abs=0.01)
    assert output.words[2].start == pytest.approx(0.7, abs=0.01)


def test_an_engines_own_times_are_moved_with_what_was_trimmed() -> None:
    sound = np.concatenate([quiet(1.0), tone(0.5)])
    _, speaking = spoken([("Hi", sound, 0.0)], (Word("Hi", 1.0, 1.5),))
    (word,) = speaking.output().words
    assert (
        word.exact
        and word.start == pytest.approx(MARGIN, abs=0.01)
        and word.end == pytest.approx(0.5 + MARGIN, abs=0.01)
    )


def test_samples_survive_the_way_there_and_back() -> None:
    samples = np.linspace(-1, 1, 1001, dtype=np.float32)
    assert np.abs(to_samples(to_pcm(samples)) - samples).max() < 1 / 32000
    wild = np.array([np.nan, np.inf, -np.inf, 7.0, -7.0], np.float32)
    assert to_samples(to_pcm(wild)).tolist() == [0.0, 1.0, -1.0, 1.0, -1.0]
    assert len(to_samples(b"\x01\x02\x03")) == 1
