"""The engines that make solids by learned models keep the contract, shown on tiny random ones of the real classes."""

from __future__ import annotations

import pickle
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from shared.backends import get_backend
from shared.catalog import Catalog, ModelSpec, Variant
from shared.engine import Engine
from shared.errors import BackendError, CorruptWeights, InvalidRequest
from shared.events import Event, Final, Preview, Progress
from shared.requests import SolidRequest
from shared.settings import Settings
from shared.streaming import CancelToken, Emitter
from shared.tasks import Task
from tests.support import contract, tiny_solids
from tests.support.device import DEVICE
from tests.support.drawing import FORCED
from tests.support.pictures import pixels
from tests.support.solids import is_whole, part, picture

pytestmark = FORCED
WAYS: dict[str, tuple[Any, str, dict[str, Any]]] = {
    "words": (tiny_solids.shap_e, "shap_e", {"reads": "words"}),
    "pictures": (tiny_solids.shap_e_pictures, "shap_e", {"reads": "pictures"}),
    "depth": (tiny_solids.depth, "relief", {}),
    "far": (tiny_solids.depth, "relief", {"far": True}),
}
SHARK = {"prompt": "a shark", "seed": 1, "num_inference_steps": 2, "resolution": 20}
STAR = part(picture("star"))


@pytest.fixture(scope="module")
def tiny(tmp_path_factory: pytest.TempPathFactory) -> Engine:
    import torch

    top, specs = tmp_path_factory.mktemp("solids"), []
    for name, (build, backend, options) in WAYS.items():
        with torch.random.fork_rng():
            torch.manual_seed(0)
            folder = build(top / name)
        variant = Variant(backend=backend, repo_id=str(folder), device=DEVICE, options=options)
        specs.append(ModelSpec(id=name, name=name, task=Task.TEXT_TO_3D, license="none", variants=(variant,)))
    return Engine(Catalog(specs), Settings(data_dir=top / "data"))


def ran(engine: Engine, model: str, **asked: Any) -> tuple[list[Event], Final]:
    *events, last = engine.generate(model, SolidRequest(**asked))
    assert isinstance(last, Final) and not any(isinstance(event, Final) for event in events)
    return events, last


def test_words_become_a_field_and_its_surface_a_closed_solid(tiny: Engine) -> None:
    events, last = ran(tiny, "words", **SHARK, size_mm=30.0)
    output, receipt = last.output, last.receipt
    is_whole(output.solid)
    assert output.solid.size.max() == pytest.approx(30, rel=1e-4)
    assert output.solid.colours.shape == output.solid.vertices.shape and np.ptp(output.solid.colours) > 0
    assert output.field.shape == (20, 20, 20) and output.field.min() < 0 < output.field.max()
    assert [event.step for event in events if isinstance(event, Progress) and "Step" in event.message] == [1, 2, 3]
    assert (receipt.backend, receipt.seed, receipt.seed_kind, receipt.device) == ("shap_e", 1, "exact", DEVICE)
    assert {"torch", "diffusers"} <= set(receipt.versions)
    again, other = (ran(tiny, "words", **{**SHARK, "seed": seed})[1].output.field for seed in (1, 2))
    assert (again == output.field).all() and (other != output.field).any()
    pickle.loads(pickle.dumps(last))


def test_a_picture_becomes_a_solid_of_the_object_alone(tiny: Engine) -> None:
    events, last = ran(tiny, "pictures", image=STAR, **{**SHARK, "prompt": ""})
    is_whole(last.output.solid)
    assert last.output.picture == STAR
    (shown,) = [event.image for event in events if isinstance(event, Preview)]
    assert shown.width == shown.height and shown.getpixel((0, 0)) == (255, 255, 255)


def test_a_relief_is_flat_behind_and_as_wide_as_its_picture(tiny: Engine) -> None:
    for image, notes in ((STAR, 0), (part(pixels(80, 60)), 1)):
        _, last = ran(tiny, "depth", image=image, resolution=40, size_mm=80.0)
        solid = last.output.solid
        is_whole(solid)
        assert len(last.receipt.notes) == notes and solid.size[0] == pytest.approx(80, rel=0.01)
        assert (solid.vertices[:, 2] < solid.vertices[:, 2].min() + 1e-3).mean() > 0.4
    assert solid.size[1] / solid.size[0] == pytest.approx(60 / 80, rel=0.05)


def test_where_larger_numbers_are_farther_they_are_turned_round(tiny: Engine) -> None:
    near, far = (ran(tiny, name, image=part(pixels(80, 60)), resolution=32)[1].output.lift for name in ("depth", "far"))
    inside = near.cover > 0.5
    assert np.corrcoef(near.heights[inside], far.heights[inside])[0, 1] < -0.9


@pytest.mark.parametrize(
    ("model", "asked", "words"),
    [
        ("words", {"prompt": "a cat", "image": STAR}, "can't start from a picture"),
        ("pictures", {"prompt": "a cat"}, "Add one, or choose"),
        ("depth", {"prompt": "a cat"}, "Add one, or choose"),
        ("words", {**SHARK, "resolution": 250}, "at most 192"),
    ],
)
def test_what_a_model_can_not_start_from_is_told(tiny: Engine, model: str, asked: dict[str, Any], words: str) -> None:
    with pytest.raises(InvalidRequest, match=words):
        ran(tiny, model, **asked)


def test_settings_that_mean_nothing_to_it_stand_in_the_receipt(tiny: Engine) -> None:
    receipt = ran(tiny, "words", **SHARK, depth=1.0, tolerance=9.0)[1].receipt
    assert set(receipt.unhonoured) == {"depth", "tolerance"} and "depth" not in receipt.settings
    receipt = ran(tiny, "depth", image=STAR, seed=3, guidance_scale=2.0)[1].receipt
    assert {"seed", "guidance_scale"} <= set(receipt.unhonoured)


def test_it_stops_between_two_steps(tiny: Engine) -> None:
    token = CancelToken()
    for event in tiny.generate("words", SolidRequest(**{**SHARK, "num_inference_steps": 50}), cancel=token):
        if isinstance(event, Progress) and event.message.startswith("Step 2"):
            token.cancel()
        last = event
    assert isinstance(last, Final) and last.output.solid is None and last.output.finish_reason == "stopped"
    contract.no_lease_is_left(tiny)


def test_a_field_without_a_surface_is_told(tiny: Engine) -> None:
    import torch

    (variant,) = tiny.find("words", task=Task.TEXT_TO_3D).variants
    model: Any = get_backend("shap_e").load(variant, tiny.settings, Emitter(lambda event: None))
    with torch.no_grad():
        model._parts.shap_e_renderer.mlp.mlp[-1].bias[0] = -50.0
    with pytest.raises(CorruptWeights, match="no surface in it"):
        model.run(SolidRequest(**SHARK), Emitter(lambda event: None))
    model.close()


def test_a_folder_named_by_hand_finds_its_engine(tiny: Engine, tmp_path: Path) -> None:
    for name in ("words", "depth"):
        (variant,) = tiny.find(name, task=Task.TEXT_TO_3D).variants
        named = Engine(Catalog([]), Settings(data_dir=tmp_path))
        asked = {"image": STAR, "resolution": 24} if name == "depth" else SHARK
        assert ran(named, variant.repo_id, **asked)[1].receipt.backend == variant.backend


def test_another_kind_of_pipeline_is_told(tmp_path: Path) -> None:
    from tests.support.tiny_pipelines import stable_diffusion_tiny

    stable_diffusion_tiny(tmp_path / "sd")
    variant = Variant(backend="shap_e", repo_id=str(tmp_path / "sd"), device=DEVICE)
    with pytest.raises(BackendError, match="Those that make solids here"):
        get_backend("shap_e").load(variant, Settings(data_dir=tmp_path), Emitter(lambda event: None))


@pytest.mark.parametrize("backend", ["shap_e", "relief"])
def test_importing_them_is_light(backend: str) -> None:
    contract.import_is_light(backend)


@pytest.mark.parametrize("model", ["words", "depth"])
def test_closing_twice_is_fine(tiny: Engine, model: str) -> None:
    contract.closes_twice(contract.Case(tiny, model, SolidRequest(prompt="x")))
