"""ZeroGPU by its own package, without a GPU: forks, pickles, quotas and refusals are real; the platform is played."""

from __future__ import annotations

import base64
import json
import time
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any
from urllib.parse import parse_qs, urlsplit

import pytest
from gradio_client import Client
from gradio_client.exceptions import AppError

from tests.support.fake_server import Act, Asked, FakeServer, serving
from tests.support.server import started

WITHOUT_TORCH = "import sys; sys.modules['torch'] = None; from tests.support.zero_space import main; main()"
LENT = {"idle": True, "nvidiaIndex": 0, "nvidiaUUID": "GPU-0", "allowToken": "a-token"}
VISITOR = f"e30.{base64.urlsafe_b64encode(json.dumps({'user': 'ada'}).encode()).decode().rstrip('=')}.x"


class Platform:
    """The platform's side: lends a GPU, or answers as `refusing` says; remembers what it was asked."""

    def __init__(self, server: FakeServer) -> None:
        self.url, self.refusing, self.lent = server.url, list[Act](), 0
        self.asked: list[tuple[str, dict[str, str]]] = []
        server.routes[""] = self.answer

    def answer(self, asked: Asked) -> Act:
        parts = urlsplit(asked.path)
        self.asked.append((parts.path, {name: values[0] for name, values in parse_qs(parts.query).items()}))
        if parts.path == "/schedule":
            if self.refusing:
                return self.refusing.pop(0)
            self.lent += 1
            return Act(body=LENT)
        return Act()

    def of(self, path: str) -> list[dict[str, str]]:
        """The queries of all calls of that path."""
        return [query for place, query in self.asked if place == path]


@pytest.fixture(scope="module")
def space(tmp_path_factory: pytest.TempPathFactory) -> Iterator[tuple[str, Platform]]:
    """A running Space's address, and the platform that it runs on."""
    group = tmp_path_factory.mktemp("zero") / "cgroup"
    group.write_text("0::/a-space\n")
    with serving(Act()) as server:
        platform = Platform(server)
        env = {
            "SPACES_ZERO_GPU": "true",
            "SPACES_ZERO_DEVICE_API_URL": server.url,
            "ZEROGPU_PROC_SELF_CGROUP_PATH": str(group),
            "SPACE_ID": "someone/toy",
        }
        with started("-c", WITHOUT_TORCH, env=env) as running:
            assert platform.of("/startup-report"), "the platform was not told of the start"
            yield running.url, platform


@contextmanager
def visitor(url: str) -> Iterator[Client]:
    client = Client(url, verbose=False, analytics_enabled=False, headers={"X-IP-Token": VISITOR})
    try:
        yield client
    finally:
        client.close()


def said(url: str, message: str, **more: Any) -> dict[str, Any]:
    """The last that the endpoint tells."""
    with visitor(url) as client:
        asked = {"message": message, "model": "first", **more}
        result: dict[str, Any] = client.submit(api_name="/chat", **asked).result(timeout=60)
        return result


def test_a_run_goes_to_a_fork_and_streams_back(space: tuple[str, Platform]) -> None:
    url, platform = space
    with visitor(url) as client:
        job = client.submit(message="slow", model="first", max_tokens=100, api_name="/chat")
        last = job.result(timeout=60)
        there = {int(each["text"].split()[0]) for each in job.outputs() if each["text"]}
    assert there == {int(last["text"])} and last["error"] is None
    assert len(job.outputs()) > 3, "nothing was streamed"
    query = platform.of("/schedule")[-1]
    # 6 s to start, 0.4 for a GiB, and one and a half times 100 tokens of 0.04 s: below the least that is asked for.
    assert query["durationSeconds"] == "15" and query["token"] == VISITOR
    assert any("ZeroGPU: a GPU was asked for for 15 s" in note for note in last["receipt"]["notes"])
    assert platform.of("/allow") and platform.of("/release")[-1]["fail"] == "false"


def test_a_longer_answer_asks_for_more_and_no_more_than_is_given(space: tuple[str, Platform]) -> None:
    url, platform = space
    # A model that has not run yet goes by the table.
    said(url, "hello", model="late", max_tokens=1000)
    said(url, "slow", max_tokens=100)
    first, second = (int(query["durationSeconds"]) for query in platform.of("/schedule")[-2:])
    assert first == 67 and second == 15  # 6 + 0.4 + 1.5 x 1000 x 0.04


def test_a_fork_that_lacks_a_model_loads_it(space: tuple[str, Platform]) -> None:
    """The fork of the first run is kept, and was made before the second model was loaded."""
    url, _ = space
    first = said(url, "hello")["text"]
    assert said(url, "hello", model="late")["text"] == first


@pytest.mark.parametrize(
    ("message", "words"),
    [
        ("memory", r"It needs about 40\.0 GB and 12\.0 GB is free"),
        ("crash", r"not foreseen \(ZeroDivisionError\)"),
        ("die", "The next try asks for more"),
    ],
)
def test_errors_of_the_fork_stay_readable(space: tuple[str, Platform], message: str, words: str) -> None:
    with pytest.raises(AppError, match=words) as told:
        said(space[0], message)
    assert "a secret" not in str(told.value)


REFUSALS = [
    (Act(429, {"X-Approve-Result": "quota-exceeded"}, {"left": 9, "wait": 3600}), "vs. 9s left"),
    (Act(429, {"X-Approve-Result": "illegal-duration"}, {"left": 9, "wait": -1}), "larger than the maximum"),
    (Act(chunks=("event: ping\n\n", "event: failed\n\n"), pause=0.05), "All GPUs are taken"),
    (Act(503), "No GPU was available"),
    (Act(401), "Load the page anew"),
    (Act(500), "didn't lend a GPU"),
]


@pytest.mark.parametrize(("refusal", "words"), REFUSALS)
def test_a_refusal_says_what_to_do(space: tuple[str, Platform], refusal: Act, words: str) -> None:
    url, platform = space
    platform.refusing.append(refusal)
    with pytest.raises(AppError, match=words) as told:
        said(url, "hello")
    assert "choose an engine that needs no GPU here" in str(told.value)


def test_stop_ends_the_run_in_the_fork_and_gives_the_gpu_back(space: tuple[str, Platform]) -> None:
    url, platform = space
    with visitor(url) as client:
        job = client.submit(message="endless", model="first", max_tokens=100, api_name="/chat")
        next(each for each in job if each["text"])
        assert len(platform.of("/release")) < platform.lent
        job.cancel()
        end = time.monotonic() + 20
        while len(platform.of("/release")) < platform.lent:
            assert time.monotonic() < end, "the GPU is kept"
            time.sleep(0.05)
    assert platform.of("/release")[-1]["fail"] == "false"
