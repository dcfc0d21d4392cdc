"""A coarse solid wears the colours, the fine shape and the shade of a fine one, stays closed, and is saved so."""

from __future__ import annotations

import io
import json
from typing import Any

import numpy as np
import pytest
import trimesh
from PIL import Image

from shared.errors import InvalidRequest
from shared.solid import glb
from shared.solid.baking import MOST, baked, laid_flat
from shared.solid.checking import check
from shared.solid.files import encode
from shared.solid.measuring import figures
from shared.solid.mending import mended
from shared.solid.mesh import Solid, pixels_of
from shared.solid.opening import read_solid
from shared.solid.rendering import rastered
from tests.support.solids import is_whole


def of(mesh: Any, colours: Any = None) -> Solid:
    return Solid(vertices=mesh.vertices.astype("f4"), faces=mesh.faces.astype("i4"), colours=colours)


@pytest.fixture(scope="module")
def fine() -> Solid:
    """A rippled ball, red on top and blue below."""
    ball = trimesh.creation.icosphere(subdivisions=5, radius=20.0)
    ball.vertices *= 1 + 0.02 * np.sin(ball.vertices[:, 1:2])
    return of(ball, np.where(ball.vertices[:, 1:2] > 0, (220, 30, 30), (30, 30, 220)).astype(np.uint8))


@pytest.fixture(scope="module")
def worn(fine: Solid) -> Solid:
    """The ball, worn by a smooth one of few triangles."""
    return baked(fine, of(trimesh.creation.icosphere(subdivisions=2, radius=20.0)), 512)


def seen(solid: Solid, side: int = 512) -> tuple[Any, Any]:
    """The face under each pixel of the flat picture, -1 for none, and the place there (side, side, 3)."""
    assert solid.uv is not None
    flat = np.stack([solid.uv[:, 0] * side, (1 - solid.uv[:, 1]) * side, np.zeros(len(solid.uv))], axis=1)
    found = rastered(flat[solid.faces], side)
    places = (solid.vertices[solid.faces[found.face]] * found.weights[..., None]).sum(axis=2)
    return found.face, places


def test_laid_flat_it_overlaps_nowhere_and_is_still_one_closed_solid(worn: Solid) -> None:
    assert worn.uv is not None and worn.uv.min() >= 0 and worn.uv.max() <= 1
    corners = worn.uv[worn.faces].astype(float)
    one, two = corners[:, 1] - corners[:, 0], corners[:, 2] - corners[:, 0]
    laid = abs(one[:, 0] * two[:, 1] - one[:, 1] * two[:, 0]).sum() / 2
    assert (seen(worn)[0] >= 0).mean() == pytest.approx(laid, rel=0.02)  # as much as all its faces together
    assert figures(worn)["watertight"] and len(worn.vertices) > len(worn.welded.vertices)
    is_whole(worn.welded)
    assert {each.name: each.good for each in check(worn)}["Closed"]
    assert mended(worn)[0] is worn
    normals = worn.normals()
    assert np.allclose(normals, worn.welded.normals()[np.unique(worn.seams, return_inverse=True)[1]], atol=1e-5)


def test_it_has_the_colours_of_the_nearest_place(worn: Solid) -> None:
    face, places = seen(worn)
    colours = pixels_of(worn.texture or b"").astype(int)
    for sign, colour in ((1, (220, 30, 30)), (-1, (30, 30, 220))):
        of_it = (face >= 0) & (sign * places[..., 1] > 1)
        assert of_it.any() and (abs(colours[of_it] - colour).max(axis=1) < 3).mean() > 0.99


def test_the_bumps_tell_of_the_ripples(worn: Solid, fine: Solid) -> None:
    """Told out again by each face's own directions, the normals are the fine ball's and not the smooth one's."""
    face, places = seen(worn)
    towards, ripples = fine.vertices / np.linalg.norm(fine.vertices, axis=1, keepdims=True), fine.normals()
    assert worn.uv is not None and worn.bumps is not None
    bumps = pixels_of(worn.bumps) / 127.5 - 1
    smooth, errors, plain = worn.normals(), [], []
    for number in range(0, len(worn.faces), 3):
        corners = worn.faces[number]
        rows, columns = np.nonzero(face == number)
        if len(rows) < 20:
            continue
        # The place as a linear function of the flat picture: its slopes are the directions across and up.
        slopes = np.linalg.lstsq(
            np.column_stack([worn.uv[corners], np.ones(3)]), worn.vertices[corners].astype(float), rcond=None
        )[0]
        middle = len(rows) // 2
        weights = np.linalg.lstsq(
            np.vstack([worn.vertices[corners].T, np.ones(3)]),
            np.append(places[rows[middle], columns[middle]], 1.0),
            rcond=None,
        )[0]
        out = weights @ smooth[corners]
        out /= np.linalg.norm(out)
        across = slopes[0] - out * (slopes[0] @ out)
        across /= np.linalg.norm(across)
        up = slopes[1] - out * (slopes[1] @ out) - across * (slopes[1] @ across)
        up /= np.linalg.norm(up)
        told = bumps[rows[middle], columns[middle]] @ np.stack([across, up, out])
        place = places[rows[middle], columns[middle]]
        wanted = ripples[(towards @ place).argmax()]
        errors.append(np.degrees(np.arccos(np.clip(told @ wanted / np.linalg.norm(told), -1, 1))))
        plain.append(np.degrees(np.arccos(np.clip(out @ wanted, -1, 1))))
    assert len(errors) > 30 and np.mean(errors) < 4 < 8 < np.mean(plain), (np.mean(errors), np.mean(plain))


def test_less_light_arrives_within_a_pipe() -> None:
    pipe = of(trimesh.creation.annulus(r_min=5.0, r_max=8.0, height=40.0).subdivide())
    worn = baked(pipe, pipe, 512)
    assert worn.shade is not None
    light = np.asarray(Image.open(io.BytesIO(worn.shade)), float) / 255
    face, places = seen(worn, len(light))
    far = np.hypot(places[..., 0], places[..., 1])
    middle = (face >= 0) & (abs(places[..., 2]) < 5)
    assert light[middle & (far > 7.5)].mean() > 0.9 and light[middle & (far < 5.5)].mean() < 0.35


def test_a_glb_holds_all_of_it_and_an_obj_the_texture(worn: Solid) -> None:
    document, _ = glb.parted(data := encode(worn, "glb"))
    (material,) = document["materials"]
    assert {"normalTexture", "occlusionTexture"} <= set(material)
    assert "baseColorTexture" in material["pbrMetallicRoughness"] and len(document["images"]) == 3
    again = read_solid(data, ".glb", "worn.glb")
    assert again.texture is not None and again.uv is not None and len(again.faces) == len(worn.faces)
    assert len(encode(worn, "obj")) > 1000
    assert json.dumps(document)


def test_a_large_mesh_is_thinned_out_and_another_size_refused(fine: Solid) -> None:
    told: list[str] = []
    assert len(fine.faces) > MOST
    assert len(baked(fine, fine, 512, told.append).faces) <= MOST and told[0] == "Thinning out"
    with pytest.raises(InvalidRequest, match="512, 1024"):
        baked(fine, fine, 333)
    with pytest.raises(InvalidRequest, match="laid flat"):
        laid_flat(Solid(vertices=np.zeros((3, 3), np.float32), faces=np.array([[0, 1, 2]], np.int32)))
