"""Meshes are opened with care, checked, mended, thinned out and turned; what can't be read is told."""

from __future__ import annotations

import io
import struct
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
from PIL import Image
from safetensors.torch import load_file, save_file

from shared.errors import InvalidRequest
from shared.events import Event
from shared.outputs import SolidOutput
from shared.settings import Settings
from shared.solid import glb
from shared.solid.checking import check
from shared.solid.files import encode
from shared.solid.inside import slice_of, stages
from shared.solid.likeness import from_all_sides
from shared.solid.mending import mended, smoothed, thinned
from shared.solid.mesh import Solid
from shared.solid.opening import open_solid
from shared.solid.rendering import View, drawn, looked_at
from shared.solid.reworking import Wished, reworked
from shared.solid.turning import FRAMES, turntable
from shared.solid.voxels import thinner_than, voxels
from shared.streaming import Emitter
from tests.support import measuring
from tests.support.pictures import encoded
from tests.support.solids import is_whole, lifted


@pytest.fixture(scope="module")
def star() -> Solid:
    return lifted("star", resolution=64)[0]


def soup(solid: Solid) -> Solid:
    """Every triangle with corners of its own, as an STL has them."""
    assert solid.uv is not None
    return replace(
        solid,
        vertices=solid.vertices[solid.faces].reshape(-1, 3),
        faces=np.arange(3 * len(solid.faces)).reshape(-1, 3),
        uv=solid.uv[solid.faces].reshape(-1, 2),
    )


def test_what_is_whole_is_left_as_it_is(star: Solid) -> None:
    assert mended(star)[0] is star


def test_a_mesh_is_made_ready_step_after_step_and_only_as_wished(star: Solid) -> None:
    told: list[str] = []
    solid, words = reworked(soup(star), Wished(mend=True, share=50, rounds=5, bake=0, size=40), told.append)
    assert told == ["Mending", "Thinning out", "Smoothing"] and words
    is_whole(solid)
    assert max(solid.size) == pytest.approx(40) and len(solid.faces) < 0.6 * len(star.faces)
    as_it_was, words = reworked(star, Wished(mend=False, share=100, rounds=0, bake=0, size=0), told.append)
    assert as_it_was is star and words == "" and len(told) == 3


@pytest.mark.parametrize("kind", ["soup", "inside out", "a hole"])
def test_what_can_be_sewn_is_sewn(star: Solid, kind: str) -> None:
    broken = {
        "soup": soup(star),
        "inside out": replace(star, faces=star.faces[:, ::-1]),
        "a hole": replace(star, faces=star.faces[1:]),
    }[kind]
    whole, words = mended(broken)
    is_whole(whole)
    assert words.startswith("Sewn") and whole.texture == star.texture
    assert whole.volume == pytest.approx(star.volume, rel=0.01)


def test_what_can_not_be_sewn_is_built_anew_about_as_large(star: Solid) -> None:
    whole, words = mended(replace(star, faces=star.faces[:-300]))
    is_whole(whole)
    assert words.startswith("Built anew") and whole.volume == pytest.approx(star.volume, rel=0.08)


def test_a_sheet_becomes_a_thin_solid() -> None:
    sheet = Solid(vertices=np.array([[0, 0, 0], [40, 0, 0], [40, 30, 0], [0, 30, 0]], np.float32),
                  faces=np.array([[0, 1, 2], [0, 2, 3]]))  # fmt: skip
    whole, _ = mended(sheet)
    is_whole(whole)
    assert whole.size[2] < 2.0 < whole.size[0]


def test_fewer_triangles_and_smaller_bumps_keep_the_shape(star: Solid) -> None:
    few = thinned(star, 2000)
    is_whole(few)
    assert len(few.faces) <= 2100 and few.volume == pytest.approx(star.volume, rel=0.02)
    assert thinned(star, 10**6) is star
    smooth = smoothed(star, 20)
    is_whole(smooth)
    assert smooth.volume == pytest.approx(star.volume, rel=0.03)


def test_cells_fill_what_the_surface_encloses(star: Solid) -> None:
    found = voxels(star, 64)
    assert found.filled.sum() * found.cell**3 == pytest.approx(star.volume, rel=0.02)
    both = Solid(
        vertices=np.concatenate([star.vertices] * 2),
        faces=np.concatenate([star.faces, star.faces + len(star.vertices)]),
    )
    assert (voxels(both, 64).filled == found.filled).all()  # what overlaps counts once


def test_thin_walls_are_found() -> None:
    thick, thin = (voxels(lifted("disc", depth=depth, parts=0.0)[0], 64) for depth in (1.0, 0.05))
    assert thinner_than(thick, 4.0) < 0.05 and thinner_than(thin, 4.0) > 0.9


def test_the_check_says_what_a_printer_would_stumble_over(star: Solid) -> None:
    good = {each.name: each.good for each in check(lifted("disc", back="flat")[0], upright=False)}
    assert good["Closed"] and good["Faces turned outwards"] and good["Foot"] and good["Hangs over"] and good["Size"]
    bad = {each.name: each for each in check(replace(star, faces=star.faces[1:]))}
    assert bad["Closed"].good is False and "3 sides belong to one face alone" in bad["Closed"].told
    assert "Volume" not in bad and not {each.name: each.good for each in check(star.scaled_to(500))}["Size"]


@pytest.mark.parametrize("kind", ["glb", "ply", "stl"])
def test_a_mesh_is_opened_in_millimetres_with_what_it_wears(star: Solid, tmp_path: Path, kind: str) -> None:
    path = tmp_path / f"star.{kind}"
    path.write_bytes(encode(star, kind))
    opened = open_solid(path)
    assert opened.size == pytest.approx(star.size, rel=1e-3) and len(opened.faces) == len(star.faces)
    assert (opened.texture is not None) == (kind == "glb") and (opened.colours is not None) == (kind == "ply")


def bombs(star: Solid) -> dict[str, tuple[str, bytes, str]]:
    good = encode(star, "glb")
    document, rest = glb.parted(good)
    huge = {**document, "accessors": [{**document["accessors"][0], "count": 10**12}, *document["accessors"][1:]]}
    remote = {**document, "images": [{"uri": "http://127.0.0.1/x.png"}]}
    packed = {**document, "extensionsUsed": ["KHR_draco_mesh_compression"]}
    claims = {**document, "buffers": [{"byteLength": 10**12}]}
    wide = encoded(image=Image.new("1", (9000, 9000)))
    picture = {
        **document,
        "bufferViews": [*document["bufferViews"], {"buffer": 0, "byteOffset": len(rest) - 8, "byteLength": len(wide)}],
        "images": [{"bufferView": len(document["bufferViews"]), "mimeType": "image/png"}],
        "buffers": [{"byteLength": len(rest) - 8 + len(wide)}],
    }
    return {
        "huge": ("x.glb", glb.joined(huge, rest), "claims to hold more"),
        "claims": ("x.glb", glb.joined(claims, rest), "claims to hold more"),
        "remote": ("x.glb", glb.joined(remote, rest), "points to other files"),
        "packed": ("x.glb", glb.joined(packed, rest), "packed by KHR_draco"),
        "picture": ("x.glb", glb.joined(picture, rest + wide), "pixels"),
        "cut": ("x.glb", good[: len(good) // 2], "no GLB, or it is damaged"),
        "odd": ("x.glb", glb.joined({"accessors": 3}, b""), "no GLB, or it is damaged"),
        "stl": ("x.stl", bytes(80) + struct.pack("<I", 2**31) + bytes(50), "can't be read|no triangles"),
        "ply": ("x.ply", b"ply\nformat ascii 1.0\nelement vertex 2000000000\nproperty float x\nend_header\n", "."),
        "points": ("x.obj", b"v 0 0 0\nv 1 1 1\n", "no triangles|can't be read"),
        "nan": ("x.obj", b"v nan 0 0\nv 1 1 1\nv 1 0 0\nf 1 2 3\n", "no numbers"),
        "flat": ("x.obj", b"v 1 1 1\nv 1 1 1\nv 1 1 1\nf 1 2 3\n", "no extent"),
        "text": ("x.txt", b"hello", "no GLB, PLY, STL or OBJ"),
    }  # fmt: skip


@pytest.mark.parametrize("name", bombs(lifted("disc", resolution=24)[0]))
def test_what_claims_too_much_or_is_broken_is_told(star: Solid, tmp_path: Path, name: str) -> None:
    file, data, words = bombs(star)[name]
    (tmp_path / file).write_bytes(data)
    with pytest.raises(InvalidRequest, match=words):
        open_solid(tmp_path / file)


def test_a_closed_solid_looks_the_same_without_its_far_side(star: Solid) -> None:
    for turn in (0, 35, 120):
        view = View(turn=turn, tilt=15)
        whole, quick = (np.asarray(drawn(star, view, 96, closed=closed)).astype(int) for closed in (False, True))
        assert np.abs(whole - quick).mean() < 0.5
        assert looked_at(star, view, 96, closed=True).mask.sum() > 500


def test_a_turntable_is_a_clip_of_all_its_frames(star: Solid) -> None:
    import av

    told: list[int] = []
    with av.open(io.BytesIO(turntable(star, side=64, step=lambda done, of: told.append(done)))) as clip:
        frames = [frame.to_image() for frame in clip.decode(video=0)]
    assert len(frames) == FRAMES == len(told) and frames[0].size == (64, 64)
    widths = [(np.asarray(frame.convert("L")) < 230).any(axis=0).sum() for frame in frames]
    assert min(widths) < 0.7 * max(widths) and abs(int(widths[0]) - int(widths[FRAMES // 2])) <= 2


def test_the_stages_and_slices_are_pictures() -> None:
    solid, kept = lifted("eye")
    output = SolidOutput(solid=solid, lift=kept)
    found = {words: np.asarray(picture) for picture, words in stages(output)}
    assert list(found)[:4] == ["The picture", "The object", "Heights", "2 parts by colour"]
    cloud, whole = (
        (found[words].min(axis=2) < 250).mean() for words in ("8,000 points on its surface", "With its colours")
    )
    assert 0.2 * whole < cloud < 0.9 * whole and "Joined to 1,500 triangles" in found
    dark = [(np.asarray(slice_of(output, axis, 0.5).convert("L")) < 128).mean() for axis in range(3)]
    assert dark[2] > 0.5 and all(0.3 < share < 0.9 for share in dark)
    assert (np.asarray(slice_of(output, 0, 0.0).convert("L")) < 128).mean() == 0
    ball = np.fromfunction(lambda x, y, z: 6.0 - np.sqrt((x - 8) ** 2 + (y - 8) ** 2 + (z - 8) ** 2), (17, 17, 17))
    middle = np.asarray(slice_of(replace(output, field=ball), 1, 0.5).convert("L"))
    assert middle[middle.shape[0] // 2, middle.shape[1] // 2] < 110 < middle[2, 2]


def test_a_solid_is_scored_from_all_sides(tmp_path: Path) -> None:
    """By a random CLIP of the real class, its words turned round, since it finds nothing like them otherwise."""
    folder = measuring.clip(tmp_path / "clip")
    weights = load_file(folder / "model.safetensors")
    weights["text_projection.weight"] = -weights["text_projection.weight"]
    save_file(weights, folder / "model.safetensors", {"format": "pt"})
    told: list[Event] = []
    solid = lifted("star", resolution=24, depth=0.4)[0]
    found = from_all_sides(solid, "a star", str(folder), Settings(data_dir=tmp_path), Emitter(told.append))
    scores = dict(found)
    assert list(scores) == list(range(0, 360, 45)) and all(0 < score <= 100 for score in scores.values()) and told
    assert abs(scores[0] - scores[180]) < abs(scores[0] - scores[90])  # its back is its front's mirror
