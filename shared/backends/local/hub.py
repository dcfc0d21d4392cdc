"""Gets a model's files from the Hugging Face Hub, or from its cache with no network at all.

The download runs in a process of its own (`download.py`): it can be stopped at once wherever it hangs, what it
had is kept, and the next try goes on from there.
"""

from __future__ import annotations

import contextlib
import json
import queue
import subprocess
import sys
import threading
import time
from collections.abc import Sequence
from dataclasses import dataclass
from fnmatch import fnmatch
from pathlib import Path
from typing import Any

from shared.errors import BackendError, CorruptWeights, HubUnavailable, MissingCredentials, UnknownModel
from shared.events import Progress
from shared.machine import GIB
from shared.settings import Settings
from shared.streaming import Emit

# Everything transformers needs, and no pickle. Original-format copies in sub-folders are left where they are.
MODEL_FILES = ("*.safetensors", "*.json", "*.txt", "*.model", "*.jinja", "tokenizer*")
NEVER = ("*.bin", "*.pt", "*.pth", "*.ckpt", "*.pkl", "*.py", "*.h5", "*.msgpack", "original/*", "onnx/*")
ENDPOINT = "huggingface_hub"  # its name in `settings.base_urls`, for a mirror
START_SECONDS = 30.0  # for the process to import its libraries, on a slow machine
STALL_SECONDS = 60.0  # without a byte
_ROOT = Path(__file__).resolve().parents[3]


@dataclass(frozen=True)
class Fetched:
    """A folder with the files asked for, and the commit they are of."""

    path: Path
    revision: str | None


def fetch(
    repo_id: str,
    settings: Settings,
    emit: Emit,
    *,
    revision: str | None = None,
    allow_patterns: Sequence[str] = MODEL_FILES,
    ignore_patterns: Sequence[str] = NEVER,
) -> Fetched:
    """The files of a Hub repository that match the patterns, downloaded if they are not here yet.

    What is in the cache is used as it is, without a look at the network. Raises `HubUnavailable` within seconds
    when the Hub doesn't answer, `UnknownModel`, `MissingCredentials`, or `BackendError` when the disk is too
    small. Stopping it stops the download at once.
    """
    patterns, ignored = _named(allow_patterns), _kept(allow_patterns, ignore_patterns)
    job: dict[str, Any] = {
        "repo_id": repo_id,
        "revision": revision,
        "allow_patterns": patterns,
        "ignore_patterns": ignored,
    }
    if cached := _cached(job):
        return cached
    if settings.offline:
        raise HubUnavailable(
            f"{repo_id} is not on this machine, and this server works offline. "
            "Start it without PLAYGROUND_OFFLINE and HF_HUB_OFFLINE to download it, or choose another model."
        )
    emit(Progress(f"Asking the Hub for {repo_id}"))
    token = settings.key("HF_TOKEN")
    job |= {"timeout": settings.hub_timeout, "endpoint": settings.base_urls.get(ENDPOINT)}
    path = _download(job, token.reveal() if token else None, settings, emit)
    return Fetched(path, path.name)


def _named(patterns: Sequence[str]) -> list[str]:
    """Hub patterns match with `*` across folders; blank ones would match nothing."""
    return [pattern for pattern in patterns if pattern]


def _kept(allowed: Sequence[str], ignored: Sequence[str]) -> list[str]:
    """The ignore patterns, without those that would drop a file that was asked for by its name."""
    names = [pattern for pattern in allowed if not set("*?[") & set(pattern)]
    return [pattern for pattern in ignored if not any(fnmatch(name, pattern) for name in names)]


def _cached(job: dict[str, Any]) -> Fetched | None:
    """The cached copy if it is whole, otherwise None."""
    from huggingface_hub import snapshot_download
    from huggingface_hub.errors import IncompleteSnapshotError, LocalEntryNotFoundError

    try:
        path = Path(snapshot_download(**job, local_files_only=True))
    except (LocalEntryNotFoundError, IncompleteSnapshotError):
        return None
    wanted = job["allow_patterns"]
    weights = [pattern for pattern in wanted if pattern.endswith((".gguf", ".safetensors", ".xml", ".onnx", ".bin"))]
    # Another program may have cached only its configuration: without a list of files the Hub library can't tell.
    found = all(any(path.glob(pattern)) for pattern in weights)
    return Fetched(path, path.name) if found else None


def _download(job: dict[str, Any], token: str | None, settings: Settings, emit: Emit) -> Path:
    command = [sys.executable, "-m", "shared.backends.local.download"]
    pipes = {"stdin": subprocess.PIPE, "stdout": subprocess.PIPE, "stderr": subprocess.DEVNULL}
    child = subprocess.Popen(command, cwd=_ROOT, text=True, encoding="utf-8", **pipes)  # type: ignore[call-overload]
    try:
        with emit.cancel.on_cancel(child.kill):
            # By its standard input: a command line or an environment can be read by other programs.
            child.stdin.write(json.dumps({**job, "token": token}) + "\n")
            child.stdin.close()
            return _follow(_lines(child), job["repo_id"], settings, emit)
    finally:
        child.kill()
        child.wait()
        child.stdout.close()


def _lines(child: Any) -> queue.SimpleQueue[dict[str, Any] | None]:
    """What the process says, read in a thread so that waiting for it can end."""
    said: queue.SimpleQueue[dict[str, Any] | None] = queue.SimpleQueue()

    def read() -> None:
        with contextlib.suppress(ValueError, OSError):  # the process was killed in mid-line
            for line in child.stdout:
                said.put(json.loads(line))
        said.put(None)

    threading.Thread(target=read, name="download", daemon=True).start()
    return said


def _follow(said: queue.SimpleQueue[dict[str, Any] | None], repo_id: str, settings: Settings, emit: Emit) -> Path:
    patience = START_SECONDS
    while message := _hear(said, patience, emit):
        if "asking" in message:
            patience = settings.hub_timeout + 1.0
        elif "total" in message:
            patience = STALL_SECONDS
            _report(emit, repo_id, message)
        elif "path" in message:
            return Path(message["path"])
        else:
            raise _failure(message, repo_id)
    emit.check()  # a stop kills the process, which then says nothing more
    raise _unreachable(repo_id)


def _hear(said: queue.SimpleQueue[dict[str, Any] | None], patience: float, emit: Emit) -> dict[str, Any] | None:
    """The next message, or None at the end and when none came for `patience` seconds."""
    end = time.monotonic() + patience
    while time.monotonic() < end:
        emit.check()
        with contextlib.suppress(queue.Empty):
            return said.get(timeout=0.1)
    return None


def _report(emit: Emit, repo_id: str, message: dict[str, Any]) -> None:
    done, total = message["done"], message["total"]
    emit(Progress(f"Downloading {repo_id}: {done / GIB:.2f} of {total / GIB:.2f} GB", done, total))


def _failure(message: dict[str, Any], repo_id: str) -> Exception:
    """The error of ours that the process named."""
    kind = message.get("error")
    if kind == "unknown":
        return UnknownModel(
            f"The Hub has no {repo_id} that this server may read. Check the spelling; if it is private, give a "
            "Hugging Face token (HF_TOKEN) that may read it."
        )
    if kind == "gated":
        who = f"{repo_id} is gated: accept its terms on its Hugging Face page first. Then it"
        return MissingCredentials(who, "HF_TOKEN")
    if kind == "revision":
        return UnknownModel(f"{repo_id} has no revision {message['detail']}. Choose another, or leave it out.")
    if kind == "no_files":
        return BackendError(f"{repo_id} has none of the files this engine reads: {message['detail']}.")
    if kind == "disk":
        return BackendError(
            f"{repo_id} needs {message['needed'] / GIB:.1f} GB of disk and {message['free'] / GIB:.1f} GB is free. "
            "Delete models you no longer use, or set HF_HOME to a larger disk."
        )
    if kind == "checksum":
        return CorruptWeights(f"{message['detail']} of {repo_id} came damaged, and was deleted. Try again.")
    return _unreachable(repo_id)


def _unreachable(repo_id: str) -> HubUnavailable:
    return HubUnavailable(
        f"The Hugging Face Hub can't be reached, and {repo_id} is not on this machine. Check the connection and try "
        "again (a download goes on where it stopped), or choose a model that is here."
    )
