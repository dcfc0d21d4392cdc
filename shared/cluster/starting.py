"""Joins a cluster, or starts one in this process: once, quiet, on loopback, and with a password of its own."""

from __future__ import annotations

import atexit
import contextlib
import logging
import shutil
import tempfile
import threading
from collections.abc import Callable
from concurrent.futures import Future
from pathlib import Path
from typing import Any

from shared.backends.base import require
from shared.cluster.config import ClusterConfig
from shared.errors import ClusterUnavailable
from shared.settings import prepare_ray

STORE_BYTES = 256 * 1024**2  # for what is too large for a message: pictures and clips on their way
EXTRA = "-r requirements-cluster.txt"
logger = logging.getLogger(__name__)
_lock = threading.Lock()


def connect(config: ClusterConfig) -> None:
    """Make sure that this process is connected. Raises `MissingDependency` or `ClusterUnavailable`."""
    require("ray", EXTRA)
    with _lock:
        prepare_ray(alone=config.address is None)
        import ray

        if not ray.is_initialized():
            try:
                _in_a_thread_that_stays(lambda: _join(ray, config))
            except Exception as error:
                logger.exception("Ray could not be started or joined")
                raise ClusterUnavailable(_words(config, error)) from error


def _in_a_thread_that_stays(do: Callable[[], None]) -> None:
    """Linux ends Ray's processes with the thread that started them; whose first run it is, goes on to others."""
    done: Future[None] = Future()

    def stay() -> None:
        try:
            do()
        except BaseException as error:
            done.set_exception(error)
            return
        done.set_result(None)
        threading.Event().wait()

    threading.Thread(target=stay, name="ray", daemon=True).start()
    done.result()


def _join(ray: Any, config: ClusterConfig) -> None:
    from ray import serve

    if config.address:
        ray.init(address=config.address, log_to_driver=False, logging_level=logging.ERROR)
    else:
        # Short, since sockets lie in it; and in a private one, since Ray opens its own, with its logs, to all.
        short = "/tmp" if Path("/tmp").is_dir() else None
        folder = tempfile.mkdtemp(prefix="ray-", dir=short)
        ray.init(
            address="local",
            num_cpus=config.cpus,
            include_dashboard=False,
            log_to_driver=False,
            logging_level=logging.ERROR,
            object_store_memory=STORE_BYTES,
            _temp_dir=str(Path(folder) / "r"),
        )
        atexit.register(_clear, folder)
    # Handles alone are used: nothing listens for HTTP.
    _quiet()
    serve.start(proxy_location="Disabled", logging_config={"log_level": "WARNING", "enable_access_log": False})


def disconnect() -> None:
    """Leave the cluster; one that this process started ends."""
    import ray

    with _lock, contextlib.suppress(Exception):
        ray.shutdown()


def _clear(folder: str) -> None:
    disconnect()
    shutil.rmtree(folder, ignore_errors=True)


def _quiet() -> None:
    """Ray's own talk is for its logs; what a person must know is told as an error."""
    for name in ("ray", "ray.serve"):
        logging.getLogger(name).setLevel(logging.ERROR)


def _words(config: ClusterConfig, error: Exception) -> str:
    if config.address is None:
        return f"Ray could not be started on this machine ({type(error).__name__}). The server's log says more."
    return (
        f"The cluster at {config.address} could not be joined ({type(error).__name__}). See that it runs "
        "(`ray status` there), that this machine has joined it, and that both have the same Ray and the same token."
    )
