"""A Space as it is, with its models on a cluster: told by the environment alone."""

from __future__ import annotations

from pathlib import Path

import psutil

from tests.support.api import calling, ended
from tests.support.server import started


def test_a_space_answers_by_a_cluster_that_starts_and_ends_with_it(tmp_path: Path) -> None:
    log = tmp_path / "log"
    env = {"PLAYGROUND_POOL": "ray", "OPENAI_API_KEY": "sk-hush"}
    with started("spaces/chat/app.py", env=env, log=log) as server:
        with calling(server.url) as client:
            answer = ended(client, "/chat", message="Say hello.", max_tokens=12, temperature=0.0)
        family = psutil.Process(server.pid).children(recursive=True)
        replica = next(p for p in family if p.status() != psutil.STATUS_ZOMBIE and "ServeReplica" in p.cmdline()[0])
        environment = Path(f"/proc/{replica.pid}/environ")
        if environment.exists():
            assert b"sk-hush" not in environment.read_bytes()
    assert answer["text"]
    assert answer["receipt"]["extra"]["pool"] == "ray" and answer["receipt"]["seconds"]["load"] > 0
    _, alive = psutil.wait_procs(family, timeout=30)
    assert not alive, "the cluster has outlived its server"
    assert "Say hello" not in log.read_text("utf-8")
