"""Engines that make sound from words keep the contract, shown on tiny random models of the real classes."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import pytest

from shared.catalog import Catalog, ModelSpec, Variant
from shared.engine import Engine
from shared.errors import BackendError, CorruptWeights, InvalidRequest
from shared.events import Final, Progress
from shared.requests import AudioRequest, MusicRequest, SoundRequest
from shared.settings import Settings
from shared.streaming import CancelToken
from shared.tasks import Task
from tests.support.tiny_audio import RATE, musicgen, stable_audio
from tests.support.tiny_pipelines import stable_diffusion

# What the libraries warn of among themselves.
pytestmark = [
    pytest.mark.filterwarnings("ignore:.*weight_norm.* is deprecated:FutureWarning"),
    pytest.mark.filterwarnings("ignore:__array__ implementation doesn't accept a copy keyword:DeprecationWarning"),
    pytest.mark.filterwarnings("ignore:`torch.jit.script` is deprecated:DeprecationWarning"),
]
MODELS = ("stable", "musicgen")
REQUESTS: dict[str, type[AudioRequest]] = {"stable": SoundRequest, "musicgen": MusicRequest}
CHANNELS = {"stable": 2, "musicgen": 1}


@pytest.fixture(scope="module")
def tiny(tmp_path_factory: pytest.TempPathFactory) -> Engine:
    import torch

    made = tmp_path_factory.mktemp("tiny")
    with torch.random.fork_rng():
        torch.manual_seed(0)
        folders = {"stable": stable_audio(made / "stable"), "musicgen": musicgen(made / "musicgen")}
        folders["pictures"] = stable_diffusion(made / "pictures")
    backends = {"stable": "diffusers_audio", "musicgen": "musicgen", "pictures": "diffusers_audio"}
    return engine_of(tmp_path_factory.mktemp("data"), {name: (backends[name], path) for name, path in folders.items()})


def engine_of(data: Path, rows: dict[str, tuple[str, Path]]) -> Engine:
    specs = [
        ModelSpec(
            id=name,
            name=name,
            task=REQUESTS.get(name, SoundRequest).TASK,
            license="none",
            variants=(Variant(backend=backend, repo_id=str(path), device="cpu"),),
        )
        for name, (backend, path) in rows.items()
    ]
    return Engine(Catalog(specs), Settings(data_dir=data))


def ask(model: str, **more: Any) -> AudioRequest:
    usual: dict[str, Any] = {"prompt": "rain on a roof", "seed": 7, "duration": 0.8}
    steps = {"num_inference_steps": 3} if model != "musicgen" else {}
    return REQUESTS.get(model, SoundRequest)(**{**usual, **steps, **more})


def made(engine: Engine, model: str, **more: Any) -> Final:
    *_, final = engine.generate(model, ask(model, **more))
    assert isinstance(final, Final)
    return final


@pytest.mark.parametrize("model", MODELS)
def test_it_makes_the_seconds_asked_for_and_tells_how_far_it_is(tiny: Engine, model: str) -> None:
    events = list(tiny.generate(model, ask(model)))
    final = events[-1]
    assert isinstance(final, Final) and final.output.finish_reason == "stop"
    assert final.output.sample_rate == RATE and final.output.channels == CHANNELS[model]
    assert final.output.seconds == pytest.approx(0.8, abs=0.03)
    assert np.frombuffer(final.output.pcm, "<i2").any()
    steps = [event for event in events if isinstance(event, Progress) and event.step]
    assert steps and steps[-1].total
    assert final.receipt.seed == 7 and final.receipt.device == "cpu" and "torch" in final.receipt.versions


@pytest.mark.parametrize("model", MODELS)
def test_one_seed_is_one_sound_and_another_seed_prompt_or_guidance_another(tiny: Engine, model: str) -> None:
    first = made(tiny, model).output.pcm
    assert made(tiny, model).output.pcm == first
    for change in ({"seed": 8}, {"prompt": "a dog barks"}, {"guidance_scale": 9.0}):
        assert made(tiny, model, **change).output.pcm != first, change


@pytest.mark.parametrize("model", MODELS)
def test_it_stops_in_the_middle_and_works_again(tiny: Engine, model: str) -> None:
    cancel = CancelToken()
    longer = {"num_inference_steps": 60} if model == "stable" else {"duration": 8.0}
    events = tiny.generate(model, ask(model, **longer), cancel=cancel)
    seen: list[Any] = []
    for event in events:
        seen.append(event)
        if isinstance(event, Progress) and event.step:
            cancel.cancel()
    last = seen[-1]
    assert isinstance(last, Final) and last.output.finish_reason == "stopped"
    assert made(tiny, model).output.seconds > 0.7


@pytest.mark.parametrize(("model", "most"), [("stable", 47), ("musicgen", 30)])
def test_more_seconds_than_the_model_makes_are_refused_with_the_number(tiny: Engine, model: str, most: int) -> None:
    with pytest.raises(InvalidRequest, match=str(most)):
        made(tiny, model, duration=most + 1)


def test_a_musicgens_tokens_are_told(tiny: Engine) -> None:
    (inside,) = made(tiny, "musicgen").output.inside
    assert inside.codes is not None and inside.codes.tokens.shape[1] == 40 and inside.codes.tokens.max() < 32


def test_a_setting_that_the_model_lacks_is_told(tiny: Engine) -> None:
    receipt = made(tiny, "musicgen", bars=4).receipt
    assert "notes" in receipt.unhonoured["bars"]


def test_a_pipeline_that_makes_no_sound_is_refused_by_name(tiny: Engine) -> None:
    with pytest.raises(BackendError, match="StableDiffusionPipeline"):
        made(tiny, "pictures")


@pytest.mark.parametrize("model", MODELS)
def test_weights_cut_short_and_pickles_are_refused(model: str, tmp_path: Path) -> None:
    folder = {"stable": stable_audio, "musicgen": musicgen}[model](tmp_path / "model")
    backend = {"stable": "diffusers_audio", "musicgen": "musicgen"}[model]
    file = next(folder.rglob("*.safetensors"))
    whole = file.read_bytes()
    file.write_bytes(whole[: len(whole) // 2])
    with pytest.raises(CorruptWeights, match="cut short"):
        made(engine_of(tmp_path / "data", {model: (backend, folder)}), model)
    file.unlink()
    (file.with_suffix(".bin")).write_bytes(b"\x80\x04.")
    with pytest.raises(BackendError):
        made(engine_of(tmp_path / "data2", {model: (backend, folder)}), model)


def test_music_and_sounds_are_tasks_of_their_own() -> None:
    assert MusicRequest(prompt="x").TASK == Task.TEXT_TO_AUDIO and SoundRequest(prompt="x").TASK == Task.TEXT_TO_SOUND
    for kind in (MusicRequest, SoundRequest):
        with pytest.raises(InvalidRequest, match=kind.EXAMPLE):
            kind(prompt=" ").validate()
