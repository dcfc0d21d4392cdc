"""A picture says in its own file what made it, its pixels untouched, and a screen can be restored from it."""

from __future__ import annotations

import hashlib
import io
import json

import pytest
from PIL import Image

from shared.errors import InvalidRequest
from shared.media import png
from shared.media.labelling import KEYWORD, label
from shared.media.restoring import restore
from shared.receipts import Receipt
from shared.requests import ImagePart, ImageRequest
from tests.support.pictures import chunk, encoded, jpeg_with_segment, pixels, png_with, png_with_chunk

REQUEST = ImageRequest(
    prompt='A “lion”, with a crown:\nНа троне 🦁, "gold", C:\\ok',
    negative_prompt="blurry\nNegative prompt: dark",
    width=128,
    height=64,
    num_inference_steps=12,
    guidance_scale=4.5,
    scheduler="EulerAncestralDiscreteScheduler",
    seed=7,
    num_images_per_prompt=3,
)
RECEIPT = Receipt(
    model="starter-image",
    name="Starter, picture: one",
    task="text-to-image",
    backend="diffusers",
    mode="local",
    license="Apache-2.0",
    seed=7,
    settings={"num_inference_steps": 12, "strength": 0.25},
)
FORMS = [("PNG", "image/png", {}), ("JPEG", "image/jpeg", {}), ("WEBP", "image/webp", {"lossless": True})]


def part(data: bytes, media_type: str = "image/png") -> ImagePart:
    return ImagePart(data, media_type)


def decoded(data: bytes) -> tuple[str, tuple[int, int], bytes]:
    with Image.open(io.BytesIO(data)) as image:
        image.load()
        return image.mode, image.size, image.tobytes()


@pytest.mark.parametrize(("form", "media_type", "options"), FORMS)
def test_what_is_written_is_read_back_and_no_pixel_changes(form: str, media_type: str, options: dict) -> None:  # type: ignore[type-arg]
    before = encoded(form, **options)
    labelled = label(part(before, media_type), RECEIPT, REQUEST, seed=8)
    assert labelled.sidecar is None and labelled.data != before
    assert decoded(labelled.data) == decoded(before)
    found = restore(labelled.data)
    for name in ("prompt", "negative_prompt", "width", "height", "num_inference_steps", "guidance_scale", "scheduler"):
        assert getattr(found, name) == getattr(REQUEST, name), name
    assert (found.source, found.seed, found.model) == ("playground", 8, "starter-image")
    assert found.strength == 0.25, "a default that the model had stands in the receipt"
    assert found.ignored == ()


@pytest.mark.parametrize("mode", ["RGBA", "P", "L", "1", "LA", "I;16"])
def test_pictures_of_every_kind_of_pixel_stay_as_they_are(mode: str) -> None:
    before = encoded(image=pixels().convert("L").convert("I;16") if mode == "I;16" else pixels(mode=mode))
    labelled = label(part(before), RECEIPT, REQUEST, 1)
    assert decoded(labelled.data) == decoded(before) and labelled.data != before


@pytest.mark.parametrize("options", [{"lossless": True}, {"quality": 40}])
@pytest.mark.parametrize("mode", ["RGB", "RGBA"])
def test_a_webp_of_every_kind_stays_as_it_is(options: dict, mode: str) -> None:  # type: ignore[type-arg]
    picture = pixels(41, 25, mode)
    if mode == "RGBA":
        picture.putalpha(Image.linear_gradient("L").resize(picture.size))
    before = encoded("WEBP", picture, **options)
    labelled = label(part(before, "image/webp"), RECEIPT, REQUEST, 1)
    assert decoded(labelled.data) == decoded(before) and restore(labelled.data).seed == 1
    assert labelled.data[12:16] == b"VP8X" and labelled.data[20] & 0x08, "its header says that there is EXIF"


def test_how_far_it_was_drawn_beyond_a_pictures_edges_is_read_back() -> None:
    request = ImageRequest(prompt="a cat", image=part(encoded()), outpaint=(0.25, 0.0, 0.0, 1.5))
    found = restore(label(part(encoded()), RECEIPT, request, 1).data)
    assert found.outpaint == (0.25, 0.0, 0.0, 1.5)
    for wrong in ([1, 2], [0, 0, 0, 9], [0, 0, 0, True], "0.5", [0, 0, 0, float("nan")]):
        told = restore(json.dumps({"request": {"prompt": "a", "outpaint": wrong}}).encode())
        assert told.outpaint is None and "outpaint" in told.ignored[0]


def test_the_whole_receipt_and_request_stand_in_the_file() -> None:
    labelled = label(part(encoded()), RECEIPT, REQUEST, seed=8)
    with Image.open(io.BytesIO(labelled.data)) as image:
        document = json.loads(image.text[KEYWORD])  # type: ignore[attr-defined]
    assert Receipt.from_dict(document["receipt"]) == RECEIPT
    assert document["request"]["seed"] == 7 and document["request"]["image_seed"] == 8
    assert document["request"]["num_images_per_prompt"] == 3


def test_other_tools_read_the_settings_they_know() -> None:
    labelled = label(part(encoded()), RECEIPT, ImageRequest(prompt="a cat", width=128, height=64, scheduler="X"), 5)
    with Image.open(io.BytesIO(labelled.data)) as image:
        text = image.text["parameters"]  # type: ignore[attr-defined]
    assert text == (
        "a cat\nSteps: 12, Sampler: X, Seed: 5, Size: 128x64, Denoising strength: 0.25, "
        'Model: "Starter, picture: one", Version: genai-playgrounds'
    )


@pytest.mark.parametrize(("form", "media_type", "options"), FORMS)
def test_the_text_for_other_tools_says_the_same(form: str, media_type: str, options: dict) -> None:  # type: ignore[type-arg]
    """With our own text taken out, the other one is read, and gives the same settings."""
    labelled = label(part(encoded(form, **options), media_type), RECEIPT, REQUEST, seed=8)
    without = labelled.data.replace(KEYWORD.encode(), b"x" * len(KEYWORD))
    if form == "PNG":  # its texts have checksums
        with Image.open(io.BytesIO(labelled.data)) as image:
            without = png_with(parameters=image.text["parameters"])  # type: ignore[attr-defined]
    found = restore(without)
    assert (found.source, found.model) == ("a1111", RECEIPT.name)
    for name in ("prompt", "negative_prompt", "width", "height", "num_inference_steps", "guidance_scale", "scheduler"):
        assert getattr(found, name) == getattr(REQUEST, name), name
    assert (found.seed, found.ignored) == (8, ())


def test_a_picture_labelled_twice_says_the_last() -> None:
    once = label(part(encoded()), RECEIPT, REQUEST, seed=8)
    twice = label(part(once.data), RECEIPT, ImageRequest(prompt="another"), seed=9)
    assert restore(twice.data).prompt == "another"
    assert sum(c.keyword in (KEYWORD, "parameters") for c in png.chunks(twice.data)) == 2


def test_other_texts_and_animation_stay() -> None:
    frames = [pixels(), pixels().rotate(180)]
    moving = encoded(image=frames[0], save_all=True, append_images=frames[1:])
    labelled = label(part(moving), RECEIPT, REQUEST, 1)
    with Image.open(io.BytesIO(labelled.data)) as image:
        assert image.n_frames == 2  # type: ignore[attr-defined]
    kept = label(part(png_with(Author="Ada")), RECEIPT, REQUEST, 1)
    with Image.open(io.BytesIO(kept.data)) as image:
        assert image.text["Author"] == "Ada"  # type: ignore[attr-defined]


CREDENTIALS = {
    "png": png_with_chunk(b"caBX", b"jumbf"),
    "png, elsewhere": png_with_chunk(b"iTXt", b"XML:com.adobe.xmp\0\0\0\0\0<x dcterms:provenance='https://a'/>"),
    "jpeg": jpeg_with_segment(0xEB, b"JP\0\1\0\0\0\1jumbc2pa"),
    "webp": (lambda w: w[:4] + (len(w) + 4).to_bytes(4, "little") + w[8:] + b"C2PA\4\0\0\0jumb")(encoded("WEBP")),
}


@pytest.mark.parametrize("kind", CREDENTIALS)
def test_a_file_with_content_credentials_is_not_touched(kind: str) -> None:
    data = CREDENTIALS[kind]
    labelled = label(part(data), RECEIPT, REQUEST, seed=8)
    assert labelled.data is data
    assert labelled.sidecar is not None
    found = restore(labelled.sidecar)
    assert (found.source, found.prompt, found.seed) == ("playground", REQUEST.prompt, 8)
    assert json.loads(labelled.sidecar)["picture_sha256"] == hashlib.sha256(data).hexdigest()
    with pytest.raises(InvalidRequest, match="JSON file beside it"):
        restore(data)


@pytest.mark.parametrize(
    "data",
    [
        *(b"", b"not a picture", encoded("GIF"), encoded()[:60], encoded()[:-20], encoded("JPEG")[:30]),
        *(encoded("WEBP")[:50], png.SIGNATURE + chunk(b"IEND", b""), encoded("JPEG", exif=b"Exif\0\0")),
    ],
)
def test_a_file_that_can_hold_nothing_gets_its_json_beside_it(data: bytes) -> None:
    labelled = label(part(data), RECEIPT, REQUEST, seed=8)
    assert labelled.data is data and labelled.sidecar is not None
    assert restore(labelled.sidecar).prompt == REQUEST.prompt


def test_a_text_too_long_for_the_file_goes_beside_it() -> None:
    long = ImageRequest(prompt="é" * 60_000)
    jpeg = label(part(encoded("JPEG"), "image/jpeg"), RECEIPT, long, 1)
    assert jpeg.sidecar is not None and restore(jpeg.sidecar).prompt == long.prompt
    whole = label(part(encoded()), RECEIPT, long, 1)
    assert whole.sidecar is None and restore(whole.data).prompt == long.prompt
    longest = label(part(encoded()), RECEIPT, ImageRequest(prompt="é" * 600_000), 1)
    assert longest.sidecar is not None


def test_no_path_and_no_key_is_in_the_file() -> None:
    key = "sk-" + "a1B2" * 10
    home = "/".join(["", "home", "ada", "my models"])
    receipt = Receipt(
        model=f"{home}/fox.safetensors",
        name="C:\\Users\\ada\\fox",
        task="text-to-image",
        backend="diffusers",
        mode="local",
        license="MIT",
        repo_id="~/models/fox",
        filename="fox.safetensors",
        notes=(f"It failed: no '{home.replace(' ', '_')}/fox/config.json' here, and/or {key}.",),
        extra={"address": "m@http://10.0.0.5:8000/v1", "url": "https://huggingface.co/org/m"},
    )
    request = ImageRequest(prompt=f"a fox and/or {key}", image=part(encoded()), scheduler="DDIMScheduler")
    for kind in (encoded(), encoded("JPEG"), encoded("GIF")):
        labelled = label(part(kind), receipt, request, 1)
        everything = labelled.data + (labelled.sidecar or b"")
        everything += everything.replace(b"\0", b"")  # UTF-16
        for secret in (key, "ada", "10.0.0.5", "models/"):
            assert secret.encode() not in everything, secret
        found = restore(labelled.sidecar or labelled.data)
        assert found.model == "fox.safetensors" and found.prompt == "a fox and/or •••"
        assert "another picture" in found.ignored[0]
    assert b"https://huggingface.co/org/m" in label(part(encoded()), receipt, request, 1).data


def test_a_setting_not_followed_is_not_claimed() -> None:
    receipt = Receipt(**{**RECEIPT.__dict__, "unhonoured": {"guidance_scale": "It has none."}})
    assert b"CFG scale" not in label(part(encoded()), receipt, REQUEST, 1).data
    assert b"CFG scale: 4.5" in label(part(encoded()), RECEIPT, REQUEST, 1).data
