"""The surface of a field is closed and turned outwards, whatever the field, and lies where the field is zero."""

from __future__ import annotations

import math

import numpy as np
import pytest

from shared.solid.isosurface import surface
from shared.solid.mesh import Solid
from tests.support.solids import is_whole, mesh_of


def field(side: int = 24) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    axis = np.linspace(-1, 1, side)
    return tuple(np.meshgrid(axis, axis, axis, indexing="ij"))  # type: ignore[return-value]


def solid_of(values: np.ndarray) -> Solid:
    vertices, faces = surface(values)
    return Solid(vertices=vertices, faces=faces)


def test_a_ball_is_as_large_as_it_is() -> None:
    x, y, z = field(32)
    solid = solid_of(0.8 - np.sqrt(x**2 + y**2 + z**2))
    is_whole(solid)
    radius = 0.8 * 31 / 2
    assert solid.volume == pytest.approx(4 / 3 * math.pi * radius**3, rel=0.01)
    assert np.linalg.norm(solid.vertices - 15.5, axis=1) == pytest.approx(radius, rel=0.01)


def test_a_ring_has_its_hole() -> None:
    x, y, z = field(32)
    solid = solid_of(0.25 - np.sqrt((np.sqrt(x**2 + y**2) - 0.6) ** 2 + z**2))
    is_whole(solid)
    assert mesh_of(solid).euler_number == 0


@pytest.mark.parametrize("kind", ["noise", "full", "one", "zeros in it"])
def test_any_field_has_a_closed_surface(kind: str) -> None:
    values = np.random.default_rng(1).normal(size=(9, 7, 8))
    if kind == "full":
        values = np.ones((4, 4, 4))
    elif kind == "one":
        values = -np.ones((3, 3, 3))
        values[1, 1, 1] = 1
    elif kind == "zeros in it":
        values = np.round(values)
    is_whole(solid_of(values))


def test_a_field_with_nothing_in_it_has_none() -> None:
    vertices, faces = surface(-np.ones((5, 5, 5)))
    assert vertices.shape == (0, 3) and faces.shape == (0, 3)
