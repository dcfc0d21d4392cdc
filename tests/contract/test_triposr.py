"""The engine of the TripoSR class keeps the contract, shown on a tiny random model with the published one's names."""

from __future__ import annotations

import pickle
import shutil
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from shared.backends import get_backend
from shared.catalog import Catalog, ModelSpec, Variant
from shared.engine import Engine
from shared.errors import BackendError, CorruptWeights, InvalidRequest
from shared.events import Final, Preview, Progress
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
STAR = SolidRequest(image=part(picture("star")), resolution=20)


@pytest.fixture(scope="module")
def tiny(tmp_path_factory: pytest.TempPathFactory) -> Engine:
    import torch

    top = tmp_path_factory.mktemp("triposr")
    with torch.random.fork_rng():
        torch.manual_seed(0)
        folder = tiny_solids.triposr(top / "tiny")
    variant = Variant(backend="triposr", repo_id=str(folder), device=DEVICE)
    spec = ModelSpec(id="tiny", name="tiny", task=Task.TEXT_TO_3D, license="none", variants=(variant,))
    return Engine(Catalog([spec]), Settings(data_dir=top / "data"))


def loaded(engine: Engine, folder: Path | None = None) -> Any:
    (variant,) = engine.find("tiny", task=Task.TEXT_TO_3D).variants
    where = Variant(backend="triposr", repo_id=str(folder or variant.repo_id), device=DEVICE)
    return get_backend("triposr").load(where, engine.settings, Emitter(lambda event: None))


def test_a_picture_becomes_a_closed_solid_of_its_object(tiny: Engine) -> None:
    *events, last = tiny.generate("tiny", SolidRequest(image=STAR.image, resolution=24, size_mm=30.0))
    assert isinstance(last, Final) and not any(isinstance(event, Final) for event in events)
    output, receipt = last.output, last.receipt
    is_whole(output.solid)
    assert output.solid.size.max() == pytest.approx(30, rel=1e-4) and output.picture == STAR.image
    assert output.solid.colours.shape == output.solid.vertices.shape and np.ptp(output.solid.colours) > 0
    assert output.field.shape == (24, 24, 24) and output.field.min() < 0 < output.field.max()
    assert [event.step for event in events if isinstance(event, Progress) and "Layer" in event.message] == [0, 1, 2]
    (shown,) = [event.image for event in events if isinstance(event, Preview)]
    assert shown.width == shown.height and shown.getpixel((0, 0)) == (127, 127, 127)
    assert (receipt.backend, receipt.seed_kind, receipt.device) == ("triposr", "none", DEVICE)
    assert {"torch", "diffusers", "transformers"} <= set(receipt.versions)
    *_, again = tiny.generate("tiny", SolidRequest(image=STAR.image, resolution=24))
    assert (again.output.field == output.field).all()
    *_, other = tiny.generate("tiny", SolidRequest(image=part(picture("ring")), resolution=24))
    assert (other.output.field != output.field).any()
    pickle.loads(pickle.dumps(last))


def test_its_x_points_to_who_looks_and_its_z_up(tiny: Engine) -> None:
    """A field by hand: denser the farther along one axis of its own."""
    import torch

    for along, (plane, side) in enumerate([(0, 1), (0, 0), (1, 0)]):  # its x, y and z: a plane, and its rows or columns
        model = loaded(tiny)
        network = model._parts.network
        with torch.no_grad():
            network["backbone"]["proj_out"].weight.zero_()
            network["backbone"]["proj_out"].bias.zero_()
            ramp = torch.linspace(-1, 1, 4)
            embeddings = torch.zeros(3, 32, 4, 4)
            embeddings[plane, 0] = ramp[None, :] if side else ramp[:, None]
            network["tokenizer"]["embeddings"].copy_(embeddings)
            up = network["post_processor"]["upsample"]
            up.weight.zero_()
            up.weight[0, 0] = 1.0
            for layer in (each for each in network["decoder"]["layers"] if hasattr(each, "weight")):
                layer.weight.zero_()
                layer.bias.zero_()
                layer.weight[0, 0] = layer.weight[0, 4] = 2.0
            network["decoder"]["layers"][-1].bias[0] = 3.0
        field = model.run(STAR, Emitter(lambda event: None)).output.field
        rises = [float(np.diff(field.mean(axis=tuple({0, 1, 2} - {axis})))[9]) for axis in range(3)]
        ours = (2, 0, 1)[along]
        assert rises[ours] > 0.01 and max(abs(rise) for axis, rise in enumerate(rises) if axis != ours) < 1e-4


def test_without_a_plain_background_the_whole_picture_is_shown(tiny: Engine) -> None:
    *_, last = tiny.generate("tiny", SolidRequest(image=part(pixels(80, 60)), resolution=20))
    assert len(last.receipt.notes) == 1 and "whole picture" in last.receipt.notes[0]


def test_words_alone_are_refused(tiny: Engine) -> None:
    with pytest.raises(InvalidRequest, match="Add one, or choose"):
        list(tiny.generate("tiny", SolidRequest(prompt="a cat")))


def test_settings_that_mean_nothing_to_it_stand_in_the_receipt(tiny: Engine) -> None:
    *_, last = tiny.generate("tiny", SolidRequest(image=STAR.image, resolution=20, seed=3, depth=1.0))
    assert {"seed", "depth"} <= set(last.receipt.unhonoured)


def test_it_stops_between_two_layers(tiny: Engine) -> None:
    token = CancelToken()
    for event in tiny.generate("tiny", STAR, cancel=token):
        if isinstance(event, Progress) and event.message.startswith("Layer 1"):
            token.cancel()
        last = event
    assert isinstance(last, Final) and last.output.solid is None and last.output.finish_reason == "stopped"
    contract.no_lease_is_left(tiny)


@pytest.mark.parametrize(
    ("spoil", "words"),
    [
        (lambda folder: (folder / "model.safetensors").rename(folder / "model.ckpt"), "pickle.*README"),
        (lambda folder: (folder / "config.yaml").unlink(), "no config.yaml"),
        (lambda folder: (folder / "config.yaml").write_text("a: [b"), "describes no model"),
        (lambda folder: (folder / "config.yaml").write_text("tokenizer: {plane_size: 4}"), "describes no model"),
        (lambda folder: replaced(folder, "num_layers: 2", "num_layers: 3"), "doesn't fit"),
        (lambda folder: replaced(folder, "plane_size: 4", "plane_size: 99999999"), "describes no model"),
        (lambda folder: replaced(folder, "density_activation: exp", "density_activation: softplus"), "describes no"),
    ],
)
def test_another_folder_is_told(tiny: Engine, tmp_path: Path, spoil: Any, words: str) -> None:
    (variant,) = tiny.find("tiny", task=Task.TEXT_TO_3D).variants
    folder = tmp_path / "spoilt"
    shutil.copytree(variant.repo_id, folder)
    spoil(folder)
    with pytest.raises(CorruptWeights, match=words):
        loaded(tiny, folder)


def replaced(folder: Path, old: str, new: str) -> None:
    told = (folder / "config.yaml").read_text(encoding="utf-8")
    assert old in told
    (folder / "config.yaml").write_text(told.replace(old, new), encoding="utf-8")


def test_a_field_without_a_surface_is_told(tiny: Engine) -> None:
    import torch

    model = loaded(tiny)
    with torch.no_grad():
        model._parts.network["decoder"]["layers"][-1].bias[0] = -50.0
    with pytest.raises(CorruptWeights, match="no object"):
        model.run(STAR, Emitter(lambda event: None))


def test_a_folder_named_by_hand_finds_its_engine(tiny: Engine, tmp_path: Path) -> None:
    (variant,) = tiny.find("tiny", task=Task.TEXT_TO_3D).variants
    *_, last = Engine(Catalog([]), Settings(data_dir=tmp_path)).generate(variant.repo_id, STAR)
    assert last.receipt.backend == "triposr"
    with pytest.raises(BackendError):
        list(Engine(Catalog([]), Settings(data_dir=tmp_path)).generate(str(tmp_path), STAR))


def test_importing_it_is_light() -> None:
    contract.import_is_light("triposr")


def test_closing_twice_is_fine(tiny: Engine) -> None:
    contract.closes_twice(contract.Case(tiny, "tiny", STAR))
