"""Start pictures, masks, previews and stops of the diffusers engine, on tiny random pipelines."""

from __future__ import annotations

import pickle
import shutil
import threading
from pathlib import Path
from typing import Any

import pytest

from shared.engine import Engine
from shared.errors import InvalidRequest
from shared.events import Event, Final, Preview, Progress
from shared.requests import ImagePart
from shared.streaming import CancelToken, Emitter
from tests.support import contract, pictures
from tests.support.drawing import FORCED, ask, build, draw, engine_for, opened, part, picture, variant_for
from tests.support.tiny_pipelines import FAMILIES

pytestmark = FORCED
SIDE = 32


@pytest.fixture(scope="module")
def tiny(tmp_path_factory: pytest.TempPathFactory) -> Engine:
    folder = tmp_path_factory.mktemp("tiny")
    made = build(folder)
    made["linear"] = _with_preview(made["sd"], folder / "linear")
    return engine_for(folder, **{name: variant_for(path) for name, path in made.items()})


def _with_preview(source: Path, folder: Path) -> Path:
    """The pipeline with a preview that makes the first three of the four latent channels red, green and blue."""
    import torch
    from safetensors.torch import save_file

    shutil.copytree(source, folder)
    (folder / "preview").mkdir()
    weight = torch.zeros(3 * 4, 4, 3, 3)  # a block of 2 x 2 pixels a latent
    for channel in range(3):
        weight[channel * 4 : channel * 4 + 4, channel, 1, 1] = 0.05
    save_file({"weight": weight, "bias": torch.full((12,), 0.5)}, folder / "preview" / "linear.safetensors")
    return folder


def start() -> ImagePart:
    return part(pictures.pixels(SIDE, SIDE))


def mask(right: bool = True) -> ImagePart:
    from PIL import Image

    made = Image.new("L", (SIDE, SIDE), 0)
    made.paste(255, (SIDE // 2, 0, SIDE, SIDE) if right else (0, 0, SIDE, SIDE))
    return part(made)


def far(one: Any, other: Any) -> float:
    """The mean difference of a channel, of 255."""
    return float(abs(opened(one) - opened(other)).mean())


@pytest.mark.parametrize("name", FAMILIES)
def test_strength_tells_how_far_to_go_from_the_start_picture(tiny: Engine, name: str) -> None:
    def changed(strength: float) -> bytes:
        return picture(tiny, name, image=start(), strength=strength, num_inference_steps=4)

    assert far(changed(0.0), start()) == 0
    assert len({changed(0.0), changed(0.5), changed(1.0)}) == 3
    assert changed(0.5) == changed(0.5) != picture(tiny, name, image=start(), strength=0.5, seed=8)


@pytest.mark.parametrize("name", FAMILIES)
def test_a_mask_keeps_what_is_black_and_draws_what_is_white_anew(tiny: Engine, name: str) -> None:
    drawn = picture(tiny, name, image=start(), mask_image=mask(), strength=1.0)
    before, after = opened(start()), opened(drawn)
    assert (after[:, : SIDE // 2] == before[:, : SIDE // 2]).all()
    assert abs(after - before)[:, SIDE // 2 :].mean() > 5
    assert drawn != picture(tiny, name, image=start(), mask_image=mask(), strength=1.0, seed=8)


def test_a_masks_edge_is_soft_on_its_white_side_alone() -> None:
    from PIL import Image

    from shared.media.repainting import lay_over

    side = 256
    white = Image.new("L", (side, side), 0)
    white.paste(255, (side // 2, 0, side, side))
    black_picture, white_picture = (Image.new("RGB", (side, side), c) for c in ("black", "white"))
    row = opened(part(lay_over(black_picture, white_picture, white)))[side // 2, :, 0]
    assert not row[: side // 2].any() and row[-1] == 255
    edge = row[side // 2 : side // 2 + 4]
    assert 0 < edge[1] < 255 and list(edge) == sorted(edge)


def test_a_start_picture_of_another_size_is_cut_to_the_size_asked(tiny: Engine) -> None:
    wide = part(pictures.pixels(90, 40))
    drawn = draw(tiny, "sd", image=wide, strength=0.0, width=48, height=40).output.images[0]
    assert opened(drawn).shape == (40, 48, 3)


def test_what_is_transparent_in_a_start_picture_is_white(tiny: Engine) -> None:
    from PIL import Image

    clear = part(Image.new("RGBA", (SIDE, SIDE), (255, 0, 0, 0)))
    assert (opened(picture(tiny, "sd", image=clear, strength=0.0)) == 255).all()


@pytest.mark.parametrize(
    ("more", "words"),
    [
        ({"strength": 0.2}, "4 steps, a strength of 0.2 leaves no step to draw. Raise"),
        ({"mask_image": part(pictures.pixels(8, 8).point(lambda _: 0))}, "The mask is empty"),
        ({"image": ImagePart(b"not a picture", "image/png")}, "no PNG, JPEG, WebP or GIF"),
        ({"image": None, "mask_image": part(pictures.pixels(8, 8))}, "mask needs the picture"),
    ],
)
def test_pictures_that_can_not_be_drawn_from_are_refused(tiny: Engine, more: dict[str, Any], words: str) -> None:
    with pytest.raises(InvalidRequest, match=words):
        draw(tiny, "sd", **{"image": start(), "num_inference_steps": 4, **more})


def test_strength_without_a_start_picture_changes_nothing(tiny: Engine) -> None:
    assert picture(tiny, "sd", strength=0.3) == picture(tiny, "sd")


@pytest.mark.parametrize("name", ["sd-tiny", "linear"])
def test_previews_come_at_every_step_and_pickle(tiny: Engine, name: str) -> None:
    asked = ask(num_inference_steps=4, preview_every_step=True, num_images_per_prompt=2)
    events = list(tiny.generate(name, asked))
    shown = [event for event in events if isinstance(event, Preview)]
    assert [(event.step, event.total) for event in shown] == [(1, 4), (2, 4), (3, 4), (4, 4)] * 2
    assert all(event.image.size == (SIDE, SIDE) for event in shown)
    assert len({event.image.tobytes() for event in shown}) == 8
    assert pickle.loads(pickle.dumps(events)) == events


def test_a_preview_by_the_decoder_is_the_picture_at_the_last_step(tiny: Engine) -> None:
    events = list(tiny.generate("sd-tiny", ask(preview_every_step=True)))
    last = [event for event in events if isinstance(event, Preview)][-1]
    final = events[-1]
    assert isinstance(final, Final) and far(part(last.image), final.output.images[0]) < 1


def test_a_model_that_can_make_none_shows_none(tiny: Engine) -> None:
    events = list(tiny.generate("sd", ask(preview_every_step=True)))
    assert not any(isinstance(event, Preview) for event in events)


def _stopped_in_step(engine: Engine, name: str, step: int, **more: Any) -> tuple[Final, int]:
    """The end of a run that is stopped while that step is computed, and how many steps were begun."""
    draw(engine, name)
    token, begun = CancelToken(), []
    with engine.pool.lease(engine.find(name).variants[0], engine.settings, Emitter(lambda _: None)) as lease:
        unet: Any = lease.model._parts.unet  # type: ignore[attr-defined]

    def count(*_: object) -> None:
        begun.append(1)
        if len(begun) == step:
            token.cancel()

    handle = unet.register_forward_pre_hook(count)
    try:
        *_, final = engine.generate(name, ask(**more), cancel=token)
    finally:
        handle.remove()
    assert isinstance(final, Final)
    return final, len(begun)


def test_a_stop_ends_it_with_the_step_and_keeps_the_last_preview(tiny: Engine) -> None:
    asked = {"num_inference_steps": 20, "preview_every_step": True}
    final, begun = _stopped_in_step(tiny, "sd-tiny", 3, **asked)
    assert begun == 3 and final.output.finish_reason == final.receipt.finish_reason == "stopped"
    contract.no_lease_is_left(tiny)
    whole = list(tiny.generate("sd-tiny", ask(**asked)))
    second = next(event for event in whole if isinstance(event, Preview) and event.step == 2)
    (kept,) = final.output.images
    assert far(kept, part(second.image)) == 0


def test_a_stop_before_any_preview_ends_with_no_picture_and_the_model_draws_on(tiny: Engine) -> None:
    before = picture(tiny, "sd")
    final, begun = _stopped_in_step(tiny, "sd", 1, num_inference_steps=20)
    assert begun == 1 and final.output.images == () and final.output.finish_reason == "stopped"
    assert picture(tiny, "sd") == before


def test_whole_pictures_are_kept_when_a_later_one_is_stopped(tiny: Engine) -> None:
    token, reached = CancelToken(), threading.Event()
    for event in tiny.generate("sd", ask(num_images_per_prompt=3, num_inference_steps=40), cancel=token):
        if isinstance(event, Progress) and "picture 2 of 3" in event.message:
            reached.set()
            token.cancel()
    assert reached.is_set()
    assert isinstance(event, Final) and event.output.finish_reason == "stopped"
    assert event.output.seeds[:1] == (7,) and len(event.output.images) == len(event.output.seeds) < 3
    assert event.output.images[0].data == picture(tiny, "sd", num_inference_steps=40)
    contract.no_lease_is_left(tiny)


def test_closing_the_iterator_lets_the_lease_go(tiny: Engine) -> None:
    events = tiny.generate("sd", ask(num_inference_steps=100))
    while not _is_step(next(events)):
        pass
    events.close()  # type: ignore[attr-defined]
    contract.no_lease_is_left(tiny)


def _is_step(event: Event) -> bool:
    return isinstance(event, Progress) and event.step is not None
