"""A download from the Hub: what comes, and what is said when the Hub hangs, refuses, or the disk is too small."""

from __future__ import annotations

import threading
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from shared.backends.local import hub
from shared.errors import BackendError, Cancelled, CorruptWeights, HubUnavailable, MissingCredentials, UnknownModel
from shared.events import Event, Progress
from shared.settings import Secret, Settings
from shared.streaming import Emitter
from tests.support.fake_hub import COMMIT, FILES, FakeHub


@pytest.fixture
def fake() -> Iterator[FakeHub]:
    server = FakeHub()
    yield server
    server.close()


@pytest.fixture(autouse=True)
def cache(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A cache of the test's own, here and in the process that downloads."""
    import huggingface_hub.constants

    folder = tmp_path / "hub"
    monkeypatch.setattr(huggingface_hub.constants, "HF_HUB_CACHE", str(folder))
    monkeypatch.setenv("HF_HUB_CACHE", str(folder))
    monkeypatch.setenv("HF_HUB_DISABLE_XET", "1")
    monkeypatch.delenv("HF_TOKEN", raising=False)
    return folder


def settings(fake: FakeHub | str, **more: Any) -> Settings:
    url = fake if isinstance(fake, str) else fake.url
    return Settings(base_urls={hub.ENDPOINT: url}, hub_timeout=1.5, **more)


def emit(into: list[Event] | None = None) -> Emitter:
    return Emitter((into if into is not None else []).append)


def test_only_the_files_that_are_needed_come_and_progress_is_told(fake: FakeHub) -> None:
    events: list[Event] = []
    got = hub.fetch("a/b", settings(fake), emit(events))
    assert sorted(p.name for p in got.path.rglob("*") if p.is_file()) == ["config.json", "model.safetensors"]
    assert got.revision == COMMIT
    totals = {e.total for e in events if isinstance(e, Progress) and e.total}
    assert totals == {600_002}


def test_what_is_here_needs_no_network(fake: FakeHub) -> None:
    first = hub.fetch("a/b", settings(fake), emit())
    asked = len(fake.asked)
    assert hub.fetch("a/b", settings(fake), emit()) == first
    assert hub.fetch("a/b", settings(fake, offline=True), emit()) == first
    assert len(fake.asked) == asked


def test_one_named_file_is_fetched_alone(fake: FakeHub) -> None:
    got = hub.fetch("a/b", settings(fake), emit(), allow_patterns=["config.json"])
    assert [p.name for p in got.path.iterdir()] == ["config.json"]


def test_weights_are_fetched_where_only_the_configuration_was_here(fake: FakeHub) -> None:
    hub.fetch("a/b", settings(fake), emit(), allow_patterns=["config.json"])
    assert (hub.fetch("a/b", settings(fake), emit()).path / "model.safetensors").is_file()


def test_a_hub_that_hangs_is_given_up_in_seconds(fake: FakeHub) -> None:
    fake.hang = True
    began = time.monotonic()
    with pytest.raises(HubUnavailable, match="can't be reached"):
        hub.fetch("a/b", settings(fake), emit())
    assert time.monotonic() - began < 20  # hub_timeout, and the start of a Python process on a busy machine


def test_a_hub_that_refuses_is_told() -> None:
    with pytest.raises(HubUnavailable, match="not on this machine"):
        hub.fetch("a/b", settings("http://127.0.0.1:9"), emit())


def test_offline_it_asks_nobody(fake: FakeHub) -> None:
    with pytest.raises(HubUnavailable, match="offline"):
        hub.fetch("a/b", settings(fake, offline=True), emit())
    assert not fake.asked


def test_a_repository_that_is_none_is_told(fake: FakeHub) -> None:
    fake.refuse = "RepoNotFound"
    with pytest.raises(UnknownModel, match="spelling"):
        hub.fetch("a/b", settings(fake), emit())


def test_a_gated_repository_asks_for_a_token(fake: FakeHub) -> None:
    fake.refuse = "GatedRepo"
    with pytest.raises(MissingCredentials, match="accept its terms") as caught:
        hub.fetch("a/b", settings(fake), emit())
    assert caught.value.env_var == "HF_TOKEN"


def test_a_revision_that_is_none_is_told(fake: FakeHub) -> None:
    fake.refuse = "RevisionNotFound"
    with pytest.raises(UnknownModel, match="revision"):
        hub.fetch("a/b", settings(fake), emit(), revision="v9")


def test_a_disk_too_small_is_told_before_it_fills(fake: FakeHub, cache: Path) -> None:
    fake.sizes["model.safetensors"] = 10**16
    with pytest.raises(BackendError, match="GB of disk"):
        hub.fetch("a/b", settings(fake), emit())
    assert not any("resolve" in path for path in fake.asked)


def test_a_file_that_comes_damaged_is_not_kept(fake: FakeHub) -> None:
    fake.damage = True
    with pytest.raises(CorruptWeights, match=r"model\.safetensors"):
        hub.fetch("a/b", settings(fake), emit())
    fake.damage = False
    got = hub.fetch("a/b", settings(fake), emit())
    assert (got.path / "model.safetensors").read_bytes() == FILES["model.safetensors"]


def test_the_sessions_token_goes_to_the_hub_and_no_other_does(fake: FakeHub) -> None:
    hub.fetch("a/b", settings(fake, session_keys={"HF_TOKEN": Secret("hf_mine")}), emit())
    assert fake.tokens == {"Bearer hf_mine"}


def test_without_a_token_none_is_sent(fake: FakeHub, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("HF_TOKEN", "hf_somebody_elses")
    hub.fetch("a/b", settings(fake), emit())
    assert fake.tokens == {None}


def test_a_stop_ends_the_download_at_once_and_the_next_goes_on_from_there(fake: FakeHub) -> None:
    fake.slow = 0.3
    stopping = Emitter(lambda event: None)
    stopped_at: list[float] = []

    def press() -> None:
        while not any("resolve" in path and "safetensors" in path for path in fake.asked[1:]):
            time.sleep(0.02)
        time.sleep(1.5)
        stopped_at.append(time.monotonic())
        stopping.cancel.cancel()

    presser = threading.Thread(target=press)
    presser.start()
    with pytest.raises(Cancelled):
        hub.fetch("a/b", settings(fake), stopping)
    assert time.monotonic() - stopped_at[0] < 1.0
    presser.join()
    fake.slow = 0.0
    got = hub.fetch("a/b", settings(fake), emit())
    assert (got.path / "model.safetensors").read_bytes() == FILES["model.safetensors"]
    assert fake.ranges and not fake.ranges[-1].startswith("bytes=0-")
