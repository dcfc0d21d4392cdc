"""The engine that lifts pictures keeps the contract: with the image starter itself before it, and with none."""

from __future__ import annotations

import io
import pickle
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from PIL import Image

from shared.backends import get_backend
from shared.catalog import load_catalog
from shared.engine import Engine
from shared.errors import BackendError, InvalidRequest
from shared.events import Event, Final, Preview, Progress
from shared.machine import probe
from shared.requests import SolidRequest
from shared.settings import Settings
from shared.streaming import CancelToken
from shared.tasks import Mode, Task
from tests.support import contract
from tests.support.drawing import FORCED
from tests.support.pictures import pixels
from tests.support.solids import is_whole, part, picture

pytestmark = FORCED
APPLE = SolidRequest(prompt="a red apple", seed=7, num_inference_steps=8, resolution=40)
STAR = SolidRequest(image=part(picture("star")), resolution=40)


@pytest.fixture(scope="module")
def lifting(tmp_path_factory: pytest.TempPathFactory) -> Engine:
    return Engine(load_catalog(), Settings(data_dir=tmp_path_factory.mktemp("data")), probe())


def ran(engine: Engine, model: str, request: SolidRequest, **more: Any) -> tuple[list[Event], Final]:
    *events, last = engine.generate(model, request, **more)
    assert isinstance(last, Final) and not any(isinstance(event, Final) for event in events)
    return events, last


def test_words_become_a_solid_and_the_same_seed_the_same_one(lifting: Engine) -> None:
    events, last = ran(lifting, "starter-lift", APPLE)
    is_whole(last.output.solid)
    receipt = last.receipt
    assert receipt.starter and (receipt.backend, receipt.seed, receipt.seed_kind) == ("lift", 7, "exact")
    assert {"torch", "diffusers", "scipy"} <= set(receipt.versions)
    assert receipt.settings["num_inference_steps"] == 8 and receipt.settings["tolerance"] == 12
    assert list(receipt.extra["stage_seconds"]) == ["loading", "drawing", "cutting out", "lifting"]
    assert sum(isinstance(event, Preview) for event in events) >= 2
    said = [event.message for event in events if isinstance(event, Progress)]
    assert "Step 8 of 8" in said and said.index("Step 8 of 8") < said.index("Solving for the heights")
    assert last.output.picture.media_type == "image/png"
    again = ran(lifting, "starter-lift", APPLE)[1].output.solid
    assert (again.vertices == last.output.solid.vertices).all() and again.texture == last.output.solid.texture
    pickle.loads(pickle.dumps(last))


def test_a_picture_is_lifted_with_no_model_loaded(lifting: Engine) -> None:
    for model in ("picture-lift", "starter-lift"):
        _, last = ran(Engine(load_catalog(), lifting.settings), model, STAR)
        is_whole(last.output.solid)
        assert "torch" not in last.receipt.versions and "drawing" not in last.receipt.extra["stage_seconds"]
        assert last.output.picture == STAR.image


def test_what_counts_for_nothing_stands_in_the_receipt(lifting: Engine) -> None:
    asked = SolidRequest(image=STAR.image, prompt="a star", seed=3, guidance_scale=2.0, resolution=40)
    for model in ("picture-lift", "starter-lift"):
        receipt = ran(lifting, model, asked)[1].receipt
        assert {"seed", "guidance_scale"} <= set(receipt.unhonoured) and "guidance_scale" not in receipt.settings
        assert any("only name it" in note for note in receipt.notes)


def test_it_stops_between_two_steps_of_the_drawing(lifting: Engine) -> None:
    token = CancelToken()
    for event in lifting.generate("starter-lift", APPLE, cancel=token):
        if isinstance(event, Progress) and event.message.startswith("Step 2"):
            token.cancel()
        last = event
    assert isinstance(last, Final) and last.output.solid is None and last.output.finish_reason == "stopped"
    contract.no_lease_is_left(lifting)


@pytest.mark.parametrize(
    ("request_", "words"),
    [
        (SolidRequest(prompt=" "), "nothing to make"),
        (SolidRequest(prompt="a cat"), "Add one, or choose"),
        (SolidRequest(image=part(pixels(64, 64))), "background isn't plain"),
        (SolidRequest(image=part(Image.new("RGB", (64, 64)))), "No object was found"),
        (SolidRequest(image=part(picture("star")), tolerance=60.0, resolution=16), None),
        (SolidRequest(image=part(), resolution=100_000), "resolution must be between 16 and 256"),
        (SolidRequest(image=part(), depth=float("nan")), "depth must be between"),
        (SolidRequest(image=part(), back="side"), "back must be one of"),
        (SolidRequest(image=part(Image.new("1", (10_000, 10_000)))), "100.* pixels|more than 40 million"),
    ],
)
def test_what_can_not_be_lifted_is_told(lifting: Engine, request_: SolidRequest, words: str | None) -> None:
    if words is None:
        is_whole(ran(lifting, "picture-lift", request_)[1].output.solid)
        return
    with pytest.raises(InvalidRequest, match=words):
        ran(lifting, "picture-lift", request_)


def test_a_photo_with_its_place_in_it_gives_nothing_of_that_away(lifting: Engine) -> None:
    """The texture is pixels, made anew."""
    exif = Image.Exif()
    exif[0x010E] = "my kitchen"
    file = io.BytesIO()
    picture("disc").save(file, "JPEG", exif=exif, quality=95)
    assert b"my kitchen" in file.getvalue()
    photo = SolidRequest(image=part(picture("disc")), resolution=32)
    made = ran(lifting, "picture-lift", photo)[1].output.solid
    assert b"my kitchen" not in made.texture and np.asarray(Image.open(io.BytesIO(made.texture))).shape == (96, 96, 3)


def test_without_its_weights_the_starter_says_so(tmp_path: Path) -> None:
    catalog = load_catalog()
    (variant, *_) = catalog.get("starter-lift").variants
    lacking = type(variant)(backend="lift", options={**variant.options, "starter": "nowhere"})
    with pytest.raises(BackendError, match="nowhere is not in this copy"):
        get_backend("lift").check(lacking, Settings(data_dir=tmp_path))


def test_every_row_can_be_understood_by_its_engine(tmp_path: Path) -> None:
    names = {field for field in SolidRequest.__dataclass_fields__ if field not in SolidRequest.CONTENT}
    specs = load_catalog().for_task(Task.TEXT_TO_3D)
    assert sum(spec.starter for spec in specs) == 1
    for spec in specs:
        assert spec.license and len(spec.summary) > 10 and set(spec.defaults) <= names
        for variant in spec.variants:
            capabilities = get_backend(variant.backend).capabilities(variant)
            assert capabilities.parameters <= SolidRequest.__dataclass_fields__.keys()
            assert variant.memory_gb > 0 or variant.mode == Mode.HOSTED
            assert capabilities.images == spec.accepts_images
    SolidRequest(prompt="-", **load_catalog().get("starter-lift").defaults).validate()


def test_importing_it_is_light_and_closing_it_twice_is_fine(lifting: Engine) -> None:
    contract.import_is_light("lift")
    contract.closes_twice(contract.Case(lifting, "picture-lift", STAR))
