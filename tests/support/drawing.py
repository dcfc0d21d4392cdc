"""Draws with tiny pipelines by the real engine, and compares what came."""

from __future__ import annotations

import io
from collections.abc import Iterable
from pathlib import Path
from typing import Any

import pytest

from shared.catalog import Catalog, ModelSpec, Variant
from shared.engine import Engine
from shared.events import Final
from shared.requests import ImagePart, ImageRequest
from shared.settings import Settings
from shared.tasks import Task
from tests.support.device import DEVICE, PIECES
from tests.support.tiny_pipelines import FAMILIES, PIXELS

# What the libraries warn of among themselves: how diffusers' schedulers turn a tensor into an array, and what Kolors,
# which its Auto classes import, asks of torch.
FORCED = [
    pytest.mark.filterwarnings("ignore:__array__ implementation doesn't accept a copy keyword:DeprecationWarning"),
    pytest.mark.filterwarnings("ignore:`torch.jit.script` is deprecated:DeprecationWarning"),
]


def build(folder: Path, names: Iterable[str] = FAMILIES) -> dict[str, Path]:
    """Tiny pipelines of these families, the same at every call."""
    import torch

    with torch.random.fork_rng():
        torch.manual_seed(0)
        return {name: FAMILIES[name](folder / name) for name in names}


def variant_for(path: Path | str, **more: Any) -> Variant:
    """The way to run it by diffusers on the processor, or on the device under test."""
    options = {**PIECES, **more.pop("options", {})}
    return Variant(**{"backend": "diffusers", "repo_id": str(path), "device": DEVICE, "options": options, **more})


def engine_for(data: Path, settings: Settings | None = None, **variants: Variant) -> Engine:
    """An engine that knows these models."""
    specs = [
        ModelSpec(id=name, name=name, task=Task.TEXT_TO_IMAGE, license="none", variants=(variant,))
        for name, variant in variants.items()
    ]
    return Engine(Catalog(specs), settings or Settings(data_dir=data))


def ask(**more: Any) -> ImageRequest:
    """A small picture in two steps."""
    usual = {"prompt": "a red apple", "seed": 7, "num_inference_steps": 2, "width": PIXELS, "height": PIXELS}
    return ImageRequest(**{**usual, **more})


def draw(engine: Engine, model: str, **more: Any) -> Final:
    """The end of one run."""
    *_, final = engine.generate(model, ask(**more))
    assert isinstance(final, Final)
    return final


def picture(engine: Engine, model: str, **more: Any) -> bytes:
    """The one picture of a run, as its file."""
    (image,) = draw(engine, model, **more).output.images
    return bytes(image.data)


def opened(data: bytes | ImagePart) -> Any:
    """The picture's pixels, as signed numbers: height, width, channels."""
    import numpy
    from PIL import Image

    raw = data.data if isinstance(data, ImagePart) else data
    return numpy.asarray(Image.open(io.BytesIO(raw)).convert("RGB")).astype(int)


def part(image: Any) -> ImagePart:
    """A Pillow picture for a request."""
    file = io.BytesIO()
    image.save(file, "PNG")
    return ImagePart(file.getvalue(), "image/png")
