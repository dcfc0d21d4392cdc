"""Sounds become files that hold what made them, whatever the kind, and are read back with care."""

from __future__ import annotations

import io
import json
import random
import struct
import wave

import numpy as np
import pytest
import soundfile

from shared.audio.pcm import to_pcm, to_samples
from shared.errors import InvalidRequest
from shared.media.sound.files import KINDS, encode
from shared.media.sound.labelling import label
from shared.media.sound.opening import open_sound
from shared.media.sound.recoding import recode
from shared.media.sound.restoring import restore
from shared.media.sound.tags import comments
from shared.outputs import AudioOutput
from shared.receipts import Receipt
from shared.requests import SpeechRequest

RATE = 24_000
SOUND = AudioOutput(pcm=to_pcm(0.3 * np.sin(np.arange(RATE) * 2 * np.pi * 220 / RATE)), sample_rate=RATE)
RECEIPT = Receipt(
    model="hibari", name="hibari", task="text-to-speech", backend="hibari", mode="quantized", license="Apache-2.0",
    seed=77, settings={"voice": "heart-low", "speed": 1.5}, repo_id="/srv/data/models/secret-place/voice",
)  # fmt: skip
REQUEST = SpeechRequest(
    text="Ann: “Grüße”, said 東京 🎉.\nBen: key hf_" + "A1b2" * 6 + " ends.",
    voice="heart-low", speed=1.5, speakers=(("Ann", "heart"), ("Ben", "heart-low")),
)  # fmt: skip


@pytest.mark.parametrize("kind", KINDS)
def test_a_file_is_what_it_says_and_sounds_as_it_should(kind: str) -> None:
    data = label(SOUND, kind, RECEIPT, REQUEST)
    with soundfile.SoundFile(io.BytesIO(data)) as file:
        assert (file.samplerate, file.channels) == (RATE, 1)
        heard = file.read(dtype="float32")
    assert abs(len(heard) - RATE) < 3000
    if kind in {"wav", "flac"}:
        assert to_pcm(heard) == SOUND.pcm
    assert np.sqrt(np.mean(heard**2)) == pytest.approx(0.3 / np.sqrt(2), rel=0.1)


@pytest.mark.parametrize("kind", KINDS)
def test_a_file_gives_back_the_screen_that_made_it(kind: str) -> None:
    found = restore(label(SOUND, kind, RECEIPT, REQUEST))
    assert found.text.startswith("Ann: “Grüße”, said 東京 🎉.\nBen: key •••")
    assert (found.voice, found.speed, found.seed, found.model) == ("heart-low", 1.5, 77, "hibari")
    assert found.speakers == (("Ann", "heart"), ("Ben", "heart-low")) and found.ignored == ()


@pytest.mark.parametrize("kind", KINDS)
def test_a_file_holds_no_key_and_no_place_of_this_machine(kind: str) -> None:
    data = label(SOUND, kind, RECEIPT, REQUEST)
    assert b"A1b2A1b2" not in data and b"secret-place" not in data and b"/srv/" not in data
    (text,) = [t for t in comments(data) if "genai_playground" in t]
    assert json.loads(text)["genai_playground"]["receipt"]["seed"] == 77


def test_a_wav_is_read_by_any_reader() -> None:
    with wave.open(io.BytesIO(label(SOUND, "wav", RECEIPT, REQUEST))) as file:
        assert (file.getframerate(), file.getnchannels(), file.getsampwidth()) == (RATE, 1, 2)
        assert file.readframes(10**9) == SOUND.pcm


@pytest.mark.parametrize("kind", KINDS)
def test_a_long_text_is_kept_whole(kind: str) -> None:
    text = "A sentence of a long text. " * 1500
    found = restore(label(SOUND, kind, RECEIPT, SpeechRequest(text=text)))
    assert found.text == text


@pytest.mark.parametrize("kind", KINDS)
def test_a_wav_becomes_another_kind_and_keeps_its_receipt(kind: str) -> None:
    made = recode(label(SOUND, "wav", RECEIPT, REQUEST), kind)
    assert restore(made).seed == 77 and restore(made).text == restore(label(SOUND, kind, RECEIPT, REQUEST)).text
    with soundfile.SoundFile(io.BytesIO(made)) as file:
        assert (file.samplerate, file.channels) == (RATE, 1) and abs(file.frames - RATE) < 3000


def test_another_kind_is_refused() -> None:
    with pytest.raises(InvalidRequest, match="wav, flac, mp3, ogg"):
        encode(SOUND, "exe")


@pytest.mark.parametrize("kind", KINDS)
def test_a_file_that_is_cut_anywhere_breaks_nothing(kind: str) -> None:
    data = label(SOUND, kind, RECEIPT, REQUEST)
    for end in [*range(0, 200, 7), *range(200, min(len(data), 6000), 97)]:
        list(comments(data[:end]))
        try:
            restore(data[:end])
        except InvalidRequest:
            continue


@pytest.mark.parametrize("kind", KINDS)
def test_bytes_that_are_changed_anywhere_break_nothing(kind: str) -> None:
    data, dice = label(SOUND, kind, RECEIPT, REQUEST), random.Random(1)
    for _ in range(150):
        broken = bytearray(data[:8000])
        for _ in range(dice.randint(1, 8)):
            broken[dice.randrange(min(len(broken), 2500))] = dice.randrange(256)
        try:
            restore(bytes(broken))
        except InvalidRequest:
            continue


def wav_with(comment: bytes) -> bytes:
    info = b"INFOICMT" + struct.pack("<I", len(comment)) + comment
    return b"RIFF\0\0\0\0WAVELIST" + struct.pack("<I", len(info)) + info


HOSTILE = [
    b"",
    b"not a sound",
    b"RIFF\xff\xff\xff\xffWAVE",
    b"RIFF\0\0\0\0AVI LIST",
    b"fLaC" + b"\x04\xff\xff\xff" + b"\xff" * 50,
    b"OggS" + b"\0" * 22 + b"\xff" + b"\xff" * 255 + b"x" * 300,
    b"ID3\x04\0\0\x7f\x7f\x7f\x7fCOMM\x7f\x7f\x7f\x7f\0\0",
    b"ID3\x03\0\0\0\0\1\0COMM\0\0\0\x08\0\0\x01engxx",
    wav_with(b'{"genai_playground": ' + b"[" * 5000),
    wav_with(b'{"genai_playground": {"request": {"text": 5}}}'),
    wav_with(b'{"genai_playground": {"request": {"text": "   "}}}'),
    wav_with(b'{"genai_playground": null}'),
    wav_with(b'{"genai_playground": [1]}'),
    b'{"request": {"text": {}}}',
    b'{"a": ' * 2000,
]


@pytest.mark.parametrize("data", HOSTILE, ids=range(len(HOSTILE)))
def test_a_file_that_says_nothing_is_told(data: bytes) -> None:
    with pytest.raises(InvalidRequest):
        restore(data)


def test_settings_that_no_request_could_hold_are_left_out_and_told() -> None:
    request = {
        "text": "Hello\x00\x1b[31m <script>alert(1)</script>", "voice": ["x"], "speed": 1e9, "seed": -5,
        "temperature": "NaN", "guidance_scale": True, "speakers": [["Ann", "heart"], ["Ben"], 7, ["\n", "x"]],
        "language": "en",
    }  # fmt: skip
    document = {"genai_playground": {"request": request, "receipt": {"model": 7, "settings": "no"}}}
    found = restore(wav_with(json.dumps(document).encode()))
    assert found.text == "Hello[31m <script>alert(1)</script>" and found.language == "en"
    assert (found.voice, found.speed, found.seed, found.temperature, found.guidance_scale, found.model) == (None,) * 6
    assert found.speakers == (("Ann", "heart"),)
    told = " ".join(found.ignored)
    assert all(name in told for name in ("voice", "speed", "seed", "temperature", "guidance_scale", "speakers"))


def test_the_json_of_a_receipt_restores_too() -> None:
    document = {"request": {"text": "Hi", "seed": 3}, "receipt": {"model": "hibari"}}
    for whole in (document, {"genai_playground": document}):
        found = restore(json.dumps(whole).encode())
        assert (found.text, found.seed, found.model) == ("Hi", 3, "hibari")


@pytest.mark.parametrize("kind", KINDS)
def test_sounds_of_others_are_opened(kind: str) -> None:
    samples, rate = open_sound(encode(SOUND, kind))
    assert rate == RATE and abs(len(samples) - RATE) < 3000
    assert np.abs(samples).max() == pytest.approx(0.3, abs=0.05)


def test_two_channels_become_one() -> None:
    both = np.stack([to_samples(SOUND.pcm), np.zeros(RATE, np.float32)], axis=1)
    data = io.BytesIO()
    soundfile.write(data, both, RATE, format="WAV", subtype="FLOAT")
    samples, _ = open_sound(data.getvalue())
    assert np.abs(samples).max() == pytest.approx(0.15, abs=0.01)


@pytest.mark.parametrize("data", [b"", b"RIFFxxxxWAVE", b"\xff\xfb" * 20, b"OggS" * 20, encode(SOUND, "flac")[:500]])
def test_what_is_no_sound_is_told(data: bytes) -> None:
    with pytest.raises(InvalidRequest, match="can't be read"):
        open_sound(data)


def test_a_sound_that_is_too_long_or_too_large_is_told() -> None:
    with pytest.raises(InvalidRequest, match=r"longer than 0\.5 seconds"):
        open_sound(encode(SOUND, "flac"), max_seconds=0.5)
    with pytest.raises(InvalidRequest, match="larger than"):
        open_sound(b"x" * 1001, max_bytes=1000)
