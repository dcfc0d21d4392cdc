"""A finished composition is measured and played, and each of its files gives back the screen that made it."""

from __future__ import annotations

import io
import json
import random
from dataclasses import replace
from pathlib import Path
from xml.etree import ElementTree

import pytest
import soundfile

from shared.audio.pcm import to_pcm
from shared.errors import BackendError, InvalidRequest
from shared.media.sound.files import KINDS
from shared.media.sound.labelling import comment, label
from shared.media.sound.restoring import restore as restore_speech
from shared.music.agreement import agreement
from shared.music.composed import Composition, files
from shared.music.finishing import measured, notes, played, played_on
from shared.music.midi import midi, texts
from shared.music.musicxml import musicxml
from shared.music.restoring import restore
from shared.outputs import AudioOutput
from shared.receipts import Receipt
from shared.requests import MusicRequest, SpeechRequest
from shared.settings import Settings
from tests.support.tiny_music import soundfont
from tests.unit.test_music_language import CHORALE, JIG

RECEIPT = Receipt(
    model="tune-starter", name="Tune starter", task="text-to-audio", backend="b", mode="local", license="MIT",
    seed=77, settings={"temperature": 0.5, "top_p": 0.9}, repo_id="/srv/data/models/secret-place/tunes",
)  # fmt: skip
ASKED = MusicRequest(prompt="a “jig” <in> G & 東京, key hf_" + "A1b2" * 6, bars=8, temperature=0.5)
MADE = Composition(music=JIG, bar=3, total=3, instrument="flute", receipt=RECEIPT, finish_reason="stop")
SOUND = AudioOutput(pcm=to_pcm([0.1] * 4410), sample_rate=44_100, channels=2)


def labelled() -> dict[str, bytes]:
    sounds = {kind: label(SOUND, kind, RECEIPT, ASKED) for kind in KINDS}
    return {**notes(MADE, RECEIPT, ASKED), **sounds}


@pytest.mark.parametrize("kind", ["mid", "musicxml", *KINDS])
def test_every_file_gives_back_the_screen_and_tells_no_secret(kind: str) -> None:
    data = labelled()[kind]
    found = restore(data)
    assert found.prompt.startswith("a “jig” <in> G & 東京, key •••")
    assert (found.bars, found.temperature, found.top_p, found.seed) == (8, 0.5, 0.9, 77)
    assert (found.model, found.duration, found.ignored) == ("tune-starter", None, ())
    assert b"A1b2A1b2" not in data and b"secret-place" not in data and b"/srv/" not in data


@pytest.mark.parametrize("kind", ["mid", "musicxml", "wav"])
def test_broken_files_break_nothing(kind: str) -> None:
    data, dice = labelled()[kind], random.Random(1)
    for number in range(200):
        broken = bytearray(data[: number * 9])
        for _ in range(dice.randint(1, 8) if broken else 0):
            broken[dice.randrange(len(broken))] = dice.randrange(256)
        try:
            restore(bytes(broken))
        except InvalidRequest:
            continue


@pytest.mark.parametrize(
    "data",
    [
        *(b"", b"MThd", b"MThd" + bytes(10) + b"MTrk" + bytes(4) + b"\0\xff\x01\xff\xff\xff\xff\xff"),
        b'<miscellaneous-field name="genai_playground">{"genai_playground": 5}</miscellaneous-field>',
        midi(JIG, "flute", "something else"),
        musicxml(JIG, "flute").encode(),
        b'{"request": {"prompt": 5}}',
    ],
)
def test_a_file_that_says_nothing_of_music_is_told(data: bytes) -> None:
    with pytest.raises(InvalidRequest):
        restore(data)


def test_speech_and_music_are_not_taken_for_each_other() -> None:
    spoken = label(SOUND, "wav", RECEIPT, SpeechRequest(text="Hello."))
    with pytest.raises(InvalidRequest, match="Speak tab"):
        restore(spoken)
    with pytest.raises(InvalidRequest):
        restore_speech(labelled()["wav"])


def test_settings_that_no_request_could_hold_are_left_out() -> None:
    request = {"prompt": "a jig", "bars": 2.5, "duration": "NaN", "temperature": 9, "seed": -1, "top_p": 0.5}
    found = restore(json.dumps({"genai_playground": {"request": request}}).encode())
    assert (found.bars, found.duration, found.temperature, found.seed, found.top_p) == (None, None, None, None, 0.5)
    assert len(found.ignored) == 4


def test_other_programs_still_read_the_labelled_files() -> None:
    made = files(CHORALE, "organ", comment(RECEIPT, ASKED))
    (told,) = texts(made["mid"])
    assert json.loads(told)["genai_playground"]["receipt"]["seed"] == 77
    assert made["mid"].endswith(midi(CHORALE, "organ")[-80:])
    score = ElementTree.fromstring(made["musicxml"])
    assert score.findtext("identification/encoding/software") == "Generative-AI playgrounds"
    assert json.loads(score.findtext("identification/miscellaneous/miscellaneous-field") or "") == json.loads(told)
    with soundfile.SoundFile(io.BytesIO(label(SOUND, "flac", RECEIPT, ASKED))) as file:
        assert (file.samplerate, file.channels) == (44_100, 2)


def test_what_is_heard_in_a_piece_stands_in_its_receipt() -> None:
    heard = measured(MADE).extra["heard"]
    assert heard == agreement(JIG) and heard["ends_on_tonic"] == (JIG.notes[-1].pitch % 12 == JIG.key.tonic)
    other = agreement(replace(JIG, key=replace(JIG.key, tonic=(JIG.key.tonic + 6) % 12)))
    assert not other["tonic_agrees"] and not other["key_agrees"] and other["key"] == heard["key"]
    assert agreement(replace(JIG, notes=())) == {}
    assert "heard" not in measured(replace(MADE, music=None)).extra


def test_it_is_played_and_the_receipt_names_the_soundfont(tmp_path: Path) -> None:
    folder = tmp_path / "text2music"
    folder.mkdir()
    (folder / "config.json").write_text("{}", encoding="utf-8")
    settings = Settings(data_dir=tmp_path, weights_dir=tmp_path)
    with pytest.raises(BackendError, match="soundfont"):
        played(MADE, RECEIPT, settings)
    soundfont(folder / "sonivox.sf2")
    heard, receipt = played(MADE, RECEIPT, settings)
    assert heard and any(heard.pcm)
    assert receipt.extra["played_by"] == {
        **{"soundfont": "sonivox.sf2", "licence": "Apache-2.0", "instrument": "flute"},
        "seconds": round(heard.seconds, 3),
    }
    assert played(replace(MADE, music=None), RECEIPT, settings) == (None, RECEIPT)
    assert notes(replace(MADE, music=None), RECEIPT, ASKED) == {}


def test_it_is_played_on_another_instrument_and_says_so() -> None:
    made = replace(MADE, receipt=replace(RECEIPT, extra={"music": {"kind": "jig", "instrument": "flute"}}))
    other = played_on(made, "harp")
    assert other.receipt and other.receipt.extra["music"] == {"kind": "jig", "instrument": "harp"}
    assert other.music == JIG and b"Harp" in notes(other, other.receipt, ASKED)["musicxml"]
    with pytest.raises(KeyError):
        played_on(made, "kazoo")


def test_an_engine_that_makes_sound_is_heard_as_it_is(tmp_path: Path) -> None:
    made = Composition(sound=SOUND, receipt=RECEIPT)
    assert played(made, RECEIPT, Settings(data_dir=tmp_path)) == (SOUND, RECEIPT)
    assert notes(made, RECEIPT, ASKED) == {}
