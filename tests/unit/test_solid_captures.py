"""Photographs with their cameras, as several programs tell them, become one scene that is learned."""

from __future__ import annotations

import json
import zipfile
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from shared.errors import BackendError, InvalidRequest
from shared.media import archive as archives
from shared.solid.learning import scene as scenes
from shared.solid.learning.cameras import Camera
from shared.solid.learning.captures import open_capture
from shared.solid.learning.gpu import GsplatScene
from shared.solid.learning.photographs import squared
from shared.solid.learning.poses.posed import Lens
from shared.solid.learning.scene import learning
from shared.solid.learning.splatting import SplatScene
from shared.solid.learning.views import Taken
from tests.support.captures import (
    BALLS,
    FOCAL,
    HIGH,
    WIDE,
    colmap_binary,
    colmap_text,
    packed,
    picture,
    pictures,
    poses,
    transforms,
)  # fmt: skip

COUNT = 12


@pytest.fixture(scope="module")
def taken(tmp_path_factory: pytest.TempPathFactory) -> Taken:
    return open_capture(packed(tmp_path_factory.mktemp("zip") / "t.zip", colmap_text(COUNT), pictures(COUNT)))


def on_picture(camera: Camera, place: Any, side: int) -> tuple[int, int, float]:
    """The column, row and depth of a place, by the words of `Camera`."""
    x, y, z = camera.turn @ place + camera.shift
    across, up = camera.focal[0] * x / -z + camera.middle[0], camera.focal[1] * y / -z + camera.middle[1]
    return int((across + 1) / 2 * side), int((1 - up) / 2 * side), float(-z)


def test_what_is_known_to_be_somewhere_is_seen_there_in_its_colour(taken: Taken) -> None:
    assert len(taken.seen.cameras) == 8 and len(taken.unseen.cameras) == 4 and len(taken.points) == 60
    ours = [place for place in taken.points[::20]]
    for views in (taken.seen, taken.unseen):
        for shown, camera in zip(views.pictures, views.cameras, strict=True):
            side = shown.shape[0]
            falls = [on_picture(camera, place, side) for place in ours]
            assert all(depth > 0 for *_, depth in falls)
            nearest = min(range(3), key=lambda number: falls[number][2])
            column, row, _ = falls[nearest]
            assert np.allclose(shown[row, column] * 255, list(BALLS.values())[nearest], atol=30)
    assert np.linalg.norm(ours, axis=1).max() < 1
    heights = [place[1] for place in ours]  # upright: their z is our y
    assert np.argsort(heights).tolist() == np.argsort([place[2] for place in BALLS]).tolist()


@pytest.mark.parametrize("files", [colmap_binary, transforms])
def test_each_programs_files_tell_the_same_cameras(taken: Taken, files: Any, tmp_path: Path) -> None:
    other = open_capture(packed(tmp_path / "other.zip", files(COUNT), pictures(COUNT)))
    for one, same in zip(taken.seen.cameras, other.seen.cameras, strict=True):
        assert np.allclose(one.turn, same.turn, atol=1e-5) and np.allclose(one.shift, same.shift, atol=1e-5)
        assert np.allclose((*one.focal, *one.middle), (*same.focal, *same.middle), atol=1e-6)
    assert (taken.seen.pictures == other.seen.pictures).all()
    if files is colmap_binary:
        assert np.allclose(taken.points, other.points, atol=1e-5) and np.allclose(taken.colours, other.colours)


def test_a_bent_lens_is_straightened() -> None:
    """Where the lens put a ball's middle, the unbent picture must not have it, but where a straight one would."""
    from PIL import Image

    side, k1 = 64, -0.35
    x, y = 0.28, 0.2
    more = 1 + k1 * (x * x + y * y)
    bent = np.full((HIGH * 4, WIDE * 4, 3), 255, np.uint8)
    rows, columns = np.mgrid[: HIGH * 4, : WIDE * 4]
    at = ((FOCAL * x * more + WIDE / 2) * 4, (FOCAL * y * more + HIGH / 2) * 4)
    bent[np.hypot(columns - at[0], rows - at[1]) < 10] = 0
    lens = Lens(wide=WIDE, high=HIGH, focal=(FOCAL, FOCAL), middle=(WIDE / 2, HIGH / 2), bent=(k1, 0.0, 0.0, 0.0))
    seen, focal, middle = squared(Image.fromarray(bent), lens, side)
    dark = 1 - seen.mean(axis=2)
    row, column = ((dark * each).sum() / dark.sum() + 0.5 for each in np.mgrid[:side, :side])
    assert column == pytest.approx((focal[0] * x + middle[0] + 1) / 2 * side, abs=0.4)
    assert row == pytest.approx((1 + focal[1] * y - middle[1]) / 2 * side, abs=0.4)


@pytest.mark.parametrize(("kind", "count", "steps"), [("splats", 40, 15), ("field", 24, 40)])
def test_a_scene_is_learned_from_photographs(
    taken: Taken, kind: str, count: int, steps: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(scenes, "SHOWN", 1e9)
    first, last = learning(taken, kind, count, steps)
    assert last.decibels > first.decibels + 0.5
    if kind == "splats":  # they begin where something is known to be
        begun = SplatScene(count, 0, taken).splats()
        assert np.abs(begun.centres[:, None] - taken.points).sum(axis=2).min(axis=1).max() < 1e-5
        assert np.ptp(begun.colours) > 0.4


def stand_in(
    means: Any, quats: Any, scales: Any, opacities: Any, colors: Any, viewmats: Any, Ks: Any, width: int, height: int,
    *, near_plane: float, backgrounds: Any, camera_model: str, packed: bool,
) -> tuple[Any, Any, Any]:  # fmt: skip
    """gsplat's drawing by its own words: its reference in torch, splat by splat, in pixels, z ahead and y down."""
    import torch

    turn, shift = viewmats[0, :3, :3], viewmats[0, :3, 3]
    lens = Ks[0]
    places = means @ turn.T + shift
    w, x, y, z = (quats / quats.norm(dim=1, keepdim=True)).T
    own = torch.stack(
        [
            torch.stack([w * w + x * x - y * y - z * z, 2 * (x * y - w * z), 2 * (x * z + w * y)], dim=1),
            torch.stack([2 * (x * y + w * z), w * w - x * x + y * y - z * z, 2 * (y * z - w * x)], dim=1),
            torch.stack([2 * (x * z - w * y), 2 * (y * z + w * x), w * w - x * x - y * y + z * z], dim=1),
        ],
        dim=1,
    )
    rows, columns = torch.meshgrid(torch.arange(height) + 0.5, torch.arange(width) + 0.5, indexing="ij")
    left, shown = torch.ones(height, width), torch.zeros(height, width, 3)
    for number in torch.argsort(places[:, 2]).tolist():
        px, py, pz = places[number]
        if pz < near_plane:
            continue
        if camera_model == "ortho":
            at, slope = lens[:2, :2] @ places[number, :2] + lens[:2, 2], torch.eye(3)[:2]
        else:
            at = (lens @ places[number])[:2] / pz
            slope = torch.stack(
                [torch.stack([1 / pz, 0 * pz, -px / pz**2]), torch.stack([0 * pz, 1 / pz, -py / pz**2])]
            )
        flat = lens[:2, :2] @ slope @ turn @ own[number] @ torch.diag(scales[number])
        spread = torch.linalg.inv(flat @ flat.T + 0.3 * torch.eye(2))
        off = torch.stack([columns - at[0], rows - at[1]], dim=-1)
        cover = (opacities[number] * torch.exp(-0.5 * (off @ spread * off).sum(dim=-1))).clamp(max=0.999)
        shown, left = shown + (left * cover)[..., None] * colors[number], left * (1 - cover)
    assert not packed
    return (shown + left[..., None] * backgrounds[0])[None], (1 - left)[None, ..., None], {}


@pytest.mark.parametrize("perspective", [True, False])
def test_gsplat_is_asked_for_the_same_pictures(taken: Taken, perspective: bool) -> None:
    """One set of splats, drawn by plain torch and through the call to gsplat, whose drawing a stand-in does here."""
    camera = taken.seen.cameras[1]
    if not perspective:
        camera = Camera(turn=camera.turn, shift=np.zeros(3, np.float32))
    plain, other = SplatScene(30, 5, taken), GsplatScene(30, 5, taken, device="cpu", rasterise=stand_in)
    one, same = plain.seen(camera, 48), other.seen(camera, 48)
    assert np.abs(one - same).mean() < 0.01 and np.abs(one - one.mean()).mean() > 0.05
    before = other._values["centres"].detach().clone()
    assert other.learn(taken.seen, 0) > 0 and (other._values["centres"] != before).any()


def test_without_gsplat_or_its_gpu_that_is_told(taken: Taken) -> None:
    with pytest.raises(BackendError, match=r"NVIDIA GPU|pip install gsplat"):
        next(learning(taken, "gsplat", 100, 1))


def spoilt(change: Any) -> dict[str, bytes]:
    told = json.loads(transforms(COUNT)["transforms.json"])
    change(told)
    return {"transforms.json": json.dumps(told).encode()}


@pytest.mark.parametrize(
    ("files", "words"),
    [
        ({}, "names no cameras.*COLMAP"),
        ({"transforms.json": b"[1, 2"}, "damaged, or of another kind"),
        ({"transforms.json": b'{"frames": ' + b"[" * 100_000}, "damaged, or of another kind"),
        (spoilt(lambda told: told["frames"][0].update(transform_matrix=[[1, 2]])), "damaged, or of another kind"),
        (spoilt(lambda told: told["frames"][0]["transform_matrix"][0].__setitem__(3, float("nan"))), "from no place"),
        (spoilt(lambda told: told["frames"][0]["transform_matrix"][0].__setitem__(0, 5.0)), "bent or mirrored"),
        (spoilt(lambda told: told.update(w=10)), "picture is 96 x 72"),
        (spoilt(lambda told: told.update(camera_angle_x=0)), "damaged|can't be"),
        (spoilt(lambda told: told.update(camera_model="OPENCV_FISHEYE")), "Undistort"),
        (spoilt(lambda told: [f.update(file_path="../../etc/passwd") for f in told["frames"]]), "0 are in the zip"),
        (spoilt(lambda told: told.update(frames=told["frames"] * 300)), "are taken here"),
        (colmap_text(COUNT, "OPENCV_FISHEYE", "1 1 1 1 0 0 0 0"), "OPENCV_FISHEYE isn't read"),
        (colmap_text(COUNT, "PINHOLE", "1 1"), "cameras file is damaged"),
        ({**colmap_text(COUNT), "sparse/0/images.txt": b"1 0 0 0\n\n"}, "images file is damaged"),
        ({**colmap_binary(COUNT), "sparse/0/cameras.bin": b"\xff" * 40}, "cameras file is damaged"),
        ({**colmap_binary(COUNT), "sparse/0/images.bin": b"\x0c" + b"\0" * 7 + b"\1" * 50}, "images file is damaged"),
        ({**colmap_binary(COUNT), "sparse/0/images.bin": b"\xff" * 8}, "are taken here"),
        ({**colmap_binary(COUNT), "sparse/0/points3D.bin": b"\x0c" + b"\0" * 7}, "points3D file is damaged"),
    ],
)
def test_what_tells_no_cameras_is_told(files: dict[str, bytes], words: str, tmp_path: Path) -> None:
    with pytest.raises(InvalidRequest, match=words):
        open_capture(packed(tmp_path / "x.zip", files, pictures(COUNT)))


def test_pictures_that_are_none_or_all_from_one_place_are_told(tmp_path: Path) -> None:
    broken = {name: b"GIF89a" for name in pictures(COUNT)}
    with pytest.raises(InvalidRequest, match="picture"):
        open_capture(packed(tmp_path / "x.zip", transforms(COUNT), broken))
    told = json.loads(transforms(COUNT)["transforms.json"])
    for frame in told["frames"]:
        for row in range(3):
            frame["transform_matrix"][row][3] = 0.0
    with pytest.raises(InvalidRequest, match="all stand at one place"):
        open_capture(packed(tmp_path / "y.zip", {"transforms.json": json.dumps(told).encode()}, pictures(COUNT)))


def test_zip_files_that_mean_harm_are_refused(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    good = packed(tmp_path / "good.zip", transforms(COUNT), pictures(COUNT))
    bomb = tmp_path / "bomb.zip"
    with zipfile.ZipFile(bomb, "w", zipfile.ZIP_DEFLATED) as file:
        file.writestr("transforms.json", b" " * 70_000_000)  # packs into a few kilobytes
    assert bomb.stat().st_size < 100_000
    with pytest.raises(InvalidRequest, match="more than is taken"):
        open_capture(bomb)
    with pytest.raises(InvalidRequest, match="no zip file"):
        open_capture(packed(tmp_path / "cut.zip", pictures(1)).parent / _cut(good))
    monkeypatch.setattr(archives, "MAX_LIST", 100)
    with pytest.raises(InvalidRequest, match="too many files"):
        open_capture(good)
    monkeypatch.setattr(archives, "MAX_BYTES", 1000)
    with pytest.raises(InvalidRequest, match="larger than"):
        open_capture(good)


def _cut(path: Path) -> str:
    whole = path.read_bytes()
    (path.parent / "half.zip").write_bytes(whole[: len(whole) // 2])
    return "half.zip"


def test_pictures_of_another_form_and_fewer_are_taken(tmp_path: Path) -> None:
    few = {f"images/side {number}.png": picture(*pose, form="JPEG") for number, pose in enumerate(poses(COUNT)[:6])}
    views = open_capture(packed(tmp_path / "few.zip", transforms(COUNT), few))
    assert len(views.seen.cameras) + len(views.unseen.cameras) == 6 and len(views.unseen.cameras) == 2
    few.popitem()
    with pytest.raises(InvalidRequest, match="5 are in the zip file, and 6"):
        open_capture(packed(tmp_path / "five.zip", transforms(COUNT), few))
