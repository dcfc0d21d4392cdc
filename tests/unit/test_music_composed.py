"""A composition is shown as it grows, and is heard by the soundfont that lies beside the starter."""

from __future__ import annotations

from pathlib import Path

import pytest

from shared.errors import BackendError, CorruptWeights, InvalidRequest
from shared.events import Event, Final, Notes, Progress
from shared.music.composed import compositions, files, sound
from shared.outputs import MusicOutput
from shared.receipts import Receipt
from shared.settings import Settings
from tests.support.tiny_music import soundfont
from tests.unit.test_music_language import JIG

RECEIPT = Receipt(model="m", name="M", task="text-to-audio", backend="b", mode="local", license="MIT")


def test_it_is_told_bar_by_bar_and_then_whole() -> None:
    events: list[Event] = [Progress("Writing"), Notes(JIG, 1, 3), Notes(JIG, 2, 3)]
    end = Final(MusicOutput(piece=JIG, instrument="flute"), RECEIPT)
    *grown, whole = compositions((event for event in [*events, end]), interval=0)
    assert [(c.bar, c.total) for c in grown] == [(0, 0), (1, 3), (2, 3)]
    assert whole.done and whole.music == JIG and (whole.bar, whole.instrument) == (3, "flute")


def test_an_error_keeps_what_came() -> None:
    def broken() -> object:
        yield Notes(JIG, 1, 3)
        raise InvalidRequest("no")

    *_, last = compositions(broken(), interval=0)  # type: ignore[arg-type]
    assert last.error and last.music == JIG and last.bar == 1


def test_the_sound_is_made_by_the_starters_font_and_its_absence_is_told(tmp_path: Path) -> None:
    settings = Settings(data_dir=tmp_path, weights_dir=tmp_path)
    folder = tmp_path / "text2music"
    folder.mkdir()
    (folder / "config.json").write_text("{}", encoding="utf-8")
    with pytest.raises(BackendError, match=r"soundfont sonivox\.sf2 is not beside"):
        sound(JIG, "flute", settings)
    soundfont(folder / "sonivox.sf2")
    assert sound(JIG, "flute", settings).seconds > JIG.seconds
    assert any(sound(JIG, "flute", settings).pcm)
    (folder / "sonivox.sf2").write_bytes(b"RIFF")
    with pytest.raises(CorruptWeights):
        sound(JIG, "flute", settings)


def test_other_programs_get_their_files() -> None:
    made = files(JIG, "flute")
    assert made["mid"].startswith(b"MThd") and made["musicxml"].startswith(b"<?xml")
