"""The video starter's training: clips that move as captions say, the measure that tells, and going on after a stop."""

from __future__ import annotations

import json
import random
import sys
from pathlib import Path
from typing import Any

import pytest
from PIL import Image, ImageDraw

from tests.support import tiny_pipelines
from tests.support.server import ROOT

# Before other trainings', whose modules have names like these
sys.path.insert(0, str(ROOT / "training" / "text2img"))
sys.path.insert(0, str(ROOT / "training" / "text2video"))
import clips
import judging
import module
import source

del sys.path[:2]
# As the image starter's U-Net: the words' sum adds to the time
TOLD = {"addition_embed_type": "text", "addition_embed_type_num_heads": 4}
MOTIONS = list(clips.table()["motions"])


def thing() -> Image.Image:
    """Something that looks another way from every side."""
    picture = Image.new("RGBA", (256, 256))
    pen = ImageDraw.Draw(picture)
    pen.polygon([(30, 60), (220, 100), (150, 230)], fill="red")
    pen.ellipse((150, 40, 230, 120), fill="blue")
    return picture


@pytest.mark.parametrize("motion", MOTIONS)
@pytest.mark.parametrize("seed", [0, 1])
def test_a_clip_shows_the_motion_of_its_name_and_no_other(motion: str, seed: int) -> None:
    frames = clips.drawn(thing(), clips.poses(motion, random.Random(seed)))
    assert frames.shape == (8, 128, 128, 3)
    assert judging.seen(frames) == {each: each == motion for each in MOTIONS}


def test_a_clip_that_stands_still_or_is_empty_shows_no_motion() -> None:
    still = clips.drawn(thing(), [clips.Pose(0.7)] * 8)
    empty = clips.drawn(Image.new("RGBA", (256, 256)), [clips.Pose(0.7)] * 8)
    assert not any(judging.seen(still).values()) and not any(judging.seen(empty).values())


def test_frames_of_one_thing_are_steadier_than_those_of_two() -> None:
    moving = clips.drawn(thing(), clips.poses("left", random.Random(0)))
    other = clips.drawn(thing().rotate(90), clips.poses("left", random.Random(0)))
    mixed = moving.copy()
    mixed[::2] = other[::2]
    assert judging.steadiness(moving) > judging.steadiness(mixed) + 6


def test_every_motion_has_a_path_and_no_two_share_a_phrase() -> None:
    phrases = [phrase for ways in clips.table()["motions"].values() for phrase in ways]
    assert set(clips.PATHS) == set(MOTIONS) and len(set(phrases)) == len(phrases)


@pytest.fixture
def emoji(tmp_path: Path) -> list[Any]:
    thing().save(tmp_path / "a.webp")
    common = {"kind": "foods", "file": tmp_path / "a.webp", "keywords": ()}
    return [
        source.Emoji(id="apple", names=("apple", "red apple"), everyday=True, **common),
        source.Emoji(id="mango", names=("mango",), everyday=False, **common),
    ]


def test_everyday_things_move_in_every_way_and_are_called_so(emoji: list[Any]) -> None:
    made = list(clips.everything(emoji, each=5))
    assert [clip.motion for clip in made[::5]] == MOTIONS and len(made) == 5 * len(MOTIONS)
    names = {name for clip in made for name in clip.things}
    assert {"an apple", "a red apple"} <= names and not any("mango" in name for name in names)
    dyed = [clip.things for clip in made if "an apple" not in clip.things]
    assert dyed and not any("red apple" in name and not name.endswith(" red apple") for (name, *_) in dyed)


@pytest.mark.slow
def test_training_goes_on_where_it_was_left(tmp_path: Path) -> None:
    import torch
    from safetensors.torch import load_file, save_file

    images = tiny_pipelines.stable_diffusion(tmp_path / "images", more=TOLD)
    save_file({"latents": torch.randn(3, 8, 4, 16, 16).half()}, tmp_path / "clips.safetensors")
    (tmp_path / "clips.json").write_text(json.dumps([[["a cat"], "left"]] * 3), "utf-8")
    first = module.Trainer(tmp_path, images, hasten=False)
    before = {name: value.clone() for name, value in first.unet.state_dict().items()}
    codes = first.codes.detach().clone()
    losses = [first.step(1e-3) for _ in range(2)]
    first.save()
    after = first.unet.state_dict()
    changed = {name for name, value in before.items() if not torch.equal(value, after[name])}
    assert all(losses) and changed and all(module.moves(name) for name in changed)
    assert not torch.equal(first.codes[0], codes[0]) and torch.equal(first.codes[1:], codes[1:])  # only left was seen
    again = module.Trainer(tmp_path, images, hasten=False)
    assert again.steps == 2 and all(torch.equal(again.moving[n], value) for n, value in first.moving.items())
    assert torch.equal(again.codes, first.codes)
    assert set(load_file(tmp_path / "module" / "motions.safetensors")) == set(MOTIONS)
