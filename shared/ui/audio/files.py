"""Sounds as files that a page can play and a person can keep, each with its receipt inside and subtitles beside it."""

from __future__ import annotations

import re
import tempfile
from collections.abc import Mapping
from functools import cache
from pathlib import Path

from shared.audio.finishing import Finished
from shared.receipts import Receipt
from shared.requests import Request


@cache
def _folder() -> Path:
    """This process's folder under the system's place for temporary files, where Gradio may read."""
    return Path(tempfile.mkdtemp(prefix="playground-sounds-"))


def new_folder() -> Path:
    """A new folder for one run's files, where Gradio may read."""
    return Path(tempfile.mkdtemp(dir=_folder()))


def keep(finished: Finished, request: Request) -> list[str]:
    """Write the sound and its subtitles; their paths, the sound's first."""
    texts = {".srt": finished.srt, ".vtt": finished.vtt}
    beside = {suffix: text.encode() for suffix, text in texts.items() if text}
    return write(stem(request, finished.receipt), {finished.kind.suffix: finished.data, **beside})


def stem(request: Request, receipt: Receipt) -> str:
    """A file's name without its ending: the first words of what was asked for, and the seed."""
    words = re.sub(r"[^a-z0-9]+", "-", next(iter(request.texts()), "")[:80].lower()).strip("-")[:40]
    seed = "" if receipt.seed is None else f"-{receipt.seed}"
    return f"{words or 'sound'}{seed}"


def write(name: str, contents: Mapping[str, bytes]) -> list[str]:
    """Write files of one name, by their endings (".wav"), in a folder of their own; their paths."""
    folder = new_folder()
    files = {folder / f"{name}{suffix}": data for suffix, data in contents.items()}
    for file, data in files.items():
        file.write_bytes(data)
    return [str(file) for file in files]
