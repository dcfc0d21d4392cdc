"""The way of a clip through what a model draws, what a camera does, and how a clip's motion is measured."""

from __future__ import annotations

from itertools import pairwise
from typing import Any

import numpy as np
import pytest
from PIL import Image, ImageDraw

from shared.catalog import load_catalog
from shared.errors import InvalidRequest
from shared.requests import ImagePart, Shot, VideoRequest
from shared.ui.video.shots_panel import read_shots
from shared.video.camera import camera, cameras, moved, told
from shared.video.moving import along, coloured, flow, pairs
from shared.video.travel import FEEDBACK, between, steps


def blobs(right: float = 0, down: float = 0, side: int = 96) -> Image.Image:
    """A picture with structure everywhere, moved so far."""
    rows, columns = np.mgrid[0:side, 0:side].astype(float)
    x, y = columns - right, rows - down
    plane = 120 + 60 * np.sin(x / 6) * np.cos(y / 7) + 40 * np.sin((x + 2 * y) / 11)
    return Image.fromarray(np.stack([plane] * 3, -1).clip(0, 255).astype(np.uint8))


def dot(picture: Image.Image) -> tuple[float, float]:
    """Where the dark lies, on average: x and y."""
    dark = 255 - np.asarray(picture.convert("L")).astype(float)
    rows, columns = np.mgrid[0 : dark.shape[0], 0 : dark.shape[1]]
    return float((dark * columns).sum() / dark.sum()), float((dark * rows).sum() / dark.sum())


def spot(x: int = 32, y: int = 32) -> Image.Image:
    picture = Image.new("RGB", (65, 65), "white")
    ImageDraw.Draw(picture).ellipse((x - 5, y - 5, x + 5, y + 5), fill="black")
    return picture


def test_shots_are_reached_at_their_seconds_and_mixed_on_the_way() -> None:
    request = VideoRequest(prompt="a", shots=(Shot(start=1, prompt="b"), Shot(start=3, prompt="c")))
    assert between(request, 0.0) == ("a", "b", 0.0)
    assert between(request, 0.25) == ("a", "b", 0.25)
    assert between(request, 1.0) == ("b", "c", 0.0)
    assert between(request, 2.5) == ("b", "c", 0.75)
    assert between(request, 9.0) == ("c", "", 0.0)


def test_without_a_camera_the_noise_goes_from_one_seed_to_another() -> None:
    drawn = [step.request for step in steps(VideoRequest(prompt="a", seed=5, wander=0.5), 5, 8)]
    assert {r.seed for r in drawn} == {5} and {r.strength for r in drawn} == {None}
    assert [r.variation_strength for r in drawn] == [0, 0.125, 0.25, 0.375, 0.5]


def test_with_a_camera_each_frame_is_drawn_from_the_one_before_with_noise_of_its_own() -> None:
    made = list(steps(VideoRequest(prompt="a", seed=5, camera="zoom_in"), 4, 8))
    assert [step.fed for step in made] == [False, True, True, True]
    assert [step.request.strength for step in made] == [None, FEEDBACK, FEEDBACK, FEEDBACK]
    assert [step.request.seed for step in made] == [5, 6, 7, 8]
    begun = next(steps(VideoRequest(prompt="a", image=ImagePart(b"", "image/png")), 4, 8))
    assert begun.request.strength == 0.0  # the picture itself


@pytest.mark.parametrize(
    ("name", "at", "towards"),
    [("pan_left", (32, 32), (1, 0)), ("pan_right", (32, 32), (-1, 0)), ("tilt_up", (32, 32), (0, 1)),
     ("tilt_down", (32, 32), (0, -1)), ("zoom_in", (45, 32), (1, 0)), ("zoom_out", (45, 32), (-1, 0)),
     ("roll_left", (48, 32), (0, 1)), ("roll_right", (48, 32), (0, -1))],
)  # fmt: skip
def test_each_camera_moves_what_is_seen_the_other_way(name: str, at: tuple[int, int], towards: tuple[int, int]) -> None:
    before = spot(*at)
    x, y = dot(moved(before, camera(name), 0.25))
    gone = x - dot(before)[0], y - dot(before)[1]
    ahead, aside = (gone, gone[::-1]) if towards[0] else (gone[::-1], gone)
    assert ahead[0] * sum(towards) > 1 and abs(aside[0]) < 1.5


def test_a_still_camera_leaves_the_picture_and_an_unknown_one_is_refused() -> None:
    assert np.array_equal(np.asarray(moved(spot(), camera(None), 1)), np.asarray(spot()))
    assert told("a red apple.", "zoom_in") == "a red apple, the camera slowly zooms in" and told("x", None) == "x"
    assert all(row.label and row.words for row in cameras().values())
    with pytest.raises(InvalidRequest, match="no camera called 'dolly'"):
        camera("dolly")


def test_flow_finds_how_far_and_which_way_a_picture_went() -> None:
    for right, down in ((3, 0), (0, -4), (2, 2)):
        found = flow(blobs(), blobs(right, down))[:, 16:-16, 16:-16]
        assert found[0].mean() == pytest.approx(right, abs=0.4) and found[1].mean() == pytest.approx(down, abs=0.4)
    still = flow(blobs(), blobs())
    assert abs(still).max() < 0.05


def test_a_picture_moved_along_its_flow_is_the_next_one() -> None:
    one, other = blobs(), blobs(3, 1)
    apart, after = (np.asarray(p).astype(int)[16:-16, 16:-16] for p in (one, along(one, flow(one, other))))
    target = np.asarray(other).astype(int)[16:-16, 16:-16]
    assert abs(after - target).mean() < 0.2 * abs(apart - target).mean()
    found = pairs([blobs(2 * n) for n in range(4)])
    assert [pair.number for pair in found] == [0, 1, 2] and all(pair.moved > pair.ssim for pair in found)
    assert 1 < found[0].speed < 4  # hundredths of the side: two of 96 pixels are 2.1


def test_the_colour_of_a_flow_is_its_direction_and_white_stands_still() -> None:
    motion = np.zeros((2, 4, 4), np.float32)
    motion[0, :, :2] = 5
    colours = np.asarray(coloured(motion, 5)).astype(int)
    assert (colours[:, 2:] == 255).all() and colours[0, 0].min() < 60


@pytest.mark.parametrize(
    ("lines", "found"),
    [
        (["a", "b"], [(1.5, "a"), (3.0, "b")]),
        (["0.5: a", "2,5 s: b"], [(0.5, "a"), (2.5, "b")]),
    ],
)
def test_shots_are_read_a_line_each(lines: list[str], found: list[tuple[float, str]]) -> None:
    assert [(shot.start, shot.prompt) for shot in read_shots(lines, 3.0)] == found


def test_shots_with_and_without_a_time_are_not_mixed() -> None:
    with pytest.raises(InvalidRequest, match="to none of them"):
        read_shots(["1: a", "b"], 3)


@pytest.mark.parametrize(
    ("wrong", "words"),
    [
        ({"prompt": ""}, "prompt is empty"),
        ({"duration": 1000}, "between 0.1 and 60"),
        ({"fps": 0}, "between 1 and 60"),
        ({"shots": (Shot(start=0, prompt="b"),)}, "start later"),
        ({"shots": (Shot(start=1, prompt=" "),)}, "A shot is empty"),
        ({"shots": tuple(Shot(start=n + 1, prompt="b") for n in range(13))}, "at most 12"),
    ],
)
def test_a_request_that_no_engine_could_follow_is_refused(wrong: dict[str, Any], words: str) -> None:
    with pytest.raises(InvalidRequest, match=words):
        VideoRequest(**{"prompt": "a", **wrong}).validate()


def test_a_video_model_is_moved_to_the_lengths_and_sizes_that_it_makes() -> None:
    from shared.backends.diffusion.video_kinds import kinds

    wan = kinds()["WanPipeline"]
    counts = [wan.count(VideoRequest(prompt="a", num_frames=n)) for n in (1, 2, 5, 80, 121)]
    assert counts == [1, 1, 5, 81, 121] and all((b - a) % wan.step == 0 for a, b in pairwise(counts))
    assert wan.count(VideoRequest(prompt="a", duration=1)) == 17
    with pytest.raises(InvalidRequest, match="Make it shorter"):
        wan.count(VideoRequest(prompt="a", duration=20))


def test_each_local_video_model_of_the_catalogue_names_a_pipeline_that_is_known() -> None:
    import diffusers

    from shared.backends.diffusion.video_kinds import kinds

    variants = [v for spec in load_catalog() for v in spec.variants if v.backend == "diffusers_video"]
    assert variants and all(v.options["pipeline"] in kinds() for v in variants)
    assert all(hasattr(diffusers, name) for name in kinds())


def test_what_is_no_picture_to_begin_with_is_refused() -> None:
    from shared.ui.video.shots_panel import picture

    with pytest.raises(InvalidRequest):
        picture("/nowhere/at/all.png")
