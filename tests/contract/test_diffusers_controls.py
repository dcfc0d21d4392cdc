"""ControlNets and T2I-Adapters in the diffusers engine, tiny and random, of the real classes."""

from __future__ import annotations

import io
import shutil
from pathlib import Path
from typing import Any

import pytest
from PIL import Image

from shared.backends import get_backend
from shared.backends.diffusion.controls import KINDS, rows
from shared.catalog import load_catalog
from shared.engine import Engine
from shared.errors import BackendError, CorruptWeights, HubUnavailable, InvalidRequest, UnknownModel
from shared.events import Preview, Progress
from shared.image.drawing import drawings
from shared.image.finishing import finish
from shared.media.reading import READERS, read
from shared.media.restoring import restore
from shared.requests import LEADING, ImagePart
from shared.settings import Settings
from shared.streaming import CancelToken
from shared.tasks import Mode, Task
from tests.support import contract, pictures, tiny_pipelines
from tests.support.drawing import FORCED, ask, build, draw, engine_for, opened, part, picture, variant_for
from tests.support.hosted_images import draw as asked_of
from tests.support.hosted_images import drawing
from tests.support.protocols_images import IMAGE_DIALECTS
from tests.support.tiny_models import edit_json

OLD = "ignore:The decode_latents method is deprecated:FutureWarning"  # what diffusers' own adapter pipeline calls
pytestmark = [*FORCED, pytest.mark.filterwarnings(OLD)]
SIDE = 32
NETS = ("sd", "sdxl")


@pytest.fixture(scope="module")
def made(tmp_path_factory: pytest.TempPathFactory) -> dict[str, Path]:
    folder = tmp_path_factory.mktemp("tiny")
    found = build(folder, ("sd-tiny", "sdxl", "sd3"))
    found["sd"] = found.pop("sd-tiny")
    nets = {f"{name}-net": tiny_pipelines.controlnet(folder / f"{name}-net", found[name]) for name in NETS}
    one = {"adapter": tiny_pipelines.t2i_adapter(folder / "adapter")}
    grey = {"grey": tiny_pipelines.t2i_adapter(folder / "grey", channels=1)}
    return found | nets | one | grey


def row(path: Path | str, **more: Any) -> dict[str, Any]:
    return {"repo_id": str(path), "name": "A control", "license": "MIT", "reader": "edges", **more}


@pytest.fixture(scope="module")
def tiny(made: dict[str, Path], tmp_path_factory: pytest.TempPathFactory) -> Engine:
    adapters = {"adapter": row(made["adapter"]), "grey": row(made["grey"])}
    variants = {
        name: variant_for(made[name], options={"controls": {"net": row(made[f"{name}-net"]), **adapters}})
        for name in NETS
    }
    variants["sd3"] = variant_for(made["sd3"], options={"controls": {"net": row(made["sd-net"]), **adapters}})
    variants["plain"] = variant_for(made["sd"])
    return engine_for(tmp_path_factory.mktemp("data"), **variants)


def leader(turned: int = 0) -> ImagePart:
    """A half white, half black picture."""
    half = Image.new("RGB", (SIDE, SIDE))
    half.paste("white", (0, 0, SIDE // 2, SIDE))
    return part(half.rotate(turned))


def led(engine: Engine, name: str, **more: Any) -> bytes:
    return picture(engine, name, **{"control_image": leader(), **more})


@pytest.mark.parametrize("control", ["net", "adapter", "grey"])
@pytest.mark.parametrize("name", NETS)
def test_a_picture_leads_as_strongly_as_it_is_told(tiny: Engine, name: str, control: str) -> None:
    def at(scale: float | None, **more: Any) -> bytes:
        return led(tiny, name, control=control, controlnet_conditioning_scale=scale, **more)

    plain = picture(tiny, name)
    assert at(0.0) == plain
    assert len({plain, at(0.5), at(1.0), at(1.0, control_image=leader(90))}) == 4
    assert at(None) == at(1.0), "the control's own strength is one"
    assert at(1.0) == at(1.0) != at(1.0, seed=8)
    assert picture(tiny, name) == plain  # what draws without it stays as it was


@pytest.mark.parametrize("name", NETS)
def test_a_controlnet_leads_from_a_picture_and_within_a_mask_too(tiny: Engine, name: str) -> None:
    start = part(pictures.pixels(SIDE, SIDE))
    mask = Image.new("L", (SIDE, SIDE), 0)
    mask.paste(255, (SIDE // 2, 0, SIDE, SIDE))
    for more in ({}, {"mask_image": part(mask)}, {"outpaint": (0.0, 0.0, 0.5, 0.0), "width": None, "height": None}):
        asked = {"image": start, "strength": 0.9, "num_inference_steps": 4, **more}
        drawn = led(tiny, name, **asked)
        assert drawn != picture(tiny, name, **asked) and drawn != led(tiny, name, control_image=leader(90), **asked)
        if more:
            assert (opened(drawn)[:, : SIDE // 2] == opened(start)[:, : SIDE // 2]).all()


def test_it_leads_only_the_steps_that_it_is_told(tiny: Engine) -> None:
    asked = {"num_inference_steps": 4, "controlnet_conditioning_scale": 1.0}
    whole = led(tiny, "sd", **asked)
    late = led(tiny, "sd", control_guidance_start=0.5, **asked)
    early = led(tiny, "sd", control_guidance_end=0.5, **asked)
    assert len({whole, late, early, picture(tiny, "sd", num_inference_steps=4)}) == 4


def test_a_control_picture_of_another_size_is_cut_to_the_drawings(tiny: Engine) -> None:
    wide = part(pictures.pixels(90, 40))
    assert opened(led(tiny, "sd", control_image=wide, width=48)).shape == (32, 48, 3)


def test_the_first_control_leads_where_none_is_named_and_the_receipt_names_it(tiny: Engine) -> None:
    final = draw(tiny, "sd", control_image=leader(), controlnet_conditioning_scale=0.8, control_guidance_end=0.5)
    assert final.receipt.extra["control"] == "net" and final.receipt.extra["control_license"] == "MIT"
    assert final.receipt.extra["control_repo"] == "sd-net", "not the way to it"
    assert final.receipt.settings["controlnet_conditioning_scale"] == 0.8
    assert final.output.images[0].data == led(
        tiny, "sd", control="net", controlnet_conditioning_scale=0.8, control_guidance_end=0.5
    )
    assert "control" not in draw(tiny, "sd").receipt.extra


def test_an_adapter_leads_all_steps_and_that_is_told(tiny: Engine) -> None:
    final = draw(tiny, "sd", control_image=leader(), control="adapter", control_guidance_end=0.5)
    assert "all steps" in final.receipt.unhonoured["control_guidance_end"]
    assert final.output.images[0].data == led(tiny, "sd", control="adapter")


@pytest.mark.parametrize("control", ["net", "adapter"])
def test_steps_are_told_previews_come_and_a_stop_is_heard(tiny: Engine, control: str) -> None:
    asked = {"control_image": leader(), "control": control}
    events = list(tiny.generate("sd", ask(num_inference_steps=3, preview_every_step=True, **asked)))
    steps = [(event.step, event.total) for event in events if isinstance(event, Progress) and event.step]
    assert steps == [(1, 3), (2, 3), (3, 3)]
    assert len([event for event in events if isinstance(event, Preview)]) == 3
    token = CancelToken()
    for event in tiny.generate("sd", ask(num_inference_steps=60, **asked), cancel=token):
        if isinstance(event, Progress) and event.step == 2:
            token.cancel()
    assert event.output.finish_reason == "stopped"  # type: ignore[union-attr]
    contract.no_lease_is_left(tiny)


def test_a_variation_is_led_too(tiny: Engine) -> None:
    whole = led(tiny, "sd", control="adapter", variation_seed=8, variation_strength=1.0)
    assert whole == led(tiny, "sd", control="adapter", seed=8)


@pytest.mark.parametrize(
    ("name", "more", "words"),
    [
        ("sd", {"control": "depth"}, "no control 'depth'. These it has: net, adapter, grey"),
        ("sd", {"control": "adapter", "image": leader()}, "from words alone. Take the start picture away"),
        ("sd3", {"control": "net"}, "can't be led by that"),
        ("sd3", {"control": "adapter"}, "can't be led by that"),
        ("plain", {}, "can't be led by a picture: No ControlNet or T2I-Adapter is listed"),
        ("sd", {"control_image": ImagePart(b"none", "image/png")}, "no PNG, JPEG, WebP or GIF"),
        ("sd", {"controlnet_conditioning_scale": 3.0}, "must be between 0 and 2"),
        ("sd", {"control_guidance_start": 0.6, "control_guidance_end": 0.5}, "must be below control_guidance_end"),
        ("sd", {"control_guidance_start": 1.0}, "must be below"),
    ],
)
def test_what_can_not_lead_is_refused_with_what_to_do(
    tiny: Engine, name: str, more: dict[str, Any], words: str
) -> None:
    with pytest.raises(InvalidRequest, match=words):
        led(tiny, name, **more)


def test_how_to_lead_counts_for_nothing_without_a_picture_and_that_is_told(tiny: Engine) -> None:
    settings = {"control": "net", "controlnet_conditioning_scale": 0.5, "control_guidance_end": 0.5}
    final = draw(tiny, "sd", **settings)
    assert set(final.receipt.unhonoured) == set(settings) and not set(final.receipt.settings) & set(LEADING)
    assert final.output.images[0].data == picture(tiny, "sd")


def test_what_led_is_read_back_from_the_file(tiny: Engine) -> None:
    asked = ask(control_image=leader(), controlnet_conditioning_scale=0.8, control_guidance_end=0.5)
    *_, done = drawings(tiny.generate("sd", asked))
    (finished,) = finish(done, asked, Settings(safety="off"))
    found = restore(finished.image.data)
    assert (found.control, found.controlnet_conditioning_scale, found.control_guidance_end) == ("net", 0.8, 0.5)
    assert "drawn from another picture" in found.ignored[0]
    with Image.open(io.BytesIO(finished.image.data)) as image:
        assert "control_image" in image.text["genai_playground"]  # type: ignore[attr-defined]


@pytest.mark.parametrize("dialect", IMAGE_DIALECTS, ids=lambda dialect: dialect.backend)
def test_engines_that_can_not_be_led_say_so_before_anything_is_sent(dialect: Any) -> None:
    with drawing(dialect) as case:
        variant = case.engine.find(case.model, task=Task.TEXT_TO_IMAGE).variants[0]
        assert get_backend(variant.backend).capabilities(variant).reason("control_image", "It")
        with pytest.raises(InvalidRequest, match="can't be led by a picture"):
            case.events(asked_of(control_image=leader()))
        assert not case.fake.asked


def test_openvino_can_not_be_led(made: dict[str, Path]) -> None:
    variant = variant_for(
        made["sd"], backend="openvino_image", quantization="int8", options={"controls": {"net": row(made["sd-net"])}}
    )
    known = get_backend("openvino_image").capabilities(variant)
    assert not known.controls and "OpenVINO" in (known.reason("control_image", "") or "")


def test_the_catalogues_models_name_controls_that_there_are() -> None:
    models = {spec.id: spec for spec in load_catalog().for_task(Task.TEXT_TO_IMAGE)}
    named: dict[str, tuple[Any, ...]] = {}
    for spec in models.values():
        for variant in spec.variants:
            if variant.mode != Mode.HOSTED and variant.options.get("controls"):
                named[spec.id] = get_backend(variant.backend).capabilities(variant).controls
                for found in rows(variant).values():
                    assert found.repo_id.count("/") == 1 and found.license and found.name and found.memory_gb > 0
                    assert found.reader in READERS
    assert [control.id for control in named["sd-1.5"]] == ["canny", "scribble", "depth"]
    assert {"canny", "t2i-canny", "t2i-sketch"} <= {control.id for control in named["sdxl"]}
    assert {"ControlNetModel", "T2IAdapter"} == KINDS


def test_edges_lead_as_they_were_shown(tiny: Engine) -> None:
    scene = pictures.pixels(64, 64).resize((SIDE, SIDE))
    assert led(tiny, "sd", control_image=part(read(scene, "edges"))) != led(tiny, "sd", control_image=part(scene))


def try_it(made: dict[str, Path], data: Path, path: Path | str, **settings: Any) -> None:
    variant = variant_for(made["sd"], options={"controls": {"net": row(path)}})
    draw(engine_for(data, Settings(data_dir=data, **settings), m=variant), "m", control_image=leader())


WEIGHTS = "diffusion_pytorch_model.safetensors"


@pytest.mark.parametrize("keep", [0, 7, 300, -1])
def test_a_control_that_is_cut_short_is_told(made: dict[str, Path], tmp_path: Path, keep: int) -> None:
    copy = Path(shutil.copytree(made["sd-net"], tmp_path / "net"))
    (copy / WEIGHTS).write_bytes((copy / WEIGHTS).read_bytes()[:keep])
    with pytest.raises(CorruptWeights, match="Download it again"):
        try_it(made, tmp_path / "data", copy)


def test_a_control_that_lacks_a_tensor_is_told_and_never_drawn_at_random(made: dict[str, Path], tmp_path: Path) -> None:
    from safetensors.torch import load_file, save_file

    copy = Path(shutil.copytree(made["sd-net"], tmp_path / "net"))
    tensors = load_file(copy / WEIGHTS)
    del tensors["controlnet_mid_block.weight"]
    save_file(tensors, copy / WEIGHTS, metadata={"format": "pt"})
    with pytest.raises(CorruptWeights, match=r"net lacks some of its weights, controlnet_mid_block\.weight"):
        try_it(made, tmp_path / "data", copy)


@pytest.mark.parametrize("ending", ["bin", "pt"])
def test_a_control_in_pickle_is_refused_and_never_opened(made: dict[str, Path], tmp_path: Path, ending: str) -> None:
    ran = tmp_path / "ran"
    copy = Path(shutil.copytree(made["sd-net"], tmp_path / "net"))
    (copy / WEIGHTS).unlink()
    (copy / f"diffusion_pytorch_model.{ending}").write_bytes(f"cbuiltins\nopen\n(S{str(ran)!r}\nS'w'\ntR.".encode())
    with pytest.raises(CorruptWeights, match="is a pickle file"):
        try_it(made, tmp_path / "data", copy)
    assert not ran.exists()


def test_what_is_no_control_or_of_another_family_or_not_there_is_told(made: dict[str, Path], tmp_path: Path) -> None:
    copy = Path(shutil.copytree(made["sd-net"], tmp_path / "net"))
    edit_json(copy / "config.json", _class_name="UNet2DConditionModel")
    with pytest.raises(BackendError, match="neither a ControlNet nor a T2I-Adapter"):
        try_it(made, tmp_path / "data", copy)
    with pytest.raises(BackendError, match="was made for another kind of model"):
        try_it(made, tmp_path / "data", made["sdxl-net"])
    with pytest.raises(UnknownModel, match="no folder nothing-here"):
        try_it(made, tmp_path / "data", tmp_path / "nothing-here")
    with pytest.raises(HubUnavailable, match="offline"):
        try_it(made, tmp_path / "data", "owner/no-such-control", offline=True)
