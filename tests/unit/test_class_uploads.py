"""What one person may send to a class within an hour."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import httpx
import pytest

from shared.classroom.uploads import WITHIN, Uploads
from tests.support.class_server import a_class

MOST = 300_000


def test_what_was_sent_counts_for_an_hour_and_for_nobody_else() -> None:
    now = [0.0]
    uploads = Uploads(1000, lambda: now[0])
    assert uploads.take("ada", 700) == 300 and uploads.take("ada", 301) is None and uploads.take("ada", 0) == 300
    assert uploads.take("bob", 1000) == 0
    now[0] = WITHIN
    assert uploads.take("ada", 1000) == 0


@pytest.fixture
def sender(tmp_path: Path) -> Iterator[httpx.Client]:
    with a_class(tmp_path, uploads=Uploads(MOST)) as (url, room), httpx.Client(base_url=url) as client:
        assert client.post("/class/api/join", json={"code": room.room.facts.code, "name": "Ada"}).status_code == 200
        yield client


def test_who_sends_more_than_one_may_is_told_so_and_goes_on_with_less(sender: httpx.Client) -> None:
    assert sender.post("/gradio_api/upload", content=b"x" * 200_000).json() == {"bytes": 200_000}
    refused = sender.post("/gradio_api/upload", content=b"x" * 200_000)
    assert refused.status_code == 413 and "Choose a smaller file" in refused.json()["error"]
    assert sender.get("/").status_code == 200
    assert sender.post("/gradio_api/upload", content=b"x" * 100_000).status_code == 200


def test_who_says_no_length_is_cut_off_at_what_one_may_send(sender: httpx.Client) -> None:
    def on_and_on() -> Iterator[bytes]:
        for _ in range(100):
            yield b"x" * 100_000

    assert sender.post("/gradio_api/upload", content=on_and_on()).json()["bytes"] <= MOST
    assert sender.post("/gradio_api/upload", content=b"x" * 100_000).status_code == 413
