"""A piece is heard as it is written: its pitches, its lengths, its loudness, always the same."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

from shared.errors import CorruptWeights
from shared.music.piece import Note
from shared.music.soundfont import SoundFont
from shared.music.synth import RATE, TAIL, play
from shared.outputs import AudioOutput
from tests.support.tiny_music import played, soundfont


@pytest.fixture(scope="module")
def font(tmp_path_factory: pytest.TempPathFactory) -> SoundFont:
    return SoundFont(soundfont(tmp_path_factory.mktemp("font") / "sine.sf2"))


def samples(sound: AudioOutput) -> np.ndarray:
    return np.frombuffer(sound.pcm, "<i2").reshape(-1, 2).astype(float)


def hertz(part: np.ndarray) -> float:
    """The strongest frequency."""
    spectrum = np.abs(np.fft.rfft(part * np.hanning(len(part)), 4 * len(part)))
    return float(spectrum.argmax() * RATE / (4 * len(part)))


@pytest.mark.parametrize("pitch", [48, 60, 69, 76, 88])
def test_a_note_has_its_pitch_its_place_and_its_length(font: SoundFont, pitch: int) -> None:
    piece = played(96, notes=(Note(0, 48, 24, pitch),))  # half a second, from the first second on
    sound = play(piece, font, "flute")
    heard = samples(sound)[:, 0]
    assert sound.sample_rate == RATE and sound.channels == 2
    assert sound.seconds == pytest.approx(piece.seconds + TAIL, abs=0.01)
    assert hertz(heard[int(1.05 * RATE) : int(1.4 * RATE)]) == pytest.approx(441 * 2 ** ((pitch - 69) / 12), rel=0.005)
    loud = np.abs(heard).max()
    assert np.abs(heard[: int(0.99 * RATE)]).max() == 0
    assert np.abs(heard[int(1.8 * RATE) :]).max() < 0.1 * loud  # the room's echo


def test_the_same_piece_is_the_same_sound_and_no_louder_with_more_voices(font: SoundFont) -> None:
    one = played(96, notes=(Note(0, 0, 96, 60),))
    four = replace(one, voices=4, notes=tuple(Note(v, 0, 96, p) for v, p in enumerate((72, 67, 64, 48))))
    assert play(four, font, "piano") == play(four, font, "piano")
    for piece in (one, four):
        assert np.abs(samples(play(piece, font, "piano"))).max() == pytest.approx(0.8 * 32767, rel=0.01)


def test_downbeats_are_louder(font: SoundFont) -> None:
    piece = played(96, tempo=20, notes=tuple(Note(0, start, 6, 69) for start in (0, 24, 36)))
    heard = np.abs(samples(play(piece, font, "piano"))[:, 0])
    first, beat, off = (heard[int(at * RATE) : int((at + 0.2) * RATE)].max() for at in (0, 3, 4.5))
    assert first > beat > off > 0.5 * first


def test_a_piece_without_notes_is_silent_and_an_unknown_program_too(font: SoundFont) -> None:
    assert not any(play(played(96), font, "piano").pcm)
    assert not any(play(played(96, notes=(Note(0, 0, 24, 60),)), font, "harp").pcm)
    with pytest.raises(KeyError):
        play(played(96), font, "kazoo")


def test_a_broken_soundfont_is_told(tmp_path: Path) -> None:
    whole = soundfont(tmp_path / "sine.sf2").read_bytes()
    for broken in (
        b"",
        whole[:40],
        whole[:-300],
        b"RIFF" + whole[4:8] + b"WAVE" + whole[12:],
        whole.replace(b"shdr", b"xxxx"),
    ):
        file = tmp_path / "broken.sf2"
        file.write_bytes(broken)
        with pytest.raises(CorruptWeights, match=r"broken\.sf2 is not a whole SoundFont"):
            SoundFont(file)
    with pytest.raises(CorruptWeights):
        SoundFont(tmp_path / "gone.sf2")
