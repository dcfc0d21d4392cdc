"""Pictures that were made to do harm, or came to harm, are refused with words: never a crash, never a hang."""

from __future__ import annotations

import json
import random
import struct
import time
import zlib
from collections.abc import Callable
from dataclasses import fields
from pathlib import Path

import pytest
from PIL import Image

from shared.errors import InvalidRequest
from shared.media.labelling import label
from shared.media.opening import open_picture
from shared.media.restoring import Restored, restore
from shared.receipts import Receipt
from shared.requests import ImagePart, ImageRequest
from tests.support.pictures import A1111_TEXT, chunk, comfyui_png, encoded, graph, png_with, png_with_chunk

RECEIPT = Receipt(model="m", name="M", task="text-to-image", backend="fake", mode="local", license="MIT")
OURS = label(ImagePart(encoded(), "image/png"), RECEIPT, ImageRequest(prompt="a fox"), 1).data
# Pillow says so, and goes on, where an EXIF is broken.
pytestmark = pytest.mark.filterwarnings("ignore:Truncated File Read", "ignore:(Possibly c|C)orrupt EXIF data")
LIMIT = 5.0  # seconds; the worst takes a tenth of that


def read(data: bytes) -> Restored | None:
    """What is read, checked for its types; None where it is refused with words."""
    began = time.perf_counter()
    try:
        found = restore(data)
    except InvalidRequest as error:
        assert len(str(error)) > 30 and str(error).endswith(".")
        return None
    finally:
        assert time.perf_counter() - began < LIMIT
    sound(found)
    return found


def sound(found: Restored) -> None:
    """Whatever the file said, a request can be made of it, and all of it can be shown."""
    held = {f.name: getattr(found, f.name) for f in fields(Restored) if f.name not in ("source", "model", "ignored")}
    ImageRequest(**{**held, "prompt": found.prompt or "-"}).validate()
    for text in (found.prompt, found.negative_prompt or "", found.model or "", *found.ignored):
        assert isinstance(text, str) and "\0" not in text
        text.encode("utf-8")
    assert len(found.ignored) <= 31 and max(map(len, found.ignored), default=0) < 400


@pytest.mark.parametrize("kind", [b"zTXt", b"iTXt"])
def test_a_text_that_unpacks_without_end_is_refused(kind: bytes) -> None:
    packed = zlib.compress(b"a" * 400_000_000, 9)
    head = b"parameters\0\0" if kind == b"zTXt" else b"parameters\0\1\0\0\0"
    bomb = png_with_chunk(kind, head + packed)
    assert len(bomb) < 1_000_000
    with pytest.raises(InvalidRequest, match="can't be read"):
        restore(bomb)


def test_a_text_longer_than_any_settings_is_refused() -> None:
    with pytest.raises(InvalidRequest, match="can't be read"):
        restore(png_with_chunk(b"tEXt", b"parameters\0" + b"a" * 1_000_001))
    assert restore(png_with_chunk(b"tEXt", b"parameters\0" + b"a" * 1_000_000)).source == "a1111"


def test_a_text_under_another_name_is_not_unpacked() -> None:
    bomb = png_with_chunk(b"zTXt", b"Comment\0\0" + zlib.compress(b"a" * 100_000_000, 9), png_with(parameters="a cat"))
    assert restore(bomb).prompt == "a cat"


@pytest.mark.parametrize("keep", [0, 4, 8, 20, 33, 50, -1, -4, -13, -60])
def test_a_file_cut_short_is_refused(keep: int) -> None:
    assert read(OURS[:keep]) is None


@pytest.mark.parametrize(
    "texts",
    [
        {"genai_playground": "[" * 100_000},
        {"genai_playground": '{"request":' * 50_000},
        {"genai_playground": "{}"},
        {"genai_playground": '{"request": {"prompt": 5}}'},
        {"genai_playground": "null"},
        {"genai_playground": '{"request": {"prompt": "a", "seed": ' + "9" * 5000 + "}}"},
        {"prompt": "[" * 100_000},
        {"prompt": '{"3": {"class_type": "KSampler"}}'},
        {"prompt": '{"3": 5, "4": {"class_type": "SaveImage", "inputs": {}}}'},
        {"prompt": json.dumps({str(i): {"class_type": "KSampler", "inputs": {}} for i in range(6000)})},
    ],
)
def test_json_that_is_no_settings_is_refused(texts: dict[str, str]) -> None:
    assert read(png_with(**texts)) is None
    assert read(next(iter(texts.values())).encode()) is None


@pytest.mark.parametrize(
    "value", [True, [1], {"a": 1}, float("nan"), float("inf"), -1, 10**400, "x", "", "9" * 50, "²"]
)
@pytest.mark.parametrize("name", ["width", "num_inference_steps", "guidance_scale", "seed", "strength"])
def test_a_value_of_the_wrong_kind_is_left_out_and_told(name: str, value: object) -> None:
    found = read(json.dumps({"request": {"prompt": "a", name: value}}).encode())
    assert found is not None and getattr(found, name) is None and found.ignored[0].startswith(f"{name}: ")


def test_texts_of_the_wrong_kind_are_left_out_and_told() -> None:
    found = read(json.dumps({"request": {"prompt": "a", "scheduler": [], "negative_prompt": 3}}).encode())
    assert found is not None and (found.scheduler, found.negative_prompt, len(found.ignored)) == (None, None, 2)


def test_halves_of_characters_and_commands_to_a_terminal_are_taken_out() -> None:
    found = read(rb'{"request": {"prompt": "a \ud800 b \u001b[2J\u0000"}, "receipt": {"model": "\udfff"}}')
    assert found is not None and (found.prompt, found.model) == ("a ? b [2J", "?")


def test_links_in_a_circle_end() -> None:
    found = read(
        comfyui_png(
            graph(
                n3={"positive": ["6", 0], "negative": ["3", 0], "latent_image": ["8", 0], "seed": ["20", 0]},
                n6={"text": ["6", 0]},
                n4={"ckpt_name": None, "model": ["4", 0]},
                n8={"samples": ["8", 0]},
                n20={"value": ["21", 0]},
                n21={"value": ["20", 0]},
            )
        )
    )
    assert found is not None and (found.prompt, found.seed, found.width) == ("", None, None)
    assert found.num_inference_steps == 20


def test_links_that_lead_nowhere_or_are_none_are_passed_over() -> None:
    for odd in (["99", 0], ["6"], [], [None, 0], [{}, 0], {"a": 1}, None, 5, True, [["6", 0], 0]):
        found = read(
            comfyui_png(graph(n3={name: odd for name in ("positive", "model", "latent_image", "sampler_name")}))
        )
        assert found is not None and (found.prompt, found.scheduler, found.width) == ("", None, None)


def test_a_graph_of_many_samplers_and_links_ends() -> None:
    links = {f"c{i}": [str(i), 0] for i in range(400)}
    node = {"class_type": "KSampler", "inputs": {"model": 1, "positive": ["0", 0], "latent_image": ["1", 0]}}
    other = {"class_type": "X", "inputs": links}
    nodes = {str(i): other if i < 50 else node for i in range(4900)}
    assert len(json.dumps(nodes)) < 1_000_000
    read(json.dumps(nodes).encode())


@pytest.mark.parametrize(
    "text",
    [
        "Steps: 1" + ", a: [" * 150_000,
        "Steps: 1" + ",:" * 400_000,
        "Steps: 1" + ", " * 400_000 + "Seed: 2",
        "Steps: 1, " + "a" * 900_000,
        "Steps: 1" + ', a: "\\' * 100_000,
        "\n" * 900_000,
        "Negative prompt:" * 60_000,
        "<a:" * 300_000,
        "<" * 900_000,
        ":1" * 400_000,
        "Steps: 1, " + ", ".join(f"k{i}: {i}" for i in range(50_000)),
        "Steps: " + "1" * 900_000,
    ],
)
def test_long_texts_of_settings_end(text: str) -> None:
    read(png_with_chunk(b"tEXt", b"parameters\0" + text.encode()))


def test_a_png_of_a_million_chunks_ends() -> None:
    whole = encoded()
    assert read(whole[:33] + chunk(b"tEXt", b"") * 1_000_000 + whole[33:]) is None


def test_a_file_larger_than_a_picture_is_refused() -> None:
    with pytest.raises(InvalidRequest, match="larger than 20 MB"):
        restore(b"\0" * 20_000_001)


def exif(comment: bytes) -> Image.Exif:
    block = Image.Exif()
    block[0x8769] = {0x9286: comment}
    return block


@pytest.mark.parametrize(
    "block",
    [
        b"Exif\0\0MM\0*\0\0\0\x08\xff\xff" + b"\x87\x69\0\4\0\0\0\1\0\0\0\x08" * 40,  # an EXIF that points at itself
        b"Exif\0\0II*\0\xff\xff\xff\xff",
        b"Exif\0\0",
        b"Exif\0\0MM\0*\0\0\0\x08\0\1\x87\x69\0\4\xff\xff\xff\xff\0\0\0\0",
    ],
)
def test_a_broken_exif_is_refused(block: bytes) -> None:
    whole = encoded("JPEG")
    assert read(whole[:2] + b"\xff\xe1" + struct.pack(">H", len(block) + 2) + block + whole[2:]) is None


SEEDS: dict[str, Callable[[], bytes]] = {
    "ours": lambda: OURS,
    "ours, jpeg": lambda: label(ImagePart(encoded("JPEG"), ""), RECEIPT, ImageRequest(prompt="a fox"), 1).data,
    "ours, webp": lambda: label(ImagePart(encoded("WEBP"), ""), RECEIPT, ImageRequest(prompt="a fox"), 1).data,
    "a1111": lambda: png_with(parameters=A1111_TEXT),
    "a1111, jpeg": lambda: encoded("JPEG", exif=exif(b"UNICODE\0" + A1111_TEXT.encode("utf-16-be"))),
    "comfyui": lambda: comfyui_png(graph()),
    "graph": lambda: json.dumps(graph()).encode(),
}


def mutated(data: bytes, chance: random.Random) -> bytes:
    """Some bytes changed, taken out, doubled, or the end cut off; a PNG's checksums are mended every other time."""
    out = bytearray(data)
    for _ in range(chance.randint(1, 6)):
        at, length = chance.randrange(len(out) or 1), chance.randint(1, 20)
        match chance.randrange(5):
            case 0:
                out[at : at + 1] = bytes([chance.randrange(256)])
            case 1:
                del out[at : at + length]
            case 2:
                out[at:at] = out[at : at + length]
            case 3:
                out[at : at + length] = chance.randbytes(length)
            case 4 if chance.random() < 0.3:
                del out[at:]
    return bytes(out)


def mended(data: bytes) -> bytes:
    """The same PNG with checksums that fit, so that a reader goes on to what the chunks hold."""
    out, at = bytearray(data), 8
    while at + 12 <= len(out):
        end = at + 8 + struct.unpack_from(">I", out, at)[0]
        if end + 4 > len(out):
            break
        struct.pack_into(">I", out, end, zlib.crc32(out[at + 4 : end]))
        at = end + 4
    return bytes(out)


@pytest.mark.parametrize("kind", SEEDS)
def test_files_changed_at_random_are_read_or_refused(kind: str) -> None:
    chance, whole, outcomes = random.Random(kind), SEEDS[kind](), set()
    assert read(whole) is not None
    for _ in range(600):
        data = mutated(whole, chance)
        outcomes.add(read(mended(data) if chance.random() < 0.5 and data.startswith(b"\x89PNG") else data) is None)
    assert outcomes == {True, False}, "the changes are too great or too small to try anything"


def test_noise_is_refused() -> None:
    chance = random.Random(5)
    for head in (b"", b"\x89PNG\r\n\x1a\n", b"\xff\xd8\xff", b"RIFF\x40\0\0\0WEBP", b"{", b"GIF89a"):
        for _ in range(100):
            assert read(head + chance.randbytes(chance.randrange(300))) is None


def test_whatever_is_labelled_is_given_back() -> None:
    """A file that came to harm is kept as it is, or holds a label that can be read."""
    chance = random.Random(11)
    for form in ("PNG", "JPEG", "WEBP"):
        for _ in range(200):
            data = mutated(encoded(form), chance)
            labelled = label(ImagePart(data, ""), RECEIPT, ImageRequest(prompt="a fox"), 3)
            assert labelled.data == data or labelled.sidecar is None
            assert restore(labelled.sidecar or labelled.data).prompt == "a fox"


def png_claiming(width: int, height: int) -> bytes:
    """A PNG of a few bytes that claims to be large, as a bomb does."""
    rows = zlib.compress(b"\0" * 100)
    head = chunk(b"IHDR", struct.pack(">IIBBBBB", width, height, 8, 2, 0, 0, 0))
    return b"\x89PNG\r\n\x1a\n" + head + chunk(b"IDAT", rows) + chunk(b"IEND", b"")


def claiming(form: str) -> bytes:
    """A file whose header claims 20,000 x 20,000 pixels (WebP has at most 16,384)."""
    whole = bytearray(encoded(form))
    if form == "JPEG":
        at = whole.index(b"\xff\xc0")
        struct.pack_into(">HH", whole, at + 5, 20_000, 20_000)
    elif form == "GIF":
        struct.pack_into("<HH", whole, 6, 20_000, 20_000)
    else:
        at = whole.index(b"\x9d\x01\x2a")
        struct.pack_into("<HH", whole, at + 3, 16_000, 16_000)
    return bytes(whole)


BOMBS: dict[str, Callable[[], bytes]] = {
    "png": lambda: png_claiming(30_000, 30_000),
    "png, one row": lambda: png_claiming(2**31 - 1, 1),
    "jpeg": lambda: claiming("JPEG"),
    "gif": lambda: claiming("GIF"),
    "webp": lambda: claiming("WEBP"),
    "webp, lossless": lambda: b"RIFF\x1e\0\0\0WEBPVP8L\x12\0\0\0\x2f" + (2**28 - 1).to_bytes(4, "little") + bytes(20),
    "webp, extended": lambda: b"RIFF\x16\0\0\0WEBPVP8X\x0a\0\0\0\0\0\0\0" + b"\xff\xff\0" * 2,
}


@pytest.mark.parametrize("kind", BOMBS)
def test_a_picture_that_claims_to_be_vast_is_refused_before_it_is_decoded(kind: str) -> None:
    with pytest.raises(InvalidRequest, match=r"more than 40 million\. Shrink it"):
        open_picture(BOMBS[kind]())


def test_a_gif_whose_first_picture_is_larger_than_it_says_is_refused() -> None:
    whole = bytearray(encoded("GIF"))
    at = whole.index(b",", 13 + 3 * 2 ** ((whole[10] & 7) + 1))  # behind the table of colours
    struct.pack_into("<HHHH", whole, at + 1, 0, 0, 9_000, 9_000)
    with pytest.raises(InvalidRequest, match=r"9,000 x 9,000 pixels"):
        open_picture(bytes(whole))


def test_limits_can_be_set_lower() -> None:
    assert open_picture(encoded(), max_pixels=40 * 24).size == (40, 24)
    with pytest.raises(InvalidRequest, match="40 x 24 pixels"):
        open_picture(encoded(), max_pixels=40 * 24 - 1)
    with pytest.raises(InvalidRequest, match=r"larger than 0\.0001 MB"):
        open_picture(encoded(), max_bytes=100)


def test_a_large_file_is_refused_by_its_name_and_not_by_its_place(tmp_path: Path) -> None:
    file = tmp_path / "huge.png"
    with file.open("wb") as opened:
        opened.truncate(3_000_000_000)
    with pytest.raises(InvalidRequest, match=r"^huge\.png is larger than 20 MB"):
        open_picture(file)
    with pytest.raises(InvalidRequest, match=r"^none\.png can't be opened"):
        open_picture(tmp_path / "none.png")


@pytest.mark.parametrize("kind", [b"zTXt", b"iTXt", b"iCCP"])
def test_a_picture_with_a_text_that_unpacks_without_end_is_refused(kind: bytes) -> None:
    head = b"Comment\0\1\0\0\0" if kind == b"iTXt" else b"Comment\0\0"
    with pytest.raises(InvalidRequest, match="holds far more than it shows"):
        open_picture(png_with_chunk(kind, head + zlib.compress(b"a" * 100_000_000, 9)))


@pytest.mark.parametrize("form", ["PNG", "JPEG", "WEBP", "GIF"])
@pytest.mark.parametrize("share", [0.02, 0.3, 0.6, 0.9])
def test_a_picture_cut_short_is_refused(form: str, share: float) -> None:
    whole = encoded(form)
    with pytest.raises(InvalidRequest, match="try again"):
        open_picture(whole[: int(len(whole) * share)])


@pytest.mark.parametrize("form", ["TIFF", "BMP", "ICO", "PPM", "PDF"])
def test_other_forms_are_refused(form: str) -> None:
    with pytest.raises(InvalidRequest, match="is no PNG, JPEG, WebP or GIF"):
        open_picture(encoded(form))


@pytest.mark.parametrize("form", ["PNG", "JPEG", "WEBP", "GIF"])
def test_pictures_changed_at_random_open_or_are_refused(form: str) -> None:
    chance, whole, opened = random.Random(form), encoded(form), 0
    for _ in range(300):
        data = mutated(whole, chance)
        try:
            image = open_picture(mended(data) if form == "PNG" and chance.random() < 0.7 else data, max_pixels=10**6)
        except InvalidRequest:
            continue
        assert image.mode in ("RGB", "RGBA") and len(image.tobytes()) == image.width * image.height * len(image.mode)
        opened += 1
    assert 0 < opened < 300, "the changes are too great or too small to try anything"
