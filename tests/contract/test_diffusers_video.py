"""diffusers' video pipelines keep the contract, shown on tiny random ones of three families."""

from __future__ import annotations

import asyncio
import io
import pickle
import shutil
from dataclasses import replace
from pathlib import Path
from typing import Any

import gradio as gr
import numpy as np
import pytest
from PIL import Image

from shared.backends.diffusion.small import seconds, tier
from shared.backends.diffusion.video_kinds import kinds
from shared.catalog import Catalog, ModelSpec, Variant, load_catalog
from shared.engine import Engine
from shared.errors import BackendError, InferenceError, InvalidRequest
from shared.events import Event, Final, Frame, Preview, Progress
from shared.honouring import own_values
from shared.quoting import agree
from shared.requests import ImagePart, VideoRequest
from shared.settings import Settings
from shared.streaming import CancelToken, Emitter
from shared.tasks import Task
from shared.ui.sessions import Runs
from shared.ui.video.story_panel import StoryPanel
from shared.video.reading import frames, measure
from shared.video.restoring import restore
from shared.video.storyboard import Board
from tests.support.device import DEVICE
from tests.support.fakes import SMALL
from tests.support.hosted_video import end_of
from tests.support.tiny_pipelines import stable_diffusion
from tests.support.tiny_video import MAKERS, SIDE, sana_wm, wan_gguf

pytestmark = [
    pytest.mark.filterwarnings("ignore:__array__ implementation doesn't accept a copy keyword:DeprecationWarning"),
    pytest.mark.filterwarnings("ignore:.*num_frames - 1.*"),
]
FAMILIES = tuple(MAKERS)
FPS = {"wan": 16, "ltx": 24, "animatediff": 8}


@pytest.fixture(scope="module")
def tiny(tmp_path_factory: pytest.TempPathFactory) -> Engine:
    import torch

    made = tmp_path_factory.mktemp("tiny")
    with torch.random.fork_rng():
        torch.manual_seed(0)
        folders = {name: make(made / name) for name, make in MAKERS.items()}
        folders["pictures"] = stable_diffusion(made / "pictures")
    specs = [
        ModelSpec(
            id=name,
            name=name,
            task=Task.TEXT_TO_VIDEO,
            license="none",
            variants=(Variant(backend="diffusers_video", repo_id=str(path), device=DEVICE),),
        )
        for name, path in folders.items()
    ]
    return Engine(Catalog(specs), Settings(data_dir=tmp_path_factory.mktemp("data")))


def ask(**more: Any) -> VideoRequest:
    usual: dict[str, Any] = {"prompt": "a red apple", "seed": 7, "num_frames": 9, "width": SIDE, "height": SIDE}
    return VideoRequest(**{**usual, "num_inference_steps": 2, "guidance_scale": 2.0, **more})


def made(engine: Engine, model: str, **more: Any) -> Final:
    *_, final = engine.generate(model, ask(**more))
    assert isinstance(final, Final)
    return final


def drawn(engine: Engine, model: str, **more: Any) -> Any:
    """The frames as they were made, before the file lost anything of them: (n, height, width, 3)."""
    events = engine.generate(model, ask(**more))
    return np.stack([np.asarray(event.image, np.int16) for event in events if isinstance(event, Frame)])


def picture(colour: str, side: int = SIDE) -> ImagePart:
    file = io.BytesIO()
    Image.new("RGB", (side, side), colour).save(file, "PNG")
    return ImagePart(file.getvalue(), "image/png")


@pytest.mark.parametrize("model", FAMILIES)
def test_it_makes_the_frames_asked_for_and_tells_how_far_it_is(tiny: Engine, model: str) -> None:
    events = list(tiny.generate(model, ask()))
    final = events[-1]
    assert isinstance(final, Final) and sum(isinstance(event, Final) for event in events) == 1
    output = final.output
    assert (output.width, output.height, output.num_frames, output.fps) == (SIDE, SIDE, 9, FPS[model])
    assert len(list(frames(output.video))) == 9 == sum(isinstance(event, Frame) for event in events)
    steps = [event.step for event in events if isinstance(event, Progress) and event.message.startswith("Step")]
    assert list(dict.fromkeys(steps)) == [1, 2]
    assert pickle.loads(pickle.dumps(events))[-1].receipt == final.receipt
    assert final.receipt.seed == 7 and final.receipt.device == DEVICE and final.receipt.extra["frames_per_second"] > 0


@pytest.mark.parametrize("model", FAMILIES)
def test_the_same_seed_gives_the_same_clip_and_another_seed_another(tiny: Engine, model: str) -> None:
    first, again, other = (drawn(tiny, model, seed=seed) for seed in (7, 7, 8))
    # A sum's order may move a value by one. Random weights of this size hardly follow the noise.
    assert abs(first - again).mean() < abs(first - other).mean() / 2


@pytest.mark.parametrize("model", FAMILIES)
def test_a_cancel_stops_within_a_step_and_lets_the_model_go(tiny: Engine, model: str) -> None:
    cancel, seen = CancelToken(), []
    for event in tiny.generate(model, ask(num_inference_steps=30), cancel=cancel):
        seen.append(event)
        if isinstance(event, Progress) and event.step == 1:
            cancel.cancel()
    final = seen[-1]
    assert isinstance(final, Final) and final.output.finish_reason == "stopped" and final.output.video == b""
    assert max(e.step or 0 for e in seen if isinstance(e, Progress)) <= 2
    assert made(tiny, model).output.num_frames == 9


def test_a_length_is_moved_to_one_that_the_model_makes_and_too_long_a_one_is_told_before_the_run(tiny: Engine) -> None:
    assert made(tiny, "wan", num_frames=7).output.num_frames == 9
    assert made(tiny, "wan", num_frames=None, duration=0.3).output.num_frames == 5
    with pytest.raises(InvalidRequest, match="at most 121 frames"):
        made(tiny, "wan", num_frames=500)


def test_a_size_that_does_not_fit_names_those_that_do(tiny: Engine) -> None:
    with pytest.raises(InvalidRequest, match="width must be a multiple of 16, such as 32 or 48"):
        made(tiny, "wan", width=40)


def test_a_model_that_begins_with_words_refuses_a_picture_before_it_runs(tiny: Engine) -> None:
    with pytest.raises(InvalidRequest, match="can't begin with a picture"):
        made(tiny, "wan", image=picture("red"))


def test_ltx_begins_and_ends_with_pictures_by_its_pipeline_of_conditions(tiny: Engine) -> None:
    variant = tiny.catalog.get("ltx").variants[0]
    spec = ModelSpec(
        id="ltx-pictures",
        name="LTX",
        task=Task.TEXT_TO_VIDEO,
        license="none",
        variants=(
            Variant(
                backend="diffusers_video", repo_id=variant.repo_id, device=DEVICE, options={"pipeline": "LTXPipeline"}
            ),
        ),
    )
    engine = tiny.with_catalog(Catalog([spec]))
    plain = drawn(engine, "ltx-pictures")
    led = drawn(engine, "ltx-pictures", image=picture("red"), last_image=picture("blue"))
    again = drawn(engine, "ltx-pictures")  # the pipeline of words is as it was
    assert len(led) == 9 and abs(again - plain).mean() < abs(led - plain).mean() / 2


def test_frames_of_each_step_are_kept_where_they_are_asked_for(tiny: Engine) -> None:
    events: list[Event] = list(tiny.generate("animatediff", ask(preview_every_step=True)))
    rough = [event for event in events if isinstance(event, Preview)]
    final = events[-1]
    assert isinstance(final, Final) and not made(tiny, "animatediff").output.steps
    assert len(rough) in (0, 2) and len(final.output.steps) == len(rough)


def test_a_decoder_that_runs_out_of_memory_is_asked_again_in_tiles(tiny: Engine) -> None:
    from shared.backends.diffusion.tiles import NOTE, tiled_if_short

    class Decoder:
        tiles, asked = False, 0

        def enable_tiling(self) -> None:
            self.tiles = True

        def disable_tiling(self) -> None:
            self.tiles = False

        def decode(self, latents: str) -> str:
            self.asked += 1
            if not self.tiles:
                raise MemoryError
            return latents

    class Pipe:
        vae = Decoder()

    told: list[Event] = []
    with tiled_if_short(Pipe, Emitter(told.append)) as notes:
        assert Pipe.vae.decode("frames") == "frames"
    assert notes == [NOTE] and Pipe.vae.asked == 2 and not Pipe.vae.tiles and len(told) == 1
    with pytest.raises(MemoryError):
        Pipe.vae.decode("frames")  # and is itself again afterwards


def test_a_folder_of_pictures_is_no_video_model(tiny: Engine) -> None:
    with pytest.raises(BackendError, match="StableDiffusionPipeline"):
        made(tiny, "pictures")


def test_what_a_clip_is_told_by_its_own_file(tiny: Engine) -> None:
    known = measure(made(tiny, "wan").output.video)
    assert (known.width, known.height, known.num_frames, known.codec) == (SIDE, SIDE, 9, "h264")


def test_weights_kept_in_eight_bits_make_the_same_kind_of_clip(tiny: Engine) -> None:
    import torch

    from shared.backends.diffusers_video import DiffusersVideo

    whole = tiny.catalog.get("wan").variants[0]
    variant = Variant(backend="diffusers_video", repo_id=whole.repo_id, device=DEVICE, quantization="fp8")
    model = DiffusersVideo().load(variant, tiny.settings, Emitter(lambda event: None))
    kept = {parameter.dtype for parameter in model._parts.transformer.blocks[0].ffn.parameters()}
    assert kept == {torch.float8_e4m3fn} and model.facts["quantization"] == "fp8"
    assert model.run(ask(), Emitter(lambda event: None)).output.num_frames == 9
    model.close()
    model.close()


@pytest.mark.parametrize("model", ["wan", "ltx"])
def test_a_step_cache_makes_another_clip_and_leaves_the_model_as_it_was(tiny: Engine, model: str) -> None:
    more: dict[str, Any] = {"num_inference_steps": 6}
    whole, cached, again = (drawn(tiny, model, step_cache=c, **more) for c in (0.0, 1.0, None))
    assert abs(whole - again).mean() < abs(whole - cached).mean() / 2


def test_a_model_without_such_a_cache_says_so(tiny: Engine) -> None:
    assert "no such cache" in made(tiny, "animatediff", step_cache=0.1).receipt.unhonoured["step_cache"]


def test_each_pipeline_that_is_said_to_be_cached_has_a_transformer_that_can_be() -> None:
    import inspect

    import diffusers
    from diffusers.models.cache_utils import CacheMixin

    from shared.backends.diffusion.video_kinds import kinds

    for name in (name for name, kind in kinds().items() if kind.cached):
        wanted = str(inspect.signature(getattr(diffusers, name).__init__).parameters["transformer"].annotation)
        kind = next(part for part in wanted.replace("|", " ").replace("'", " ").split() if "Transformer" in part)
        assert issubclass(getattr(diffusers, kind.rpartition(".")[2].rstrip(">")), CacheMixin), name


def test_a_world_model_walks_through_a_picture_by_keys(tmp_path: Path) -> None:
    variant = Variant(
        backend="diffusers_video",
        repo_id=str(sana_wm(tmp_path / "world")),
        device=DEVICE,
        dtype="float32",  # of random weights bfloat16 leaves nothing to see of a camera
        options={"pipeline": "SanaWMPipeline"},
    )
    spec = ModelSpec(id="world", name="W", task=Task.TEXT_TO_VIDEO, license="none", variants=(variant,))
    engine = Engine(Catalog([spec]), Settings(data_dir=tmp_path / "data"))
    more: dict[str, Any] = {"num_frames": None, "width": 64, "height": 64, "image": picture("red", 64)}
    walked = made(engine, "world", action="w-4,jw-2", **more)  # six steps are moved to the next eight
    assert walked.output.num_frames == 9 and walked.receipt.settings["action"] == "w-4,jw-2"
    first, again, turned = (drawn(engine, "world", action=action, **more) for action in ("w-4,jw-2",) * 2 + ("j-8",))
    assert abs(first - again).mean() < abs(first - turned).mean() / 2
    with pytest.raises(InvalidRequest, match="keys"):
        made(engine, "world", action="up-3", **more)
    with pytest.raises(InvalidRequest, match="begins with a picture"):
        made(engine, "world", action="w-8", **{**more, "image": None})


def test_a_model_that_is_no_world_says_so(tiny: Engine) -> None:
    with pytest.raises(InvalidRequest, match="can't be walked through"):
        made(tiny, "wan", action="w-8")


def test_a_transformer_comes_from_a_gguf_file_and_stays_quantized(tiny: Engine, tmp_path: Path) -> None:
    from shared.backends.diffusers_video import DiffusersVideo

    whole = Path(tiny.catalog.get("wan").variants[0].repo_id)
    file = wan_gguf(whole, tmp_path / "wan-Q8_0.gguf")
    bare = tmp_path / "wan"
    shutil.copytree(whole, bare)
    for weights in (bare / "transformer").glob("*.safetensors"):
        weights.unlink()  # they are not downloaded either
    options = {"pipeline": "WanPipeline", "gguf": str(file)}
    variant = Variant(backend="diffusers_video", repo_id=str(bare), device=DEVICE, quantization="Q8_0", options=options)
    model = DiffusersVideo().load(variant, tiny.settings, Emitter(lambda event: None))
    assert type(model._parts.transformer.blocks[0].attn1.to_q.weight).__name__ == "GGUFParameter"
    told: list[Event] = []
    assert model.run(ask(), Emitter(told.append)).output.num_frames == 9
    own = np.stack([np.asarray(event.image, np.int16) for event in told if isinstance(event, Frame)])
    assert abs(own - drawn(tiny, "wan")).mean() > 0.02  # by its own weights
    model.close()


def test_a_gguf_file_of_another_model_is_refused(tiny: Engine, tmp_path: Path) -> None:
    from shared.backends.diffusers_video import DiffusersVideo

    whole = tiny.catalog.get("ltx").variants[0].repo_id
    file = wan_gguf(Path(tiny.catalog.get("wan").variants[0].repo_id), tmp_path / "wan-Q8_0.gguf")
    for name, words in ((str(file), "doesn't fit"), (str(tmp_path / "none.gguf"), "no file none.gguf")):
        variant = Variant(backend="diffusers_video", repo_id=whole, device=DEVICE, options={"gguf": name})
        with pytest.raises(InferenceError, match=words):
            DiffusersVideo().load(variant, tiny.settings, Emitter(lambda event: None))


def test_the_starter_in_motion_is_wired_and_says_when_no_motion_was_asked_for(tmp_path: Path) -> None:
    engine = Engine(load_catalog(), Settings(data_dir=tmp_path))
    quick: dict[str, Any] = {"num_frames": None, "width": None, "height": None, "num_inference_steps": 2}
    moving = made(engine, "fluent-motion", prompt="a car moving to the left", camera="zoom_in", **quick)
    assert (moving.output.num_frames, moving.output.width) == (8, 128) and not moving.receipt.notes
    assert "no camera" in moving.receipt.unhonoured["camera"] and moving.receipt.starter
    assert "No motion" in made(engine, "fluent-motion", prompt="a car", **quick).receipt.notes[0]
    with pytest.raises(InvalidRequest, match="at most 16 frames"):
        made(engine, "fluent-motion", **{**quick, "num_frames": 17})


def test_on_a_processor_a_small_clip_is_made_and_a_long_wait_is_told_and_agreed_to(
    tiny: Engine, tmp_path: Path
) -> None:
    folder = tiny.catalog.get("wan").variants[0].repo_id
    wan = ModelSpec(
        id="wan",
        name="Wan",
        task=Task.TEXT_TO_VIDEO,
        license="none",
        defaults={"width": 832, "height": 480, "num_frames": 81, "num_inference_steps": 30},
        variants=(Variant(backend="diffusers_video", repo_id=folder),),
    )
    engine = Engine(Catalog([wan]), Settings(data_dir=tmp_path), SMALL)
    final = end_of(engine.generate("wan", VideoRequest(prompt="a red apple", num_inference_steps=1)))
    assert (final.output.num_frames, final.output.width, final.output.height) == (5, 256, 256)
    assert not engine.quote("wan", VideoRequest(prompt="a red apple")).asks
    large = VideoRequest(prompt="a red apple", width=832, height=480, duration=5.0, num_inference_steps=30)
    quoted = engine.quote("wan", large)
    assert quoted.asks and quoted.slow and quoted.usd is None and "hours" in quoted.words and "GPU" in quoted.words
    with pytest.raises(InvalidRequest, match="hours"):
        agree(quoted)
    on_gpu = Engine(Catalog([wan]), Settings(data_dir=tmp_path), replace(SMALL, cuda_gb=80.0))
    assert own_values(wan, wan.variants[0], on_gpu.machine)["num_frames"] == 81 and not on_gpu.quote("wan", large).asks


def test_the_small_clip_of_each_kind_can_be_made_and_takes_minutes() -> None:
    for name, kind in kinds().items():
        small = VideoRequest(prompt="-", **tier(kind))
        if kind.walked:
            continue
        kind.check_size(small)
        assert kind.count(small) == small.num_frames and 2 <= (small.num_frames or 0) <= 9, name
        took = seconds(kind, small, kind.billions, 2)
        assert took is not None and took < 7200, name
        larger = seconds(kind, replace(small, width=1024, height=512, num_frames=kind.usual), kind.billions, 2)
        assert larger is not None and larger > 2 * took, name


def test_a_duration_goes_before_a_models_own_number_of_frames(tiny: Engine) -> None:
    spec = ModelSpec(
        id="wan",
        name="wan",
        task=Task.TEXT_TO_VIDEO,
        license="none",
        defaults={"num_frames": 81},
        variants=tiny.catalog.get("wan").variants,
    )
    engine = tiny.with_catalog(Catalog([spec]))
    asked = ask(num_frames=None, duration=0.5, num_inference_steps=1)
    assert end_of(engine.generate("wan", asked)).output.num_frames == 9


@pytest.mark.parametrize("chained", [False, True])
def test_a_storyboard_here_makes_all_its_shots_one_after_another(tiny: Engine, chained: bool) -> None:
    async def build() -> StoryPanel:
        with gr.Blocks(analytics_enabled=False):
            return StoryPanel(tiny, Runs())

    panel = asyncio.run(build())
    small = {"num_frames": 9, "width": SIDE, "height": SIDE, "num_inference_steps": 1}
    board = Board(lines=("a", "b", "c"), model="ltx", mode="local", settings=small, transition="cut", chained=chained)
    *_, last = panel._here(board, replace(tiny.settings, safety="off"), CancelToken())
    film = last.values[1]["value"]
    assert measure(Path(film).read_bytes()).num_frames == 27 and not last.note
    assert restore(Path(film).read_bytes()).shots[1].prompt == "c"
