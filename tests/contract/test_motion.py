"""The motion engine keeps the contract, on a tiny random model of its real classes that is found by its path."""

from __future__ import annotations

import json
import pickle
import shutil
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from shared.catalog import Catalog
from shared.engine import Engine
from shared.errors import CorruptWeights, InvalidRequest
from shared.events import Final, Progress
from shared.requests import MotionRequest
from shared.settings import Settings
from shared.streaming import CancelToken
from tests.support import contract, motions
from tests.support.drawing import FORCED

pytestmark = FORCED
WALK: dict[str, Any] = {"prompt": "a person walks", "seed": 1, "num_inference_steps": 4, "duration": 1.5}


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return motions.tiny(tmp_path_factory.mktemp("motion") / "tiny")


@pytest.fixture(scope="module")
def engine(tmp_path_factory: pytest.TempPathFactory) -> Engine:
    return Engine(Catalog([]), Settings(data_dir=tmp_path_factory.mktemp("data")))


def ran(engine: Engine, folder: Path, **asked: Any) -> Final:
    *events, last = engine.generate(str(folder), MotionRequest(**{**WALK, **asked}))
    assert isinstance(last, Final) and not any(isinstance(event, Final) for event in events)
    return last


def test_words_move_a_skeleton_and_one_seed_moves_it_alike(engine: Engine, folder: Path) -> None:
    last = ran(engine, folder)
    motion, receipt = last.output.motion, last.receipt
    assert len(motion) == 30 and motion.fps == 20 and motion.places().shape == (30, 22, 3)
    assert (receipt.backend, receipt.seed, receipt.seed_kind) == ("motion_diffusion", 1, "exact")
    assert {"torch", "diffusers", "transformers"} <= set(receipt.versions)
    assert receipt.extra["frames"] == 30 and receipt.extra["bones_fit_mm"] >= 0
    again, other = (ran(engine, folder, seed=seed).output.motion.places() for seed in (1, 2))
    assert (again == motion.places()).all() and (other != motion.places()).any()
    pickle.loads(pickle.dumps(last))


def test_words_guidance_and_steps_count(engine: Engine, folder: Path) -> None:
    usual = ran(engine, folder).output.motion.places()
    for asked in ({"prompt": "a bird"}, {"guidance_scale": 9.0}, {"num_inference_steps": 6}):
        assert np.abs(ran(engine, folder, **asked).output.motion.places() - usual).max() > 1e-6, asked


def test_a_long_prompt_is_cut_and_told(engine: Engine, folder: Path) -> None:
    assert "left out" in ran(engine, folder, prompt="walk " * 40).receipt.notes[0]
    assert ran(engine, folder, prompt="walk").receipt.notes == ()


def test_it_stops_between_two_steps(engine: Engine, folder: Path) -> None:
    token, steps = CancelToken(), []
    for event in engine.generate(str(folder), MotionRequest(**{**WALK, "num_inference_steps": 50}), cancel=token):
        if isinstance(event, Progress) and event.message.startswith("Step "):
            steps.append(event.step)
            token.cancel()
        last = event
    assert isinstance(last, Final) and last.output.motion is None and last.output.finish_reason == "stopped"
    assert len(steps) <= 2
    contract.no_lease_is_left(engine)


@pytest.mark.parametrize(
    ("asked", "words"),
    [
        ({"duration": 9.0}, "at most 3 seconds"),
        ({"num_inference_steps": 60}, "50 steps"),
        ({"prompt": " "}, "nothing to"),
    ],
)
def test_what_it_can_not_make_is_told(engine: Engine, folder: Path, asked: dict[str, Any], words: str) -> None:
    with pytest.raises(InvalidRequest, match=words):
        ran(engine, folder, **asked)


def broken(folder: Path, into: Path, how: str) -> Path:
    """A copy of the model with something amiss."""
    copy = into / "copy"
    shutil.copytree(folder, copy)
    weights = copy / "model.safetensors"
    if how == "config":
        (copy / "config.json").unlink()
    elif how == "other":
        (copy / "config.json").write_text(json.dumps({**motions.CONFIG, "model_type": "bert"}))
    elif how == "sizes":
        (copy / "config.json").write_text(json.dumps({**motions.CONFIG, "latent_dim": 32}))
    elif how == "cut":
        weights.write_bytes(weights.read_bytes()[:-10])
    elif how == "pickle":
        weights.rename(copy / "model000475000.pt")
    elif how == "words":
        shutil.rmtree(copy / "text_encoder")
    return copy


@pytest.mark.parametrize(
    ("how", "words"),
    [
        ("config", "no config.json"),
        ("other", "describes no motion model"),
        ("sizes", "doesn't fit its config.json"),
        ("cut", "cut short"),
        ("pickle", "Convert it yourself"),
        ("words", "no text_encoder"),
    ],
)
def test_a_folder_that_is_not_whole_is_told(engine: Engine, folder: Path, tmp_path: Path, how: str, words: str) -> None:
    with pytest.raises(CorruptWeights, match=words):
        ran(engine, broken(folder, tmp_path, how))


def test_a_pickle_is_refused_before_it_is_looked_for(engine: Engine) -> None:
    with pytest.raises(CorruptWeights, match="so it is refused"):
        ran(engine, Path("./model000475000.pt").absolute())


def test_a_public_server_opens_no_folder(folder: Path, tmp_path: Path) -> None:
    with pytest.raises(InvalidRequest, match="Hub id"):
        ran(Engine(Catalog([]), Settings(data_dir=tmp_path, public=True)), folder)


def test_importing_it_is_light() -> None:
    contract.import_is_light("motion_diffusion")


def test_closing_twice_is_fine(engine: Engine, folder: Path) -> None:
    contract.closes_twice(contract.Case(engine, str(folder), MotionRequest(**WALK)))
