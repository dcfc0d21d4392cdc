"""Every kind of starter makes its first real output on a cluster. Chat does in `test_serving.py`, by its Space."""

from __future__ import annotations

import io
from collections.abc import Callable, Iterator
from concurrent.futures import Future, ThreadPoolExecutor
from typing import Any

import pytest
from PIL import Image

from shared.catalog import load_catalog
from shared.cluster.pool import RayPool
from shared.engine import Engine
from shared.events import AudioChunk, Event, Final, Notes, Preview
from shared.requests import ImageRequest, MusicRequest, Request, SolidRequest, SpeechRequest, VideoRequest
from shared.settings import Settings
from shared.solid.measuring import figures
from shared.video.reading import measure
from tests.support.fakes import SMALL

PATIENCE = 200.0  # seconds: each loads in a process of its own, and imports torch there
# Few steps and small sizes: what is asked is whether requests, events and outputs come through, not how good they are.
STARTERS: dict[str, tuple[Request, type[Event], Callable[[Any], object]]] = {
    "fluent-starter": (
        ImageRequest(prompt="a red apple", seed=7, num_inference_steps=2),
        Preview,
        lambda output: Image.open(io.BytesIO(output.images[0].data)).getcolors(9) is None,
    ),
    "hibari": (
        SpeechRequest(text="Hello there."),
        AudioChunk,
        lambda output: 0.5 < output.seconds < 3 and any(output.pcm),
    ),
    "tune-starter": (MusicRequest(prompt="a jig", bars=2, seed=7), Notes, lambda output: output.piece.notes),
    "fluent-motion": (
        VideoRequest(prompt="a red apple", seed=7, num_frames=8, num_inference_steps=2),
        Preview,
        lambda output: measure(output.video).num_frames == 8,
    ),
    "starter-lift": (
        SolidRequest(prompt="a red apple", seed=7, num_inference_steps=8, resolution=32),
        Preview,
        lambda output: figures(output.solid)["watertight"],
    ),
}


@pytest.fixture(scope="module")
def made(ray_pool: RayPool, settings: Settings) -> Iterator[dict[str, Future[list[Event]]]]:
    """What each of them tells. They are asked at once, as a class would."""
    engine = Engine(load_catalog(), settings, SMALL, ray_pool)
    with ThreadPoolExecutor(len(STARTERS)) as people:
        asked = {
            name: people.submit(lambda name=name, request=request: list(engine.generate(name, request)))
            for name, (request, _, _) in STARTERS.items()
        }
        yield asked
    ray_pool.unload()


@pytest.mark.parametrize("name", STARTERS)
def test_a_starter_makes_something_real_on_the_cluster(made: dict[str, Future[list[Event]]], name: str) -> None:
    _, shown, real = STARTERS[name]
    *before, final = made[name].result(PATIENCE)
    assert isinstance(final, Final) and real(final.output)
    assert any(isinstance(event, shown) for event in before), "nothing was shown while it was made"
    assert final.receipt.starter and final.receipt.extra["pool"] == "ray" and final.receipt.seconds.load > 0
