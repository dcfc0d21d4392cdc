"""Motions: read from HumanML3D's features, fitted to a skeleton, and written as BVH and animated GLB."""

from __future__ import annotations

import io
from dataclasses import replace
from typing import Any

import numpy as np
import pytest
import trimesh

from shared.errors import InvalidRequest
from shared.motion import bvh, gltf
from shared.motion.features import recovered
from shared.motion.files import encode
from shared.motion.restoring import restore
from shared.motion.skeleton import PARENTS, fitted
from shared.receipts import Receipt
from shared.requests import MotionRequest, SolidRequest
from shared.solid import glb
from shared.solid.files import encode as written
from shared.solid.finishing import how
from shared.tasks import Task
from shared.ui.motion.restoring import _read
from tests.support.motions import about, features, heading, walk
from tests.support.solids import lifted

WALK = walk()
PLACES = WALK.places()


def test_places_come_back_from_features_of_a_walk_in_a_curve() -> None:
    assert np.ptp(PLACES[:, 0, 0]) > 0.2 and np.ptp(PLACES[:, 0, 2]) > 1, "the walk is no curve"
    assert np.abs(recovered(features(PLACES, heading(len(WALK)))) - PLACES).max() < 1e-9


def test_a_skeleton_is_fitted_through_the_places() -> None:
    moving = fitted(PLACES, 20.0)
    assert np.abs(moving.places() - PLACES).max() < 1e-6 and moving.seconds == 2.0
    turns = moving.rotations
    assert np.abs(turns @ np.swapaxes(turns, -1, -2) - np.eye(3)).max() < 1e-9
    assert np.linalg.det(turns).min() > 0.999, "a mirror is no rotation"


def test_bones_whose_length_changes_get_their_mean_length() -> None:
    wobbling = PLACES * np.linspace(0.9, 1.1, len(PLACES))[:, None, None]
    moving = fitted(wobbling, 20.0)
    given = np.linalg.norm(wobbling[:, 4] - wobbling[:, 1], axis=1).mean()
    assert np.linalg.norm(moving.offsets[4]) == pytest.approx(given)
    assert np.isfinite(moving.places()).all()


def read_bvh(text: str) -> Any:
    """Places (frames, joints, 3) in centimetres, by joint order of the file, by a reader that shares no code."""
    hierarchy, movement = text.split("MOTION\n")
    offsets: list[list[float]] = []
    parents: list[int] = []
    stack: list[int] = []
    ending = False
    for line in map(str.split, hierarchy.splitlines()):
        if line[0] in ("ROOT", "JOINT"):
            parents.append(stack[-1] if stack else -1)
            stack.append(len(parents) - 1)
        elif line[0] == "End":
            ending = True
        elif line[0] == "OFFSET" and not ending:
            offsets.append([float(v) for v in line[1:]])
        elif line[0] == "CHANNELS":
            assert line[-3:] == ["Zrotation", "Xrotation", "Yrotation"]
        elif line[0] == "}":
            stack = stack if ending else stack[:-1]
            ending = False
    rows = [[float(v) for v in line.split()] for line in movement.splitlines()[2:]]
    assert movement.splitlines()[0] == f"Frames: {len(rows)}" and movement.splitlines()[1] == "Frame Time: 0.050000"
    table = np.array(rows)
    angles = np.radians(table[:, 3:]).reshape(len(rows), len(parents), 3)
    local = about(2, angles[..., 0]) @ about(0, angles[..., 1]) @ about(1, angles[..., 2])
    places, world = np.empty((len(rows), len(parents), 3)), local.copy()
    places[:, 0] = table[:, :3]
    for joint, parent in enumerate(parents[1:], start=1):
        places[:, joint] = places[:, parent] + world[:, parent] @ np.array(offsets[joint])
        world[:, joint] = world[:, parent] @ local[:, joint]
    return places


def depth_first(joint: int = 0) -> list[int]:
    return [joint, *(each for child, of in enumerate(PARENTS) if of == joint for each in depth_first(child))]


def test_a_bvhs_forward_kinematics_are_the_places() -> None:
    text = bvh.written(fitted(PLACES, 20.0)).decode("ascii")
    assert text.count("JOINT") == 21 and text.count("{") == text.count("}") == 22 + 5
    assert np.abs(read_bvh(text) / 100 - PLACES[:, depth_first()]).max() < 1e-4


def test_angles_are_found_where_two_axes_lie_upon_each_other() -> None:
    turns = (
        about(2, np.array([0.7, -1.2])) @ about(0, np.array([np.pi / 2, -np.pi / 2])) @ about(1, np.array([0.3, 0.4]))
    )
    z, x, y = np.moveaxis(bvh._angles(turns), -1, 0)
    assert np.abs(about(2, z) @ about(0, x) @ about(1, y) - turns).max() < 1e-6


def test_an_animated_glb_holds_what_it_says() -> None:
    file = gltf.written(WALK, {"genai_playground": {"receipt": {"seed": 7}}})
    document, rest = glb.parted(file)
    assert glb.extras_of(file)["genai_playground"]["receipt"]["seed"] == 7
    (clip,) = document["animations"]
    assert len(clip["channels"]) == 23 and {c["target"]["path"] for c in clip["channels"]} == {
        "translation",
        "rotation",
    }
    data, arrays = rest[8:], []
    for told in document["accessors"]:
        view = document["bufferViews"][told["bufferView"]]
        wide = {"SCALAR": 1, "VEC3": 3, "VEC4": 4}[told["type"]]
        kind = {5126: "<f4", 5123: "<u2"}[told["componentType"]]
        part = data[view["byteOffset"] : view["byteOffset"] + view["byteLength"]]
        arrays.append(np.frombuffer(part, kind).reshape(told["count"], wide))
        if "min" in told:
            assert (arrays[-1].min(axis=0) == told["min"]).all() and (arrays[-1].max(axis=0) == told["max"]).all()
    assert sum(v["byteLength"] + -v["byteLength"] % 4 for v in document["bufferViews"]) == len(data)
    times = arrays[clip["samplers"][0]["input"]][:, 0]
    assert len(times) == len(WALK) and (np.diff(times) > 0).all() and times[-1] == pytest.approx(39 / 20)
    for channel in clip["channels"][1:]:
        turns = arrays[clip["samplers"][channel["sampler"]]["output"]].astype(float)
        assert np.linalg.norm(turns, axis=1) == pytest.approx(1, abs=1e-5)
        x, y, z, w = turns.T
        first = np.stack([1 - 2 * (y**2 + z**2), 2 * (x * y + w * z), 2 * (x * z - w * y)], axis=1)  # where x goes
        assert np.abs(first - WALK.rotations[:, channel["target"]["node"], :, 0]).max() < 1e-5
        assert (np.sum(turns[1:] * turns[:-1], axis=1) > 0).all(), "it would turn the long way round"


def test_other_readers_find_its_bones_at_rest() -> None:
    scene: Any = trimesh.load(io.BytesIO(gltf.written(WALK)), file_type="glb")
    assert len(scene.geometry) == 21 and all(each.is_watertight and each.volume > 0 for each in scene.geometry.values())
    rest = np.zeros((22, 3))
    for joint, parent in enumerate(PARENTS[1:], start=1):
        rest[joint] = rest[parent] + WALK.offsets[joint]
    assert scene.bounds[1][1] == pytest.approx(rest[:, 1].max(), abs=1e-5)


def test_a_motions_file_sets_the_screen_and_no_other_file_does() -> None:
    receipt = Receipt(
        model="m", name="M", task=Task.TEXT_TO_MOTION, backend="motion_diffusion", mode="local", license="MIT", seed=7,
        settings={"num_inference_steps": 20, "guidance_scale": 2.5},
    )  # fmt: skip
    asked = MotionRequest(prompt="a person waves", duration=4.0)
    moving = fitted(PLACES, 20.0)
    file = encode(moving, "glb", receipt, asked)
    found = restore(file)
    assert (found.prompt, found.model) == ("a person waves", "m") and not found.ignored
    assert found.values == {"duration": 4.0, "num_inference_steps": 20, "guidance_scale": 2.5, "seed": 7}
    box = motion_restore_values(file)
    assert box == ["a person waves", "m", 4.0, "20", "2.5", "7"]
    solid = lifted("disc")[0]
    other = Receipt(model="m", name="M", task=Task.TEXT_TO_3D, backend="lift", mode="local", license="MIT")
    for data in (
        encode(moving, "bvh", receipt, asked),
        written(solid, "glb", how(other, SolidRequest(prompt="a disc"))),
        b"glTF",
        b"",
        b'{"genai_playground": {"request": {"prompt": "x"}}}',
    ):
        with pytest.raises(InvalidRequest):
            restore(data)
    broken = encode(moving, "glb", replace(receipt, settings={"num_inference_steps": "many"}), asked)
    assert "num_inference_steps" not in restore(broken).values and restore(broken).ignored


def motion_restore_values(file: bytes) -> list[Any]:
    """What the box sets: the words, the model, how long, and the settings."""
    read = _read(file)
    return [read.words, read.model, *read.values]
