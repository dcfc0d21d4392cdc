"""Sounds as files that a page can play and a person can keep, each with its receipt inside and subtitles beside it."""

from __future__ import annotations

import re
import tempfile
from functools import cache
from pathlib import Path

from shared.audio.finishing import Finished
from shared.requests import SpeechRequest


@cache
def _folder() -> Path:
    """This process's folder under the system's place for temporary files, where Gradio may read."""
    return Path(tempfile.mkdtemp(prefix="playground-sounds-"))


def new_folder() -> Path:
    """A new folder for one run's files, where Gradio may read."""
    return Path(tempfile.mkdtemp(dir=_folder()))


def keep(finished: Finished, request: SpeechRequest) -> list[str]:
    """Write the sound and its subtitles; their paths, the sound's first."""
    folder = new_folder()
    stem = re.sub(r"[^a-z0-9]+", "-", request.text[:80].lower()).strip("-")[:40] or "speech"
    seed = "" if finished.receipt.seed is None else f"-{finished.receipt.seed}"
    file = folder / f"{stem}{seed}{finished.kind.suffix}"
    file.write_bytes(finished.data)
    paths = [str(file)]
    for suffix, text in ((".srt", finished.srt), (".vtt", finished.vtt)):
        if text:
            beside = file.with_suffix(suffix)
            beside.write_text(text, encoding="utf-8")
            paths.append(str(beside))
    return paths
