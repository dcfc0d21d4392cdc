"""A storyboard's shots, and a list's line for one, in words."""

from __future__ import annotations

import time
from collections.abc import Sequence
from html import escape

from shared.jobs.job import Job
from shared.video.filming import Filming
from shared.video.storyboard import told


def table(lines: Sequence[str], shots: Sequence[Filming]) -> str:
    """Each shot and how far it is, as HTML."""
    rows = "".join(
        f"<li><b>{escape(line)}</b> <span class='pg-quiet'>{escape(told(shot))}</span></li>"
        for line, shot in zip(lines, shots, strict=True)
    )
    return f'<div class="pg-film pg-shots"><ol>{rows}</ol></div>'


def line(row: Job, states: Sequence[str]) -> str:
    """What a list says of a storyboard: its first words, how many shots are where, when it was begun."""
    first = " ".join(str(row.request["lines"][0]).split())
    came = sum(state == "done" for state in states)
    parts = (
        first if len(first) <= 24 else f"{first[:23]}…",
        f"{came} of {len(states)} made",
        time.strftime("%Y-%m-%d %H:%M UTC", time.gmtime(row.created)),
    )
    return " · ".join(parts)
