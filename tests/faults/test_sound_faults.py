"""Sounds that can't be kept: a full disk is told in words, leaves nothing behind, and takes no sound away."""

from __future__ import annotations

import signal
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import pytest

from shared.errors import BackendError
from shared.outputs import AudioOutput
from shared.receipts import Receipt
from shared.ui.audio import files
from tests.support.sounds import speech

resource: Any = pytest.importorskip("resource", reason="this system has no such limit")
RECEIPT = Receipt(model="m", name="M", task="text-to-speech", backend="hibari", mode="quantized", license="MIT")
SOUND = AudioOutput(pcm=bytes(range(256)) * 400, sample_rate=8000)


@contextmanager
def full() -> Iterator[None]:
    """No file may grow beyond a page: what a program meets on a full disk, where the system has such a limit."""
    before, handler = resource.getrlimit(resource.RLIMIT_FSIZE), signal.signal(signal.SIGXFSZ, signal.SIG_IGN)
    resource.setrlimit(resource.RLIMIT_FSIZE, (4096, before[1]))
    try:
        yield
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, before)
        signal.signal(signal.SIGXFSZ, handler)


def test_a_full_disk_is_told_and_leaves_nothing() -> None:
    folder = Path(files.write("before", {".wav": b"a"})[0]).parents[1]
    there = sorted(folder.rglob("*"))
    with full(), pytest.raises(BackendError, match="disk is full"):
        files.write("hello", {".srt": b"1", ".wav": bytes(100_000)})
    assert sorted(folder.rglob("*")) == there
    assert files.write("hello", {".wav": bytes(100_000)}), "and it works again once there is room"


def test_what_was_heard_keeps_its_receipt() -> None:
    with full():
        paths, receipt, problem = files.kept(SOUND, RECEIPT, speech(), "wav")
    assert not paths and receipt is RECEIPT and 'role="alert"' in problem and "disk is full" in problem
    paths, receipt, problem = files.kept(SOUND, RECEIPT, speech(), "wav")
    assert paths and "peak_db" in receipt.extra and not problem
