"""A cluster's file is read over the defaults, and what it can't mean is said; keys never leave the front."""

from __future__ import annotations

import pickle
import sys
from dataclasses import replace
from pathlib import Path

import pytest

from shared import errors
from shared.backends import BACKENDS
from shared.catalog import Variant
from shared.cluster import deployments
from shared.cluster.config import ClusterConfig, Serving, read_config
from shared.cluster.remote import _most_tokens
from shared.cluster.starting import connect
from shared.errors import (
    ClusterUnavailable,
    ContextOverflow,
    InferenceError,
    LimitReached,
    MissingDependency,
    OutOfMemory,
    ReplicaLost,
)
from shared.pool import ModelPool
from shared.pools import make_pool
from shared.requests import ChatRequest, ImagePart, Message
from shared.settings import KEY_VARIABLES, Secret, Settings, environment_of_nodes, from_environment, on_node
from tests.support.fakes import SMALL, WITH_GPU, Listener, ask
from tests.support.server import ROOT, free_port


def config(tmp_path: Path, text: str) -> ClusterConfig:
    file = tmp_path / "cluster.toml"
    file.write_text(text, "utf-8")
    return read_config(file)


def test_without_a_file_it_is_a_cluster_of_this_machine() -> None:
    found = read_config()
    assert found.address is None
    assert found.serving(Variant(backend="diffusers")).runs == 1
    assert found.serving(Variant(backend="llama_cpp")).runs > 1


def test_the_defaults_name_engines_that_there_are() -> None:
    named = {row["backend"] for row in read_config().rows}
    assert named <= set(BACKENDS)


def test_later_rows_go_before_earlier_ones_and_the_keepers_before_the_defaults(tmp_path: Path) -> None:
    found = config(
        tmp_path,
        'address = "head:6379"\n[every]\nreplicas = 2\ncpus = 1\n'
        '[[model]]\nbackend = "llama_cpp"\nruns = 3\n[[model]]\nrepo_id = "a/b"\nbackend = "llama_cpp"\nreplicas = 5\n',
    )
    assert found.address == "head:6379"
    one = found.serving(Variant(backend="llama_cpp", repo_id="a/b"))
    assert (one.replicas, one.runs, one.cpus) == (5, 3, 1)
    assert found.serving(Variant(backend="diffusers", repo_id="a/b")) == Serving(replicas=2, cpus=1)


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ("adress = 'x'", "nothing is called adress"),
        ("[every]\nreplica = 1", "a model has no replica"),
        ("[every]\nreplicas = 'two'", "replicas must be a number"),
        ("[every]\nreplicas = -1", "replicas must be a number"),
        ("address = 'ray://x:10001'", "streams don't pass"),
        ("= 1", "is no TOML"),
    ],
)
def test_what_a_file_cant_mean_is_said(tmp_path: Path, text: str, words: str) -> None:
    with pytest.raises(ValueError, match=words):
        config(tmp_path, text)


def test_a_file_that_is_not_there_is_said(tmp_path: Path) -> None:
    with pytest.raises(ValueError, match="can't be read"):
        make_pool(Settings(pool="ray", cluster_file=tmp_path / "none.toml"), SMALL)


def test_the_settings_choose_the_pool_and_a_cluster_is_not_touched_before_it_is_used() -> None:
    assert isinstance(make_pool(Settings(), SMALL), ModelPool)
    assert make_pool(Settings(pool="ray"), SMALL).residents() == []
    assert from_environment({"PLAYGROUND_POOL": "Ray"}).pool == "ray"
    with pytest.raises(ValueError, match="PLAYGROUND_POOL must be one of local, ray"):
        from_environment({"PLAYGROUND_POOL": "cloud"})


def test_a_model_takes_the_share_of_a_card_that_it_needs() -> None:
    model = Variant(backend="diffusers", memory_gb=6.0)
    cluster = ClusterConfig(address="head:6379", gpu_memory_gb=24)
    on_card = deployments.resources(model, Serving(), cluster, SMALL)
    assert on_card == {"num_cpus": 0.25, "num_gpus": 0.26, "memory": 0}
    assert deployments.resources(model, Serving(gpus=0.5), cluster, SMALL)["num_gpus"] == 0.5
    assert deployments.resources(model, Serving(), ClusterConfig(), WITH_GPU)["num_gpus"] == 0.76
    on_processor = deployments.resources(replace(model, device="cpu"), Serving(), cluster, SMALL)
    assert on_processor == {"num_cpus": 0.25, "num_gpus": 0.0, "memory": 6 * 1024**3}


def test_no_key_goes_to_a_node(monkeypatch: pytest.MonkeyPatch) -> None:
    settings = Settings(
        server_keys={"OPENAI_API_KEY": Secret("sk-hush")},
        session_keys={"HF_TOKEN": Secret("hf-hush")},
        base_urls={"openai": "https://x"},
        database_url=Secret("postgresql://hush"),
    )
    with pytest.raises(TypeError, match="a secret is not to be written"):
        pickle.dumps(settings)
    sent = pickle.dumps(settings.for_nodes())
    assert b"hush" not in sent and b"https://x" not in sent
    monkeypatch.setenv("HF_TOKEN", "hf-of-the-node")
    monkeypatch.setenv("PLAYGROUND_DATA", "/of/the/node")
    there = on_node(pickle.loads(sent), joined=True)
    key = there.key("HF_TOKEN")
    assert key is not None and key.reveal() == "hf-of-the-node" and str(there.data_dir) == "/of/the/node"
    assert on_node(pickle.loads(sent), joined=False).data_dir == settings.data_dir
    around = environment_of_nodes("/code", 3)
    assert {name for name in KEY_VARIABLES if around.get(name) == ""} == set(KEY_VARIABLES) - {"HF_TOKEN"}
    assert around["PYTHONPATH"] == "/code" and around["OMP_NUM_THREADS"] == "3"


ERRORS = [ContextOverflow(9, 5), OutOfMemory(3.0, 1.0), LimitReached("Full.", 4.0), ReplicaLost()]
ERRORS += [MissingDependency("ray", "-r x"), errors.NoBackendAvailable("m", ["a", "b"]), errors.RateLimited("p", 3.0)]


@pytest.mark.parametrize("error", ERRORS, ids=lambda e: type(e).__name__)
def test_errors_come_back_whole_from_another_process(error: InferenceError) -> None:
    again = pickle.loads(pickle.dumps(error))
    assert type(again) is type(error) and str(again) == str(error) and again.__dict__ == error.__dict__


def test_a_short_conversation_is_known_to_fit_without_being_counted() -> None:
    assert _most_tokens(ask("é" * 10)) == 20 + 64 + 64
    seen = ChatRequest(messages=(Message("user", "Look", (ImagePart(b"", "image/png"),)),))
    assert _most_tokens(seen) is None, "what a picture takes is the model's affair"


def test_without_ray_it_is_said_how_to_get_it(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("shared.backends.base.find_spec", lambda name: None)
    with pytest.raises(MissingDependency, match=r"pip install -r requirements-cluster\.txt"):
        connect(ClusterConfig(), Listener().emit, 1.0)


def test_a_head_node_that_does_not_answer_is_told_in_time(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delitem(sys.modules, "ray", raising=False)  # tests before this one had a cluster
    nowhere = ClusterConfig(address=f"127.0.0.1:{free_port()}")
    with pytest.raises(ClusterUnavailable, match=r"could not be joined \(ConnectionRefusedError\)"):
        connect(nowhere, Listener().emit, 1.0)
    assert "ray" not in sys.modules, "it would keep the settings of one that joins, were one to be started here later"


def test_the_tests_have_what_a_cluster_takes_and_its_ray_is_pinned_in_one_version() -> None:
    pins = [line for line in (ROOT / "requirements-cluster.txt").read_text("utf-8").splitlines() if "==" in line]
    for file in ("requirements-dev.txt", "requirements.lock"):
        assert set(pins) <= set((ROOT / file).read_text("utf-8").splitlines())
