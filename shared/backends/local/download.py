"""The process that downloads from the Hub for `hub.py`: a job on standard input, JSON lines on standard output.

Lines: `{"asking": 1}`, `{"total": bytes, "done": bytes}` as it goes on, and last `{"path": ...}` or
`{"error": kind, ...}`.
"""

from __future__ import annotations

import errno
import hashlib
import json
import shutil
import sys
import time
from collections.abc import Mapping
from pathlib import Path
from typing import Any, cast
from urllib.parse import urlparse

SAY_EVERY = 0.25  # seconds
RESUMABLE_BYTES = 100_000  # smaller files come by the Hub library, several at a time
SHA256_DIGITS = 64
CHUNK_BYTES = 64 * 1024  # so that a slow line still shows that it is alive


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
    from huggingface_hub import constants, hf_hub_url, snapshot_download

    timeout, endpoint = job.pop("timeout"), job.pop("endpoint")
    token = job.pop("token") or False
    constants.DEFAULT_REQUEST_TIMEOUT = constants.HF_HUB_ETAG_TIMEOUT = timeout
    constants.DOWNLOAD_CHUNK_SIZE = CHUNK_BYTES
    say(asking=1)
    revision, sizes = _wanted(job, timeout, endpoint, token)
    _Bar.total_bytes = sum(sizes.values())
    _check_disk(_Bar.total_bytes, Path(constants.HF_HUB_CACHE))
    say(total=_Bar.total_bytes, done=0)
    for name in (name for name, size in sizes.items() if size >= RESUMABLE_BYTES):
        _resume(hf_hub_url(job["repo_id"], name, revision=revision, endpoint=endpoint), job["repo_id"], token, timeout)
    return Path(snapshot_download(**job, endpoint=endpoint, token=token, etag_timeout=timeout, tqdm_class=_Bar))


class _NoFiles(Exception):
    """The repository holds nothing that matches."""


class _DiskFull(Exception):
    """`args`: bytes needed, bytes free."""


class _Damaged(Exception):
    """A file whose checksum is not the Hub's."""


def _wanted(
    job: Mapping[str, Any], timeout: float, endpoint: str | None, token: str | bool
) -> tuple[str, dict[str, int]]:
    """The commit, and the size in bytes of each file that matches."""
    from huggingface_hub import HfApi
    from huggingface_hub.utils._paths import filter_repo_objects

    api = HfApi(endpoint=endpoint, token=token)
    info = api.model_info(job["repo_id"], revision=job["revision"], timeout=timeout, files_metadata=True)
    sizes = {file.rfilename: file.size or 0 for file in info.siblings or []}
    patterns = {"allow_patterns": job["allow_patterns"], "ignore_patterns": job["ignore_patterns"]}
    wanted = list(filter_repo_objects(sizes, **patterns))
    if not wanted:
        raise _NoFiles(", ".join(job["allow_patterns"]))
    return info.sha or "main", {name: sizes[name] for name in wanted}


def _resume(url: str, repo_id: str, token: str | bool, timeout: float) -> None:
    """Put a large file into the cache, going on where an earlier try stopped: the Hub library begins anew."""
    from filelock import FileLock
    from huggingface_hub import constants, get_hf_file_metadata
    from huggingface_hub.file_download import http_get, repo_folder_name
    from huggingface_hub.utils._headers import build_hf_headers

    found = get_hf_file_metadata(url, token=token, timeout=timeout)
    folder = Path(constants.HF_HUB_CACHE) / repo_folder_name(repo_id=repo_id, repo_type="model") / "blobs"
    if not found.etag or not found.size or (folder / found.etag).exists():
        return
    folder.mkdir(parents=True, exist_ok=True)
    part = folder / f"{found.etag}.part"
    # Storage servers are others than the Hub: they get no token.
    same_host = urlparse(found.location).netloc == urlparse(url).netloc
    headers = build_hf_headers(token=token if same_host else False)
    with FileLock(f"{part}.lock"), part.open("ab") as file:
        http_get(
            found.location,
            file,
            resume_size=file.tell(),
            headers=headers,
            expected_size=found.size,
            tqdm_class=cast("Any", _FileBar),
        )
    _verify(part, found.etag, url)
    part.rename(folder / found.etag)


def _verify(part: Path, etag: str, url: str) -> None:
    """The Hub's tag of a large file is its SHA-256."""
    if len(etag) != SHA256_DIGITS:
        return
    with part.open("rb") as file:
        if hashlib.file_digest(file, "sha256").hexdigest() == etag:
            return
    part.unlink()
    raise _Damaged(url.rsplit("/", 1)[-1])


def _check_disk(needed: int, cache: Path) -> None:
    folder = next(folder for folder in (cache, *cache.parents) if folder.exists())
    free = shutil.disk_usage(folder).free
    if needed > free:
        raise _DiskFull(needed, free)


class _Bar:
    """Stands in for tqdm: the Hub library counts bytes into two of these, one for the network, one for the disk."""

    total_bytes = done_bytes = 0
    _said = 0.0

    def __init__(self, *args: Any, total: float | None = None, initial: float = 0, desc: str = "", **_: Any) -> None:
        self.total, self.n, self._args = total or 0, initial, args
        self._counts = desc.startswith("Downloading bytes")
        self.format_dict: dict[str, Any] = {}

    def update(self, n: float | None = 1) -> None:
        """Count, and tell the parent now and then."""
        self.n += n or 0
        if not self._counts:
            return
        _Bar.done_bytes += int(n or 0)
        if time.monotonic() - _Bar._said > SAY_EVERY:
            _Bar._said = time.monotonic()
            say(total=max(_Bar.total_bytes, _Bar.done_bytes), done=_Bar.done_bytes)

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


class _FileBar(_Bar):
    """Counts one file's bytes, those of an earlier try included."""

    def __init__(self, *args: Any, initial: float = 0, **options: Any) -> None:
        super().__init__(*args, **options)
        self._counts = True
        self.update(initial)


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
    if isinstance(error, _Damaged):
        return {"error": "checksum", "detail": str(error)}
    if isinstance(error, _DiskFull):
        return {"error": "disk", "needed": error.args[0], "free": error.args[1]}
    if isinstance(error, OSError) and error.errno == errno.ENOSPC:
        return {"error": "disk", "needed": _Bar.total_bytes, "free": 0}
    return {"error": "unreachable", "detail": type(error).__name__}


if __name__ == "__main__":
    main()
