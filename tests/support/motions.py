"""Motions for tests: a person who walks in a curve, its HumanML3D features, and a tiny random model, saved."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import numpy as np

from shared.motion.features import FEATURES, FPS
from shared.motion.skeleton import JOINTS, NAMES, PARENTS, Motion
from tests.support.tiny_pipelines import clip, clip_tokenizer

CONFIG = {
    "model_type": "mdm", "latent_dim": 16, "num_layers": 1, "num_heads": 2, "ff_size": 16, "max_frames": 60,
    "steps": 50, "max_text_tokens": 22,
}  # fmt: skip


def about(axis: int, angle: Any) -> Any:
    """Rotations (…, 3, 3) about x, y or z."""
    a, b = (axis + 1) % 3, (axis + 2) % 3
    turns = np.zeros((*np.shape(angle), 3, 3))
    turns[..., axis, axis] = 1
    turns[..., a, a] = turns[..., b, b] = np.cos(angle)
    turns[..., b, a] = np.sin(angle)
    turns[..., a, b] = -np.sin(angle)
    return turns


def heading(frames: int) -> Any:
    """Where the walker faces: an angle about y, 0 at first, which is along z."""
    return 0.02 * np.arange(frames)


def walk(frames: int = 40) -> Motion:
    """A person who walks in a curve, swinging arms and legs. Bones of 0.1 to 0.4 m."""
    offsets = np.array(
        [np.array(way) / max(np.linalg.norm(way), 1) * (0.1 + 0.3 * (i < 9)) for i, (_, _, way) in enumerate(JOINTS)]
    )
    turns, swing = np.tile(np.eye(3), (frames, len(JOINTS), 1, 1)), np.sin(np.arange(frames) / 4)
    facing = heading(frames)
    turns[:, 0] = about(1, facing)
    for name, far in (("left_hip", 0.5), ("right_hip", -0.5), ("left_shoulder", -0.4), ("right_shoulder", 0.4)):
        turns[:, NAMES.index(name)] = about(0, far * swing)
    turns[:, NAMES.index("left_elbow")] = about(2, 0.4 + 0.3 * swing)
    turns[:, NAMES.index("spine1")] = about(2, 0.1 * swing)
    ahead = np.stack([np.sin(facing), np.zeros(frames), np.cos(facing)], axis=1) * 0.05
    path = np.cumsum(ahead, axis=0) - ahead[0] + np.array([0, 0.9, 0])
    return Motion(names=NAMES, parents=PARENTS, offsets=offsets, rotations=turns, path=path, fps=FPS)


def features(places: Any, facing: Any) -> Any:
    """HumanML3D's features (frames, 263) of places and headings, as far as they tell where the joints are."""
    told = np.zeros((len(places), FEATURES))
    back = about(1, -facing)  # from the world to what the walker sees
    told[:-1, 0] = -np.diff(facing) / 2
    way = np.einsum("fij,fj->fi", back[1:], np.diff(places[:, 0], axis=0))
    told[:-1, 1], told[:-1, 2], told[:, 3] = way[:, 0], way[:, 2], places[:, 0, 1]
    seen = places[:, 1:] - places[:, :1] * [1, 0, 1]
    told[:, 4:67] = np.einsum("fij,fcj->fci", back, seen).reshape(len(places), -1)
    return told


def tiny(folder: Path) -> Path:
    """A model of the real classes with random weights."""
    import torch
    from safetensors.torch import save_file

    from shared.backends.motion.denoiser import built
    from shared.backends.motion.reading import config_of

    folder.mkdir(parents=True)
    (folder / "config.json").write_text(json.dumps(CONFIG))
    with torch.random.fork_rng():
        torch.manual_seed(0)
        reader = clip_tokenizer()
        text = clip(reader, projected=True)
        network = built(config_of(folder), text.config.projection_dim)
    moving = walk()
    usual = features(moving.places(), heading(len(moving)))
    extra = {"mean": torch.tensor(usual.mean(axis=0)).float(), "std": torch.full((FEATURES,), 0.01)}
    save_file({**network.state_dict(), **extra}, folder / "model.safetensors")
    text.save_pretrained(folder / "text_encoder")
    reader.save_pretrained(folder / "tokenizer")
    return folder
