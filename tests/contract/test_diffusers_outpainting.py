"""Drawing beyond a picture's edges: by diffusers on tiny random pipelines, and by servers that take a mask."""

from __future__ import annotations

import base64
from dataclasses import replace
from typing import Any

import pytest
from PIL import Image

from shared.backends import get_backend
from shared.catalog import Catalog, Variant
from shared.engine import Engine
from shared.errors import InvalidRequest
from shared.media.opening import open_picture
from shared.requests import ImagePart
from tests.support import pictures
from tests.support.drawing import FORCED, build, draw, engine_for, opened, part, picture, variant_for
from tests.support.fake_server import Act
from tests.support.hosted_images import draw as asked_of
from tests.support.hosted_images import drawing, final_of
from tests.support.pictures import encoded
from tests.support.protocols_images import PICTURE, Comfy, Hub, OpenAIStream, WebUI

pytestmark = FORCED
FAMILIES = ("sd", "sdxl", "sd3", "flux", "qwen", "z")
SIDE = 32
OWN = {"width": 1024, "height": 1024}
SEAM = 8  # pixels of the picture's own edge that are drawn anew


@pytest.fixture(scope="module")
def tiny(tmp_path_factory: pytest.TempPathFactory) -> Engine:
    folder = tmp_path_factory.mktemp("tiny")
    made = build(folder, FAMILIES)
    variants = {name: variant_for(path) for name, path in made.items()}
    variants["narrow"] = variant_for(made["sd"], options={"largest_side": 64})
    variants["without"] = variant_for(made["sd"], options={"not": {"outpaint": "It draws within no mask."}})
    return engine_for(folder, **variants)


def start(width: int = SIDE, height: int = SIDE) -> ImagePart:
    return part(pictures.pixels(width, height))


def beyond(**more: Any) -> dict[str, Any]:
    return {"image": start(), "outpaint": (0.0, 0.0, 0.5, 0.0), "width": None, "height": None, **more}


@pytest.mark.parametrize("name", FAMILIES)
def test_every_family_draws_on_and_keeps_the_picture(tiny: Engine, name: str) -> None:
    drawn, other = (picture(tiny, name, **beyond(seed=seed)) for seed in (7, 8))
    after, before = opened(drawn), opened(start())
    assert after.shape == (SIDE, 48, 3)
    assert (after[:, : SIDE - SEAM] == before[:, : SIDE - SEAM]).all()
    assert abs(after - opened(other))[:, SIDE:].mean() > 1, "what is new comes of the seed"


def test_what_is_new_is_all_new_unless_a_strength_is_named_and_the_receipt_says_so(tiny: Engine) -> None:
    final = draw(tiny, "sd", **beyond())
    assert final.receipt.settings["strength"] == 1.0
    assert final.receipt.settings["outpaint"] == (0.0, 0.0, 0.5, 0.0)
    assert (final.receipt.extra["width"], final.receipt.extra["height"]) == (48, SIDE)
    assert not final.receipt.unhonoured and not final.receipt.notes
    assert picture(tiny, "sd", **beyond(strength=0.5)) != final.output.images[0].data


@pytest.mark.parametrize(
    ("name", "more", "size", "placed"),
    [
        ("sd", {"image": start(30, 30)}, (48, 32), (30, 30)),  # rounded up
        (
            "sd",
            {"image": start(100, 100), "outpaint": (0.0, 0.0, 1.0, 0.0)},
            (64, 32),
            (32, 32),
        ),  # it draws well so far
        ("narrow", {"image": start(60, 24)}, (64, 16), (40, 16)),
        ("sd", {"outpaint": (0.0, 0.0, 0.0, 0.0), "width": 64, "height": 32}, (64, 32), (32, 32)),
    ],
)
def test_the_size_follows_from_the_picture_and_the_model(
    tiny: Engine, name: str, more: dict[str, Any], size: tuple[int, int], placed: tuple[int, int]
) -> None:
    final = draw(tiny, name, **beyond(**more))
    assert open_picture(final.output.images[0].data).size == size
    was = open_picture(beyond(**more)["image"].data).size
    assert bool(final.receipt.notes) == (was != placed)


def test_an_engine_that_takes_no_mask_refuses_before_it_draws(tiny: Engine) -> None:
    with pytest.raises(InvalidRequest, match="can't draw beyond a picture's edges: It draws within no mask"):
        draw(tiny, "without", **beyond())
    with drawing(Hub()) as case, pytest.raises(InvalidRequest, match="takes no mask"):
        case.events(asked_of(image=start(), outpaint=(0.5, 0.0, 0.0, 0.0)))
    assert not case.fake.asked
    hosted = Variant(backend="google_images", repo_id="gemini-3-pro-image")
    assert "no mask" in (get_backend("google_images").capabilities(hosted).reason("outpaint", "Google") or "")


def test_a_server_gets_the_larger_picture_and_its_mask_and_the_persons_pixels_are_laid_over() -> None:
    white = encoded("PNG", Image.new("RGB", (96, 64), "white"))
    with drawing(WebUI(), Act(body=WebUI().body(white))) as case:
        final = final_of(case.events(asked_of(image=start(64, 64), outpaint=(0.0, 0.0, 0.5, 0.0), seed=1)))
    sent = case.fake.asked[0].body
    assert (sent["width"], sent["height"], sent["denoising_strength"]) == (96, 64, 1.0)
    canvas, mask = (base64.b64decode(url.partition(",")[2]) for url in (sent["init_images"][0], sent["mask"]))
    assert (opened(canvas)[:, :64] == opened(start(64, 64))).all()
    assert not opened(mask)[:, : 64 - SEAM].any() and (opened(mask)[:, 64:] == 255).all()
    after = opened(final.output.images[0])
    assert (after[:, : 64 - SEAM] == opened(start(64, 64))[:, : 64 - SEAM]).all() and (after[:, 64:] == 255).all()
    assert not final.receipt.unhonoured


def test_a_models_own_size_does_not_decide_on_the_shape() -> None:
    with drawing(Comfy()) as case:
        case.fake.routes["/upload/image"] = lambda asked: Act(body={"name": "theirs.png", "subfolder": ""})
        spec = replace(case.engine.find(case.model, task=asked_of().TASK), id="own", defaults=OWN)
        engine = case.engine.with_catalog(Catalog([spec]))
        asked = asked_of(image=start(64, 64), outpaint=(0.5, 0.0, 0.0, 0.0))
        receipt = final_of(list(engine.generate("own", asked, settings=case.settings))).receipt
        sent = next(a.body for a in case.fake.asked if a.path == "/prompt")["prompt"]["scaled"]["inputs"]
    assert (sent["width"], sent["height"]) == (96, 64) and "width" not in receipt.settings


def test_a_picture_that_its_provider_signed_is_left_as_it_is_and_that_is_told() -> None:
    with drawing(OpenAIStream(kind="image_edit")) as case:
        final = final_of(case.events(asked_of(image=start(1024, 768), outpaint=(0.0, 0.0, 0.5, 0.0))))
        given = case.fake.asked[0]
    assert given.path == "/v1/images/edits" and b"1536x768" in given.raw
    assert final.output.images[0].data == PICTURE
    assert "The provider signed the picture" in final.receipt.notes[0]
