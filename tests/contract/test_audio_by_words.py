"""Engines that make sound from words keep the contract, shown on tiny random models of the real classes."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import pytest

from shared.audio.pcm import to_pcm, to_samples
from shared.backends.musicgen.chroma import chroma
from shared.backends.musicgen.model import LEAD
from shared.catalog import Catalog, ModelSpec, Variant
from shared.engine import Engine
from shared.errors import BackendError, CorruptWeights, InvalidRequest
from shared.events import Final, Progress
from shared.requests import AudioRequest, MusicRequest, Recording, SoundRequest
from shared.settings import Settings
from shared.streaming import CancelToken
from shared.tasks import Mode, Task
from tests.support.device import DEVICE
from tests.support.tiny_audio import RATE, musicgen, musicgen_melody, stable_audio
from tests.support.tiny_pipelines import stable_diffusion

# What the libraries warn of among themselves.
pytestmark = [
    pytest.mark.filterwarnings("ignore:.*weight_norm.* is deprecated:FutureWarning"),
    pytest.mark.filterwarnings("ignore:__array__ implementation doesn't accept a copy keyword:DeprecationWarning"),
    pytest.mark.filterwarnings("ignore:`torch.jit.script` is deprecated:DeprecationWarning"),
]
MODELS = ("stable", "musicgen")
REQUESTS: dict[str, type[AudioRequest]] = {"stable": SoundRequest, "musicgen": MusicRequest, "melody": MusicRequest}
CHANNELS = {"stable": 2, "musicgen": 1}


@pytest.fixture(scope="module")
def tiny(tmp_path_factory: pytest.TempPathFactory) -> Engine:
    import torch

    made = tmp_path_factory.mktemp("tiny")
    with torch.random.fork_rng():
        torch.manual_seed(0)
        folders = {"stable": stable_audio(made / "stable"), "musicgen": musicgen(made / "musicgen")}
        folders["melody"] = musicgen_melody(made / "melody")
        folders["pictures"] = stable_diffusion(made / "pictures")
    backends = dict.fromkeys(folders, "diffusers_audio") | dict.fromkeys(("musicgen", "melody"), "musicgen")
    return engine_of(tmp_path_factory.mktemp("data"), {name: (backends[name], path) for name, path in folders.items()})


def engine_of(data: Path, rows: dict[str, tuple[str, Path]]) -> Engine:
    specs = [
        ModelSpec(
            id=name,
            name=name,
            task=REQUESTS.get(name, SoundRequest).TASK,
            license="none",
            variants=(Variant(backend=backend, repo_id=str(path), device=DEVICE),),
        )
        for name, (backend, path) in rows.items()
    ]
    return Engine(Catalog(specs), Settings(data_dir=data))


PITCHES = (523.25, 329.63, 783.99)


def tone(hertz: float, seconds: float, rate: int = 8000) -> bytes:
    """16-bit samples of a tone."""
    return to_pcm(0.4 * np.sin(2 * np.pi * hertz * np.arange(round(seconds * rate)) / rate))


def ask(model: str, **more: Any) -> AudioRequest:
    usual: dict[str, Any] = {"prompt": "rain on a roof", "seed": 7, "duration": 0.8}
    steps = {"num_inference_steps": 3} if model in {"stable", "pictures"} else {}
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
    assert final.receipt.seed == 7 and final.receipt.device == DEVICE and "torch" in final.receipt.versions


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


def test_a_musicgen_in_int8_composes_and_says_so(tiny: Engine, tmp_path: Path) -> None:
    folder = tiny.catalog.get("musicgen").variants[0].repo_id
    variant = Variant(backend="musicgen", repo_id=folder, device="cpu", quantization="int8")
    spec = ModelSpec(id="q", name="Q", task=Task.TEXT_TO_AUDIO, license="none", variants=(variant,))
    *_, final = Engine(Catalog([spec]), Settings(data_dir=tmp_path)).generate("q", ask("musicgen"))
    assert isinstance(final, Final) and final.output.seconds == pytest.approx(0.8, abs=0.03)
    assert final.receipt.quantization == "int8" and final.receipt.mode == Mode.QUANTIZED
    assert final.output.pcm != made(tiny, "musicgen").output.pcm


def test_music_goes_on_from_the_end_of_a_recording(tiny: Engine) -> None:
    led = Recording(tone(220, 12.0), 8000)
    final = made(tiny, "musicgen", lead_in=led)
    assert final.output.seconds == pytest.approx(LEAD + 0.8, abs=0.03)
    assert "first 10.0 seconds are the recording" in " ".join(final.receipt.notes)
    assert made(tiny, "musicgen", lead_in=led, seed=8).output.pcm != final.output.pcm
    with pytest.raises(InvalidRequest, match="to 20 seconds"):
        made(tiny, "musicgen", lead_in=led, duration=25)
    steps = [e.step for e in tiny.generate("musicgen", ask("musicgen", lead_in=led)) if isinstance(e, Progress)]
    assert max(step for step in steps if step is not None) <= 40, "only what is new is counted"


def test_music_follows_the_tune_of_a_recording(tiny: Engine) -> None:
    low, high = (made(tiny, "melody", melody=Recording(tone(hertz, 2.0), 8000)).output for hertz in (220, 311))
    assert low.seconds == pytest.approx(0.8, abs=0.03) and low.pcm != high.pcm
    assert made(tiny, "melody").output.pcm != low.pcm, "without a tune it makes one up"


@pytest.mark.parametrize(
    ("model", "given", "words"),
    [
        ("musicgen", {"melody"}, "follows no recording"),
        ("melody", {"lead_in"}, "doesn't go on from one"),
    ],
)
def test_what_another_kind_of_musicgen_can_is_refused(tiny: Engine, model: str, given: set[str], words: str) -> None:
    with pytest.raises(InvalidRequest, match=words):
        made(tiny, model, **dict.fromkeys(given, Recording(tone(220, 2.0), 8000)))


def test_engines_that_write_notes_refuse_a_recording() -> None:
    from shared.catalog import load_catalog

    asked = MusicRequest(prompt="a jig", melody=Recording(tone(220, 2.0), 8000))
    with pytest.raises(InvalidRequest, match="can't follow the tune of a recording"):
        list(Engine(load_catalog(), Settings()).generate("tune-starter", asked))


def test_the_loudest_note_of_each_moment_is_followed() -> None:
    notes = [int(chroma(to_samples(tone(hertz, 3.0, 32_000)), 32_000).argmax(-1).mode().values[0]) for hertz in PITCHES]
    assert notes == [0, 4, 7], "C, E and G, whatever the octave"


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
