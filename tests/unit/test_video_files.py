"""Clips as files: what is written in them, what is read from anybody's, and what is made of them."""

from __future__ import annotations

import io
from collections.abc import Iterator

import numpy as np
import pytest
from PIL import Image

from shared.errors import InvalidRequest
from shared.media.sound.riff import write as wav
from shared.outputs import VideoOutput
from shared.receipts import Receipt
from shared.requests import ImagePart, Shot, VideoRequest
from shared.settings import Settings
from shared.video import subtitles
from shared.video.encoding import Encoder, encode
from shared.video.exporting import KINDS, export
from shared.video.finishing import finish
from shared.video.joining import TRANSITIONS, join
from shared.video.labelling import label
from shared.video.reading import frames, measure, sampled
from shared.video.restoring import restore
from shared.video.smoothing import smooth
from shared.video.sounding import with_sound

REQUEST = VideoRequest(
    prompt="a red apple",
    seed=7,
    camera="zoom_in",
    duration=2,
    shots=(Shot(start=1.0, prompt="a butterfly"),),
    image=ImagePart(b"secret pixels", "image/png"),
)
RECEIPT = Receipt(model="m", name="M", task="text-to-video", backend="travel", mode="local", license="MIT", seed=7)


def clip(count: int = 16, fps: float = 8, colour: tuple[int, int, int] = (255, 0, 0), side: int = 64) -> bytes:
    return encode(walking(count, colour, side), fps)


def walking(count: int, colour: tuple[int, int, int] = (255, 0, 0), side: int = 64) -> Iterator[Image.Image]:
    for number in range(count):
        frame = Image.new("RGB", (side, side), "white")
        frame.paste(colour, (4 + 2 * number, 20, 20 + 2 * number, 36))
        yield frame


def test_a_clip_is_written_while_its_frames_come_and_odd_sides_grow_to_even_ones() -> None:
    data = encode((Image.new("RGB", (63, 33), (n, 0, 0)) for n in range(5)), 12.5)
    known = measure(data)
    assert (known.width, known.height, known.num_frames, known.fps) == (64, 34, 5, 12.5)
    assert encode([], 8) == b""


def test_an_encoder_that_is_left_can_be_closed_twice() -> None:
    encoder = Encoder(8)
    encoder.add(Image.new("RGB", (32, 32)))
    encoder.close()
    encoder.close()
    assert measure(encoder.finish()).num_frames == 1


def test_what_made_a_clip_is_in_its_file_and_comes_back_without_the_pictures() -> None:
    before = clip()
    labelled = label(before, "video/mp4", RECEIPT, REQUEST)
    assert labelled.sidecar is None and b"secret pixels" not in labelled.data
    assert [np.asarray(f).tobytes() for f in frames(labelled.data)] == [np.asarray(f).tobytes() for f in frames(before)]
    found = restore(labelled.data)
    assert (found.prompt, found.seed, found.camera, found.duration, found.model) == (
        "a red apple",
        7,
        "zoom_in",
        2,
        "m",
    )
    assert found.shots == REQUEST.shots and any("from a picture" in words for words in found.ignored)


def test_a_file_that_its_maker_signed_is_left_as_it_is() -> None:
    signed = clip() + b"\x00\x00\x00\x10uuidc2pa"
    labelled = label(signed, "video/mp4", RECEIPT, REQUEST)
    assert labelled.data == signed and labelled.sidecar
    assert restore(labelled.sidecar).prompt == "a red apple"


@pytest.mark.parametrize("kind", KINDS)
def test_a_clip_is_saved_as_other_kinds_with_what_made_it(kind: str) -> None:
    labelled = label(clip(), "video/mp4", RECEIPT, REQUEST).data
    saved = export(labelled, kind)
    known = measure(saved)
    assert known.width == 64 and abs(known.seconds - 2) < 0.2 and len(list(frames(saved))) == 16
    assert restore(saved).prompt == "a red apple"


@pytest.mark.parametrize(
    "data", [b"", b"no clip at all", b"#EXTM3U\nhttp://example.com/a.ts", b"\x00\x00\x00\x20ftypmp42"]
)
def test_what_is_no_clip_is_refused_in_words(data: bytes) -> None:
    with pytest.raises(InvalidRequest, match="can't be read as a clip"):
        measure(data)
    with pytest.raises(InvalidRequest):
        restore(data)


def test_a_clip_cut_short_is_refused_or_read_as_far_as_it_goes() -> None:
    whole = clip()
    with pytest.raises(InvalidRequest):
        list(frames(whole[: len(whole) // 2]))


def test_what_a_file_claims_is_checked_before_it_is_taken() -> None:
    wrong = (
        b'{"genai_playground": {"receipt": {}, "request": {"prompt": "x", "fps": 1e9, "seed": -4, "camera": "dolly",'
    )
    found = restore(wrong + b' "shots": [{"start": 5, "prompt": "b"}, {"start": 1, "prompt": "a"}]}}}')
    assert found.prompt == "x" and found.fps is None and found.seed is None and found.camera is None
    assert found.shots == () and len(found.ignored) == 4


@pytest.mark.parametrize("transition", TRANSITIONS)
def test_clips_are_joined_in_the_size_and_at_the_pace_of_the_first(transition: str) -> None:
    joined = join([clip(16, 8), clip(16, 16, (0, 0, 255), side=48)], transition, 0.5)
    known, shared = measure(joined.video), 0 if transition == "cut" else 4
    assert (known.width, known.fps, known.num_frames) == (64, 8, 24 - shared)
    assert joined.starts == (0.0, (16 - shared) / 8)
    pixels = [np.asarray(frame).astype(int) for frame in frames(joined.video)]
    red, blue = ([p[..., a].sum() - p[..., b].sum() for p in (pixels[0], pixels[-1])] for a, b in ((0, 2), (2, 0)))
    assert red[0] > 0 > red[1] and blue[1] > 0 > blue[0]


def test_too_much_is_not_joined() -> None:
    with pytest.raises(InvalidRequest, match="nothing to join"):
        join([])
    with pytest.raises(InvalidRequest, match="At most 20"):
        join([clip(1)] * 21)
    with pytest.raises(InvalidRequest, match="A transition is one of"):
        join([clip(1)], "explode")


def test_a_sound_is_added_to_the_clip_and_cut_to_its_length() -> None:
    second = (np.sin(np.arange(24_000) * 0.05) * 9000).astype("<i2").tobytes()
    sound = wav(second, 24_000, 1, {})
    assert not measure(clip()).sound
    heard = with_sound(clip(), sound, loop=True)
    assert measure(heard).sound and abs(measure(heard).seconds - 2) < 0.1
    assert measure(export(heard, "webm")).sound
    for wrong in (b"nothing", wav(b"", 24_000, 1, {})):
        with pytest.raises(InvalidRequest):
            with_sound(clip(), wrong)


def test_frames_between_are_guessed() -> None:
    smoother = smooth(clip(), 2)
    known = measure(smoother)
    assert known.fps == 16 and 28 <= known.num_frames <= 32
    with pytest.raises(InvalidRequest, match="2, 3, 4 times"):
        smooth(clip(), 9)


def test_subtitles_are_read_and_drawn_where_they_belong() -> None:
    text = "WEBVTT\n\n00:00.500 --> 00:01.000\nHello <b>there</b>\n\n2\n00:00:01,000 --> 00:00:01,500\nBye"
    cues = subtitles.read(text)
    assert [(cue.start, cue.end, cue.text) for cue in cues] == [(0.5, 1.0, "Hello there"), (1.0, 1.5, "Bye")]
    plain, drawn = (
        [np.asarray(f).astype(int) for f in frames(data)] for data in (clip(), subtitles.drawn(clip(), cues))
    )
    changed = [abs(a - b).max() > 90 for a, b in zip(plain, drawn, strict=True)]
    assert changed == [4 <= number < 12 for number in range(16)]
    with pytest.raises(InvalidRequest, match="no subtitles"):
        subtitles.read("just words")


def test_a_finished_clip_holds_its_receipt() -> None:
    output = VideoOutput(video=clip(), width=64, height=64, num_frames=16, fps=8)
    clear = finish(output, RECEIPT, REQUEST, Settings(safety="off"))
    assert restore(clear.data).prompt == "a red apple" and not clear.words
    assert len(sampled(clear.data, 4)) >= 4


def test_a_decoder_is_not_asked_for_more_than_a_clip_may_be() -> None:
    large = io.BytesIO()
    Image.new("P", (5000, 10)).save(large, "GIF")
    with pytest.raises(InvalidRequest, match="4096 pixels"):
        measure(large.getvalue())
