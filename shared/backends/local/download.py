"""The process that downloads from the Hub for `hub.py`: a job on standard input, JSON lines on standard output.

Lines: `{"asking": 1}`, `{"total": bytes, "done": bytes}` as it goes on, and last `{"path": ...}` or
`{"error": kind, ...}`.
"""

from __future__ import annotations

import errno
import json
import shutil
import sys
import time
from collections.abc import Mapping
from pathlib import Path
from typing import Any

SAY_EVERY = 0.25  # seconds
CHUNK_BYTES = 256 * 1024  # so that a slow line still shows that it is alive


def main() -> None:
    """Do the job; every failure is said, none is raised."""
    job = json.loads(sys.stdin.readline())
    try:
        say(path=str(_run(job)))
    except BaseException as error:
        say(**_named(error))


def say(**message: Any) -> None:
    """One line to the parent."""
    print(json.dumps(message), flush=True)


def _run(job: dict[str, Any]) -> Path:
    from huggingface_hub import constants, snapshot_download

    timeout, endpoint = job.pop("timeout"), job.pop("endpoint")
    token = job.pop("token") or False
    constants.DEFAULT_REQUEST_TIMEOUT = constants.HF_HUB_ETAG_TIMEOUT = timeout
    constants.DOWNLOAD_CHUNK_SIZE = CHUNK_BYTES
    say(asking=1)
    total = _total(job, timeout, endpoint, token)
    _check_disk(total, Path(constants.HF_HUB_CACHE))
    say(total=total, done=0)
    _Bar.total_bytes = total
    return Path(snapshot_download(**job, endpoint=endpoint, token=token, etag_timeout=timeout, tqdm_class=_Bar))


class _NoFiles(Exception):
    """The repository holds nothing that matches."""


class _DiskFull(Exception):
    """`args`: bytes needed, bytes free."""


def _total(job: Mapping[str, Any], timeout: float, endpoint: str | None, token: str | bool) -> int:
    """Bytes of the files that match."""
    from huggingface_hub import HfApi
    from huggingface_hub.utils._paths import filter_repo_objects

    api = HfApi(endpoint=endpoint, token=token)
    info = api.model_info(job["repo_id"], revision=job["revision"], timeout=timeout, files_metadata=True)
    sizes = {file.rfilename: file.size or 0 for file in info.siblings or []}
    wanted = list(
        filter_repo_objects(sizes, allow_patterns=job["allow_patterns"], ignore_patterns=job["ignore_patterns"])
    )
    if not wanted:
        raise _NoFiles(", ".join(job["allow_patterns"]))
    return sum(sizes[name] for name in wanted)


def _check_disk(needed: int, cache: Path) -> None:
    folder = next(folder for folder in (cache, *cache.parents) if folder.exists())
    free = shutil.disk_usage(folder).free
    if needed > free:
        raise _DiskFull(needed, free)


class _Bar:
    """Stands in for tqdm: the Hub library counts bytes into two of these, one for the network, one for the disk."""

    total_bytes = 0
    _said = 0.0

    def __init__(self, *args: Any, total: float | None = None, initial: float = 0, desc: str = "", **_: Any) -> None:
        self.total, self.n, self._args = total or 0, initial, args
        self._network = desc.startswith("Downloading bytes")
        self.format_dict: dict[str, Any] = {}

    def update(self, n: float | None = 1) -> None:
        """Count, and tell the parent now and then."""
        self.n += n or 0
        if self._network and time.monotonic() - _Bar._said > SAY_EVERY:
            _Bar._said = time.monotonic()
            say(total=max(self.total_bytes, int(self.n)), done=int(self.n))

    def refresh(self, *_: Any, **__: Any) -> None:
        """Nothing is drawn."""

    close = clear = set_postfix_str = set_description = set_description_str = refresh

    def __enter__(self) -> _Bar:
        return self

    def __exit__(self, *_: Any) -> None:
        return None

    def __iter__(self) -> Any:
        yield from (self._args[0] if self._args else ())

    @classmethod
    def get_lock(cls) -> Any:
        """As tqdm's: one lock for all bars."""
        import threading

        if not hasattr(cls, "_lock"):
            cls._lock = threading.RLock()  # type: ignore[attr-defined]
        return cls._lock  # type: ignore[attr-defined]

    @classmethod
    def set_lock(cls, lock: Any) -> None:
        """As tqdm's."""
        cls._lock = lock  # type: ignore[attr-defined]


def _named(error: BaseException) -> dict[str, Any]:
    """The error by the name that `hub.py` knows it by."""
    from huggingface_hub import errors

    if isinstance(error, errors.LocalEntryNotFoundError) and error.__cause__ is not None:
        return _named(error.__cause__)
    if isinstance(error, errors.GatedRepoError):
        return {"error": "gated"}
    if isinstance(error, errors.RevisionNotFoundError):
        return {"error": "revision", "detail": str(getattr(error, "revision", "of that name"))}
    if isinstance(error, errors.RepositoryNotFoundError | errors.HFValidationError):
        return {"error": "unknown"}
    if isinstance(error, _NoFiles):
        return {"error": "no_files", "detail": str(error)}
    if isinstance(error, _DiskFull):
        return {"error": "disk", "needed": error.args[0], "free": error.args[1]}
    if isinstance(error, OSError) and error.errno == errno.ENOSPC:
        return {"error": "disk", "needed": _Bar.total_bytes, "free": 0}
    return {"error": "unreachable", "detail": type(error).__name__}


if __name__ == "__main__":
    main()
