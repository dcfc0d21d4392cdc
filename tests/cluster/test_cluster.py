"""What only a cluster can do or suffer: a replica that dies, many who ask, several fronts, and what must never leave
the front."""

from __future__ import annotations

import asyncio
import os
import signal
import subprocess
import sys
import threading
import time
from collections.abc import Callable
from pathlib import Path

import psutil
import pytest

from shared.catalog import Catalog, ModelSpec, Variant
from shared.cluster import deployments
from shared.cluster.config import ClusterConfig
from shared.cluster.pool import RayPool
from shared.engine import Engine
from shared.errors import LimitReached, ReplicaLost
from shared.events import Event, Final, Partial, Progress
from shared.requests import ChatRequest
from shared.settings import Settings
from shared.streaming import CancelToken
from shared.tasks import Task
from tests.cluster.conftest import KEY
from tests.support import front
from tests.support.fakes import QUICK, SMALL, Listener, ask
from tests.support.paced import paced
from tests.support.server import ROOT

PATIENCE = 60.0
LONG = {"pause": 0.05, "pieces": 60}


def an_engine(pool: RayPool, variant: Variant) -> Engine:
    spec = ModelSpec(id="m", name="M", task=Task.CHAT, license="MIT", variants=(variant,))
    return Engine(Catalog([spec]), Settings(), SMALL, pool, QUICK)


class Asker(threading.Thread):
    """Runs a request in a thread of its own and keeps what came of it."""

    def __init__(self, engine: Engine, request: ChatRequest | None = None) -> None:
        super().__init__(daemon=True)
        self.engine, self.request, self.cancel = engine, request or ask("Who?"), CancelToken()
        self.events: list[Event] = []
        self.error: BaseException | None = None
        self.start()

    def run(self) -> None:
        try:
            for event in self.engine.generate("m", self.request, cancel=self.cancel):
                self.events.append(event)
        except BaseException as error:
            self.error = error

    @property
    def said(self) -> str:
        return "".join(e.text for e in self.events if isinstance(e, Partial))

    @property
    def process(self) -> int:
        """The number of the process that answers, once it has said it."""
        until(lambda: self.said)
        return int(self.said.split()[0])

    def final(self) -> Final:
        self.join(PATIENCE)
        assert self.error is None, self.error
        assert isinstance(self.events[-1], Final)
        return self.events[-1]


def until(condition: Callable[[], object], patience: float = PATIENCE) -> None:
    end = time.monotonic() + patience
    while not condition():
        assert time.monotonic() < end, "waited in vain"
        time.sleep(0.02)


def replicas(variant: Variant) -> int:
    return deployments.state(deployments.name_of(variant))[1]


def test_a_replica_that_dies_takes_its_own_run_alone_and_another_takes_its_place(ray_pool: RayPool) -> None:
    variant = paced("two", **LONG)
    engine = an_engine(ray_pool, variant)
    with ray_pool.lease(variant, Settings(), Listener().emit):
        until(lambda: replicas(variant) == 2)
    first, second = Asker(engine), Asker(engine)
    assert first.process != second.process, "two replicas of one place each"
    os.kill(first.process, signal.SIGKILL)
    first.join(PATIENCE)
    assert isinstance(first.error, ReplicaLost) and "try again" in str(first.error)
    assert first.error.partial is not None and first.error.partial.output.text == first.said
    assert first.error.partial.receipt.finish_reason == "cut"
    assert len(second.final().output.text.split()) == LONG["pieces"] + 1
    until(lambda: replicas(variant) == 2)
    again = [Asker(engine), Asker(engine)]
    assert len({a.process for a in again}) == 2
    for asker in again:
        asker.cancel.cancel()
        assert asker.final().output.finish_reason == "stopped"


def test_a_run_whose_replica_dies_before_it_said_anything_is_tried_again(ray_pool: RayPool, tmp_path: Path) -> None:
    engine, told = an_engine(ray_pool, paced("two", **LONG)), tmp_path / "process"
    asker = Asker(engine, ask(f"Later {told}"))
    until(lambda: told.exists() and told.read_text())
    process = int(told.read_text())
    os.kill(process, signal.SIGKILL)
    final = asker.final()
    assert int(told.read_text()) != process, "the other replica was asked"
    assert len(final.output.text.split()) == LONG["pieces"]
    assert any(isinstance(e, Progress) and "attempt 1" in e.message for e in asker.events)


@pytest.fixture(scope="module")
def mark(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A file that a replica writes to where a run is stopped."""
    return tmp_path_factory.mktemp("mark") / "mark"


@pytest.fixture(scope="module")
def single(ray_pool: RayPool, mark: Path) -> Engine:
    """A model with one place, whose runs take two seconds."""
    return an_engine(ray_pool, paced("one", mark=str(mark), pause=0.05, pieces=40))


def test_a_stop_ends_the_work_on_the_cluster_and_frees_the_place(single: Engine, mark: Path) -> None:
    engine = single
    asker = Asker(engine)
    assert asker.process
    pressed = time.monotonic()
    asker.cancel.cancel()
    asker.final()
    until(mark.exists)
    assert mark.read_text() == "stopped\n"
    after = Asker(engine)
    assert after.process
    assert time.monotonic() - pressed < 1.8, "it would have gone on for two seconds"
    # A page that is closed stops it as well: Gradio does that on its event loop, which must not wait.
    closing = engine.generate("m", ask("Who?"))
    after.cancel.cancel()
    next(e for e in closing if isinstance(e, Partial))

    async def close() -> float:
        begun = time.monotonic()
        closing.close()
        return time.monotonic() - begun

    assert asyncio.run(close()) < 0.5
    until(lambda: mark.read_text().count("stopped") == 3)


def test_who_asks_when_all_is_taken_waits_and_more_are_turned_away(single: Engine) -> None:
    engine = single
    first = Asker(engine)
    assert first.process
    waiting = [Asker(engine) for _ in range(2)]
    until(lambda: all(any("Waiting for a place" in getattr(e, "message", "") for e in w.events) for w in waiting))
    turned_away = Asker(engine)
    turned_away.join(PATIENCE)
    assert isinstance(turned_away.error, LimitReached) and (turned_away.error.retry_after or 0) >= 1
    waiting[1].cancel.cancel()
    assert waiting[1].final().output.text == ""
    assert first.final().output.finish_reason == "stop"
    served = waiting[0].final()
    assert served.output.finish_reason == "stop"
    assert served.receipt.seconds.queue > 0.3 and (served.receipt.seconds.first_output or 9) < 1


def test_replicas_come_as_people_do(ray_pool: RayPool) -> None:
    variant = paced("scaled", pause=0.05, pieces=600)
    askers = [Asker(an_engine(ray_pool, variant)) for _ in range(2)]
    assert len({asker.process for asker in askers}) == 2, "there was none, and each has one of its own now"
    for asker in askers:
        asker.cancel.cancel()
        asker.final()


def test_a_second_front_uses_what_the_first_has_started(settings: Settings, started: ClusterConfig) -> None:
    variant = paced("several", pause=0.01, context=300)
    fronts = [an_engine(RayPool(settings, SMALL, started), variant) for _ in range(2)]
    one, other = (Asker(front) for front in fronts)  # at once: neither finds it, or one does
    assert one.final().output.text == other.final().output.text
    fronts[0].pool.unload()
    until(lambda: not deployments.state(deployments.name_of(variant))[0])
    *_, final = fronts[1].generate("m", ask())
    assert isinstance(final, Final), "one front's unloading must not break another's runs"


def test_a_front_of_another_process_joins_by_address_and_starts_nothing_anew(ray_pool: RayPool, tmp_path: Path) -> None:
    import ray

    *_, final = an_engine(ray_pool, front.variant()).generate("m", ask("Who?"))
    assert isinstance(final, Final)
    address = ray.get_runtime_context().gcs_address
    file = tmp_path / "cluster.toml"
    file.write_text(f'address = "{address}"\nmemory_gb = 8\n', "utf-8")
    command = [sys.executable, "-m", "tests.support.front", str(file)]  # with the token, which is in our environment
    said = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, timeout=2 * PATIENCE)
    assert said.returncode == 0, said.stderr
    process, words = said.stdout.split(maxsplit=1)
    assert process == final.output.text.split()[0] and address in words
    assert replicas(front.variant()) == 1, "it left the model where it was"


def test_no_key_and_no_prompt_reaches_a_log_of_rays(ray_pool: RayPool) -> None:
    import ray

    said = "a-prompt-that-nobody-else-says"
    engine = an_engine(ray_pool, paced("several", pause=0.01, context=300))
    Asker(engine, ask(said)).final()
    with pytest.raises(Exception, match="not foreseen"):
        list(engine.generate("m", ask("broke")))
    folder = Path(ray._private.worker._global_node.get_session_dir_path())
    files = [f for f in folder.rglob("*") if f.is_file()]
    assert len(files) > 5
    for file in files:
        text = file.read_bytes()
        assert said.encode() not in text and b"secret words" not in text and KEY.encode() not in text, file.name
    assert oct(folder.parent.parent.stat().st_mode)[-3:] == "700"


def test_rays_processes_listen_on_loopback_and_answer_nobody_without_the_token(ray_pool: RayPool) -> None:
    import grpc

    family = [p for p in psutil.Process().children(recursive=True) if p.status() != psutil.STATUS_ZOMBIE]
    ours = {p.pid: " ".join(p.cmdline()) for p in [psutil.Process(), *family]}
    listening = [c for c in psutil.net_connections("tcp") if c.status == "LISTEN" and c.pid in ours]
    assert len(listening) > 5
    open_to_all = [c for c in listening if c.laddr.ip.removeprefix("::ffff:") not in {"127.0.0.1", "::1"}]
    # Ray Serve binds its replicas' port to every address.
    assert {ours[c.pid].split(":")[2] for c in open_to_all} <= {"ServeReplica"}
    for each in open_to_all:
        with grpc.insecure_channel(f"127.0.0.1:{each.laddr.port}") as channel:
            call = channel.unary_unary("/ray.serve.ASGIService/HandleRequest")
            with pytest.raises(grpc.RpcError) as refused:
                call(b"", timeout=5)
            assert refused.value.code() is grpc.StatusCode.UNAUTHENTICATED
