"""How long a GPU is asked for: what the table says is about real settings, and a model's own runs go before it."""

from __future__ import annotations

from dataclasses import fields

import pytest

import shared.requests as requests
from shared.catalog import Variant
from shared.requests import ChatRequest, ImageRequest, Message, Request, SpeechRequest
from shared.zerogpu.asking import Pace, table, work_of

SMALL = Variant(backend="diffusers", repo_id="small", memory_gb=4.0)
LARGE = Variant(backend="diffusers", repo_id="large", memory_gb=40.0)
ROWS = {name: row for name, row in table().items() if isinstance(row, dict)}


@pytest.mark.parametrize("name", ROWS)
def test_a_row_is_about_a_kind_of_request_and_its_settings(name: str) -> None:
    kind = getattr(requests, name)
    assert issubclass(kind, Request)
    known = {each.name for each in fields(kind)} | {"characters", "seconds"}
    assert set(ROWS[name]) <= known and all(len(v) == 2 for v in ROWS[name].values() if isinstance(v, list))


def test_more_work_asks_for_more_up_to_what_is_given() -> None:
    asked = [
        Pace().seconds(SMALL, ImageRequest(prompt="x", num_inference_steps=steps)) for steps in (1, 100, 200, 9999)
    ]
    assert asked == sorted(asked) and asked[0] == table()["least"] and asked[-1] == table()["most"]
    assert asked[1] < asked[2]
    twice = ImageRequest(prompt="x", num_inference_steps=100, num_images_per_prompt=2)
    assert Pace().seconds(SMALL, twice) == asked[2]
    assert Pace().seconds(LARGE, ImageRequest(prompt="x")) > Pace().seconds(SMALL, ImageRequest(prompt="x"))


def test_what_is_left_to_the_model_counts_as_usual() -> None:
    assert work_of(ImageRequest(prompt="x")) == 30
    assert work_of(ImageRequest(prompt="x", width=512, height=512, num_inference_steps=30)) == 30 / 4
    assert work_of(ChatRequest(messages=(Message("user", "Hi"),), max_tokens=7)) == 7
    assert work_of(SpeechRequest(text="Twelve signs")) == 12


def test_a_models_own_runs_replace_the_guess() -> None:
    pace, request = Pace(), ImageRequest(prompt="x", num_inference_steps=100)
    guess = pace.seconds(SMALL, request)
    pace.learn(SMALL, request, 4.0)
    assert table()["least"] <= pace.seconds(SMALL, request) < guess
    pace.learn(SMALL, request, 60.0)  # one that was slow
    slow = pace.seconds(SMALL, request)
    assert slow > guess
    for _ in range(20):
        pace.learn(SMALL, request, 4.0)  # is forgotten by and by
    assert pace.seconds(SMALL, request) < slow
    assert pace.seconds(LARGE, request) > guess  # others know nothing of it
