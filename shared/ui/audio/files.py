"""Sounds as files that a page can play and a person can keep, each with its receipt inside and subtitles beside it."""

from __future__ import annotations

import shutil
from collections.abc import Mapping
from pathlib import Path

from shared.audio.finishing import Finished, finish
from shared.errors import BackendError, InferenceError
from shared.outputs import AudioOutput
from shared.receipts import Receipt
from shared.requests import Request
from shared.ui.running import note
from shared.ui.temporary import new_folder, slug


def kept(sound: AudioOutput, receipt: Receipt, request: Request, kind: str) -> tuple[list[str], Receipt, str]:
    """The finished sound's files, its receipt with what was measured, and as HTML why there are no files."""
    try:
        finished = finish(sound, receipt, request, kind)
        return keep(finished, request), finished.receipt, ""
    except InferenceError as error:
        return [], receipt, note(str(error), "pg-error")


def keep(finished: Finished, request: Request) -> list[str]:
    """Write the sound and its subtitles; their paths, the sound's first."""
    texts = {".srt": finished.srt, ".vtt": finished.vtt}
    beside = {suffix: text.encode() for suffix, text in texts.items() if text}
    return write(stem(request, finished.receipt), {finished.kind.suffix: finished.data, **beside})


def stem(request: Request, receipt: Receipt) -> str:
    """A file's name without its ending: the first words of what was asked for, and the seed."""
    words = slug(next(iter(request.texts()), "")[:80])[:40]
    seed = "" if receipt.seed is None else f"-{receipt.seed}"
    return f"{words or 'sound'}{seed}"


def write(name: str, contents: Mapping[str, bytes]) -> list[str]:
    """Write files of one name, by their endings (".wav"), in a folder of their own; their paths.

    Raises `BackendError` where they can't be written; nothing of them is left then.
    """
    folder: Path | None = None
    try:
        folder = new_folder()
        files = {folder / f"{name}{suffix}": data for suffix, data in contents.items()}
        for file, data in files.items():
            file.write_bytes(data)
    except OSError as error:
        if folder is not None:
            shutil.rmtree(folder, ignore_errors=True)
        raise BackendError(
            f"The files could not be written ({error.strerror}): the server's disk is full, or its folder for "
            "temporary files can't be written to. Tell the server's keeper, and try again."
        ) from None
    return [str(file) for file in files]
