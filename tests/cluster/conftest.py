"""One cluster for all of these tests: starting it takes seconds."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from shared.cluster.config import ClusterConfig, read_config
from shared.cluster.pool import RayPool
from shared.cluster.starting import connect, disconnect
from shared.settings import Secret, Settings
from tests.support.fakes import SMALL, Listener
from tests.support.paced import listed

KEY = "sk-hush-hush-0123456789"
FILE = """
cpus = 16
[every]
queue = 2
[[model]]
repo_id = "two"
replicas = 2
[[model]]
repo_id = "scaled"
min_replicas = 0
max_replicas = 2
busy_seconds = 0.5
[[model]]
repo_id = "several"
runs = 4
"""


@pytest.fixture(scope="package")
def config(tmp_path_factory: pytest.TempPathFactory) -> ClusterConfig:
    """A cluster on this machine, with two replicas of the model `two`."""
    file = tmp_path_factory.mktemp("cluster") / "cluster.toml"
    file.write_text(FILE, "utf-8")
    return read_config(file)


@pytest.fixture(scope="package")
def settings(tmp_path_factory: pytest.TempPathFactory) -> Settings:
    """A server's, with a key."""
    return Settings(pool="ray", data_dir=tmp_path_factory.mktemp("data"), server_keys={"OPENAI_API_KEY": Secret(KEY)})


@pytest.fixture(scope="package", autouse=True)
def engines() -> Iterator[None]:
    """The table of engines has the paced one."""
    with listed():
        yield


@pytest.fixture(scope="package")
def started(config: ClusterConfig) -> Iterator[ClusterConfig]:
    """The cluster runs."""
    connect(config, Listener().emit, 1.0)
    yield config
    disconnect()


@pytest.fixture(scope="package")
def ray_pool(started: ClusterConfig, settings: Settings) -> RayPool:
    """A front's pool on it, which all tests share, so that a model that one has started serves the next."""
    return RayPool(settings, SMALL, started)
