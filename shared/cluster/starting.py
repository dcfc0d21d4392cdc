"""Joins a cluster, or starts one in this process: once, quiet, on loopback, and with a password of its own."""

from __future__ import annotations

import atexit
import contextlib
import logging
import shutil
import socket
import tempfile
import threading
import time
from collections.abc import Callable
from concurrent.futures import Future, wait
from pathlib import Path

from shared.backends.base import require
from shared.cluster.config import ClusterConfig
from shared.errors import ClusterUnavailable
from shared.events import Progress
from shared.pool import POLL
from shared.settings import prepare_ray
from shared.streaming import Emit

STORE_BYTES = 256 * 1024**2  # for what is too large for a message: pictures and clips on their way
JOIN = 60.0  # seconds: on a busy machine a cluster of its own takes twenty
EXTRA = "-r requirements-cluster.txt"
logger = logging.getLogger(__name__)
_lock = threading.Lock()
_joined: Future[None] | None = None


def connect(config: ClusterConfig, emit: Emit, patience: float) -> None:
    """Make sure that this process is connected. `patience`: seconds for the head node to answer.

    Raises `MissingDependency`, `ClusterUnavailable` or `Cancelled`; joining goes on for whoever asks next.
    """
    global _joined
    require("ray", EXTRA)
    with _lock:
        if _joined is None or (_joined.done() and _joined.exception()):
            _joined = _in_a_thread_that_stays(lambda: _join(config, patience))
        joined = _joined
    if not joined.done():
        emit(Progress("Joining the cluster" if config.address else "Starting a cluster on this machine"))
    end = time.monotonic() + JOIN
    while not wait([joined], timeout=POLL).done:
        emit.check()
        if time.monotonic() > end:
            raise ClusterUnavailable(_words(config, TimeoutError()))
    if error := joined.exception():
        raise ClusterUnavailable(_words(config, error)) from error


def _in_a_thread_that_stays(do: Callable[[], None]) -> Future[None]:
    """Linux ends Ray's processes with the thread that started them; whose first run it is, goes on to others."""
    done: Future[None] = Future()

    def stay() -> None:
        try:
            do()
        except BaseException as error:
            logger.exception("Ray could not be started or joined")
            done.set_exception(error)
            return
        done.set_result(None)
        threading.Event().wait()

    threading.Thread(target=stay, name="ray", daemon=True).start()
    return done


def _join(config: ClusterConfig, patience: float) -> None:
    if config.address:
        host, _, port = config.address.rpartition(":")
        with socket.create_connection((host.strip("[]"), int(port)), patience):
            pass  # it answers: Ray itself would try for minutes
    # Ray reads its settings once, when it is imported: not before it is known that there is one to join.
    prepare_ray(alone=config.address is None)
    import ray
    from ray import serve

    if config.address:
        ray.init(address=config.address, log_to_driver=False, logging_level=logging.ERROR)
    else:
        # Short, since sockets lie in it; and in a private one, since Ray opens its own, with its logs, to all.
        short = "/tmp" if Path("/tmp").is_dir() else None
        folder = tempfile.mkdtemp(prefix="ray-", dir=short)
        atexit.register(_clear, folder)
        ray.init(
            address="local",
            num_cpus=config.cpus,
            include_dashboard=False,
            log_to_driver=False,
            logging_level=logging.ERROR,
            object_store_memory=STORE_BYTES,
            _temp_dir=str(Path(folder) / "r"),
        )
    # Handles alone are used: nothing listens for HTTP.
    _quiet()
    serve.start(proxy_location="Disabled", logging_config={"log_level": "WARNING", "enable_access_log": False})
    _quiet()  # it has set its logger up anew


def disconnect() -> None:
    """Leave the cluster; one that this process started ends."""
    global _joined
    import ray

    with _lock, contextlib.suppress(Exception):
        _joined = None
        _quiet(logging.CRITICAL)  # its handles' tasks go on for a moment, and find nothing any more
        ray.shutdown()


def _clear(folder: str) -> None:
    disconnect()
    shutil.rmtree(folder, ignore_errors=True)


def _quiet(level: int = logging.ERROR) -> None:
    """Ray's own talk is for its logs; what a person must know is told as an error."""
    for name in ("ray", "ray.serve"):
        logging.getLogger(name).setLevel(level)


def _words(config: ClusterConfig, error: BaseException) -> str:
    if config.address is None:
        return f"Ray could not be started on this machine ({type(error).__name__}). The server's log says more."
    return (
        f"The cluster at {config.address} could not be joined ({type(error).__name__}). See that it runs "
        "(`ray status` there), that this machine has joined it, and that both have the same Ray and the same token."
    )
