"""Splats and a field learn from pictures what other views look like, and the same again from the same seed."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest

from shared.errors import InvalidRequest
from shared.solid.learning import scene as scenes
from shared.solid.learning.radiance import RadianceScene
from shared.solid.learning.scene import Learned, learning
from shared.solid.learning.splatting import SplatScene
from shared.solid.learning.views import SIDE, around, psnr, taken_of
from shared.solid.mesh import Solid
from shared.solid.splats import ply, read_ply, sampled_from
from tests.support.solids import is_whole, lifted


@pytest.fixture(scope="module")
def ball() -> Solid:
    return lifted("disc", resolution=24, parts=0.0, depth=1.0)[0]


def test_views_are_pictures_from_all_around(ball: Solid) -> None:
    views = around(lifted("star", resolution=32, depth=0.4)[0], 8)
    assert views.pictures.shape == (8, SIDE, SIDE, 3) and len(views.cameras) == 8
    for camera in views.cameras:
        assert np.allclose(camera.turn @ camera.turn.T, np.eye(3), atol=1e-5)
    covered = (views.pictures.min(axis=3) < 0.9).mean(axis=(1, 2))
    assert covered.min() < 0.7 * covered.max()
    assert psnr(views.pictures[0], views.pictures[0]) > 90


def test_splats_are_drawn_where_the_pictures_show_them() -> None:
    """Splats laid on a star look like it from each side before anything is learned: one geometry for both."""
    import torch

    star = lifted("star", resolution=24, depth=0.5)[0]
    laid, scene = sampled_from(star, 700), SplatScene(700)
    values: dict[str, Any] = scene._values
    with torch.no_grad():
        values["centres"].copy_(torch.from_numpy(laid.centres))
        values["scales"].copy_(torch.from_numpy(laid.scales).log() - 0.7)  # a bell reaches far beyond its width
        values["turns"].copy_(torch.from_numpy(laid.turns))
        values["colours"].copy_(torch.logit(torch.from_numpy(laid.colours).clamp(0.01, 0.99)))
        values["opacities"].fill_(3.0)
    views = around(star, 4)
    near = [[psnr(scene.seen(camera, SIDE), picture) for picture in views.pictures] for camera in views.cameras]
    for number, row in enumerate(near):
        assert row[number] > 15 and row[number] > 2 + max(row[:number] + row[number + 1 :])
    again = read_ply(ply(scene.splats()))
    assert np.allclose(again.centres, laid.centres, atol=1e-5)


def test_the_same_seed_learns_the_same(ball: Solid) -> None:
    views = around(ball, 2)
    for build in (lambda: SplatScene(40, seed=3), lambda: RadianceScene(16, seed=3)):
        one, other = build(), build()
        losses = [[scene.learn(views, number) for number in (0, 1)] for scene in (one, other)]
        assert losses[0] == pytest.approx(losses[1], rel=1e-4) and losses[0][0] > 0


@pytest.mark.parametrize(("kind", "count", "steps"), [("splats", 80, 15), ("field", 24, 25)])
def test_views_that_were_kept_back_come_nearer(
    ball: Solid, kind: str, count: int, steps: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(scenes, "SHOWN", 1e9)  # the first and the last alone
    first, last = learning(taken_of(ball), kind, count, steps)
    assert isinstance(last, Learned) and (first.step, last.step) == (1, steps)
    assert last.decibels > first.decibels + 0.5
    assert last.size == (14 * count if kind == "splats" else RadianceScene(count).size)
    assert last.picture.width > last.picture.height


def test_where_a_field_is_dense_is_a_closed_surface_in_its_colours(ball: Solid) -> None:
    scene = RadianceScene(24)
    with pytest.raises(InvalidRequest, match="nowhere dense enough"):
        scene.surface(12, least=1e6)
    solid = scene.surface(12, least=0.0)  # all of it is denser than that
    is_whole(solid)
    assert solid.colours is not None and solid.colours.shape == solid.vertices.shape
    assert solid.size == pytest.approx([2, 2, 2], rel=0.2)
