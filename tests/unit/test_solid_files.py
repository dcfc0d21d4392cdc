"""Every file of a solid can be read again by others, and says how it was made where it has room."""

from __future__ import annotations

import io
import json
import struct
import zipfile
from collections.abc import Callable
from typing import Any

import numpy as np
import pytest
import trimesh

from shared.errors import InvalidRequest
from shared.media.publishing import public
from shared.outputs import SolidOutput
from shared.receipts import Receipt
from shared.requests import SolidRequest
from shared.settings import Settings
from shared.solid import glb
from shared.solid.files import KEYWORD, KINDS, MATERIALS, encode
from shared.solid.finishing import Finished, finish
from shared.solid.mesh import Solid
from shared.solid.restoring import made_here, restore
from shared.solid.splats import read_ply, sampled_from
from tests.support.solids import is_whole, lifted, part

ASKED = SolidRequest(prompt="a red star", seed=5, depth=0.5, size_mm=40.0, resolution=48, back="flat")
RAN = Receipt(
    model="starter-lift", name="Lift", task="text-to-3d", backend="lift", mode="local", license="MIT", seed=5,
    settings={"depth": 0.5, "size_mm": 40.0, "resolution": 48, "back": "flat", "num_inference_steps": 20},
)  # fmt: skip


@pytest.fixture(scope="module")
def finished() -> Finished:
    solid, kept = lifted("star", size_mm=40.0, back="flat", depth=0.5)
    return finish(SolidOutput(solid=solid, lift=kept), RAN, ASKED, Settings(safety="off"))


def loaded(data: bytes, kind: str) -> Any:
    return trimesh.load(io.BytesIO(data), file_type=kind, force="mesh", process=False)


def test_a_glb_has_texture_places_normals_and_metres(finished: Finished) -> None:
    mesh = loaded(finished.file("glb"), "glb")
    assert mesh.is_watertight and mesh.extents.max() == pytest.approx(0.04, rel=1e-3)
    assert mesh.volume == pytest.approx(finished.solid.volume * 1e-9, rel=1e-3)
    assert np.allclose(mesh.visual.uv, finished.solid.uv, atol=1e-5)
    assert mesh.visual.material.baseColorTexture.size == (96, 96)
    document, _ = glb.parted(finished.file("glb"))
    assert {"POSITION", "NORMAL", "TEXCOORD_0"} <= set(document["meshes"][0]["primitives"][0]["attributes"])
    assert all("uri" not in each for each in document["buffers"] + document["images"])


@pytest.mark.parametrize("name", MATERIALS)
def test_each_material_is_in_the_file(finished: Finished, name: str) -> None:
    document, _ = glb.parted(finished.file("glb", name))
    (material,) = document["materials"]
    surface, wanted = material["pbrMetallicRoughness"], MATERIALS[name]
    assert surface.get("metallicFactor") == wanted.metal and surface.get("roughnessFactor") == wanted.rough
    assert ("baseColorTexture" in surface) == wanted.textured


def test_an_obj_comes_with_its_material_and_texture(finished: Finished) -> None:
    with zipfile.ZipFile(io.BytesIO(finished.file("obj"))) as packed:
        names = packed.namelist()
        text = packed.read("solid.obj").decode()
        assert "material.mtl" in names and any(name.endswith(".png") for name in names)
    mesh = loaded(text.encode(), "obj")
    assert mesh.is_watertight and mesh.extents.max() == pytest.approx(40, rel=1e-3)
    assert mesh.volume == pytest.approx(finished.solid.volume, rel=1e-3)


@pytest.mark.parametrize("kind", ["ply", "stl"])
def test_meshes_in_millimetres_come_back_whole(finished: Finished, kind: str) -> None:
    mesh = trimesh.load(io.BytesIO(finished.file(kind)), file_type=kind)
    assert mesh.is_watertight and mesh.is_winding_consistent
    assert mesh.volume == pytest.approx(finished.solid.volume, rel=1e-3)
    if kind == "ply":
        assert np.ptp(mesh.visual.vertex_colors[:, 0]) < 120 and mesh.visual.vertex_colors[:, 0].min() > 100  # red


def test_splats_lie_on_the_surface_and_have_its_colours(finished: Finished) -> None:
    splats = read_ply(finished.file("splat"))
    assert len(splats.centres) == 20_000 and np.linalg.norm(splats.centres, axis=1).max() < 1.01
    assert np.allclose(np.linalg.norm(splats.turns, axis=1), 1, atol=1e-5)
    laid = sampled_from(finished.solid)
    assert np.allclose(splats.centres, laid.centres, atol=1e-5) and np.allclose(splats.scales, laid.scales, rtol=1e-3)
    same = np.abs((splats.turns * laid.turns).sum(axis=1))  # a quaternion and its negative turn alike
    assert np.allclose(same, 1, atol=1e-4)
    assert splats.colours[:, 0].mean() > 0.6 > splats.colours[:, 1].mean() + 0.3
    assert (splats.scales[:, 2] < splats.scales[:, 0]).all() and (splats.opacities > 0.9).all()


@pytest.mark.parametrize("kind", ["glb", "obj", "ply", "splat"])
def test_settings_come_back_from_the_file(finished: Finished, kind: str) -> None:
    found = restore(finished.file(kind))
    assert (found.prompt, found.model) == ("a red star", "starter-lift")
    assert found.values == {
        **{"seed": 5, "depth": 0.5, "size_mm": 40.0, "resolution": 48, "back": "flat", "see_through": False},
        "num_inference_steps": 20,
    }
    assert made_here(finished.file(kind))["receipt"]["extra"]["watertight"] is True


def test_a_lifted_pictures_file_says_so_and_does_not_hold_it() -> None:
    solid, _ = lifted("disc")
    asked = SolidRequest(image=part(), prompt="mine")
    made = finish(SolidOutput(solid=solid, picture=asked.image), RAN, asked, Settings(safety="off"))
    document = made_here(made.file("glb"))
    assert document["request"]["from"] == ["image"] and "image" not in document["request"]
    assert any("add that picture again" in words for words in restore(made.file("glb")).ignored)
    assert document["receipt"] == json.loads(json.dumps(public(document["receipt"])))


def broken(data: bytes) -> dict[str, bytes]:
    return {
        "stl": b"solid\0" + bytes(200),
        "cut": data[: len(data) // 2],
        "bomb": data[:12] + struct.pack("<I4s", 2**31, b"JSON") + data[20:],
        "long": glb.joined({"asset": {"version": "2.0"}, "x": "y" * 5_000_000}, b""),
        "list": data[:12] + struct.pack("<I4s", 4, b"JSON") + b"[1] " + data[24:],
        "deep": data[:8] + struct.pack("<I", 40020) + struct.pack("<I4s", 40000, b"JSON") + b"[" * 40000,
        "extras": glb.joined({"asset": {"extras": {KEYWORD: {"request": {"prompt": 3}}}}}, b""),
        "zip": b"PK\x03\x04" + bytes(100),
        "json": b'{"request": [1]}',
        "empty": b"",
    }


@pytest.mark.parametrize("name", broken(bytes(100)))
def test_a_file_that_says_nothing_is_told(finished: Finished, name: str) -> None:
    with pytest.raises(InvalidRequest):
        restore(broken(finished.file("glb"))[name])


def test_a_file_of_somebody_elses_values_is_checked(finished: Finished) -> None:
    made: dict[str, Any] = {
        "request": {"prompt": "a\x00b", "depth": 1e9, "resolution": "nan", "seed": "x", "see_through": "yes"},
        "receipt": {"settings": [1], "seed": 2**40, "model": "m"},
    }
    found = restore(glb.with_extras(finished.file("glb"), {KEYWORD: made}))
    assert (found.prompt, found.values) == ("ab", {"see_through": False}) and len(found.ignored) == 3


def test_kinds_and_materials_that_are_not_there_are_told() -> None:
    solid = lifted("disc")[0]
    for call in (lambda: encode(solid, "fbx"), lambda: encode(solid, "glb", material="wood")):
        _refused(call)


def _refused(call: Callable[[], object]) -> None:
    with pytest.raises(InvalidRequest, match="one of"):
        call()


def test_a_solid_with_colours_of_its_own_is_written_and_read() -> None:
    """As models give it that learn shapes: no texture."""
    solid, _ = lifted("disc")
    plain = Solid(vertices=solid.vertices, faces=solid.faces, colours=solid.vertex_colours())
    is_whole(plain)
    for kind in KINDS:
        assert encode(plain, kind)
    mesh = loaded(encode(plain, "glb"), "glb")
    light = (mesh.visual.vertex_colors[:, :3] / 255.0) ** (1 / 2.2)  # glTF's are linear
    assert np.abs(light - plain.colours / 255).max() < 0.05
