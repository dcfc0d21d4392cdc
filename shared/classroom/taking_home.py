"""What a class takes home: works with their receipts in a zip, and a table of use."""

from __future__ import annotations

import io
import json
import re
import zipfile
from collections.abc import Iterator
from datetime import UTC, datetime
from typing import Any

from shared import spreadsheet
from shared.classroom.desk import Class
from shared.classroom.works import Work

_COLUMNS = ("when", "person", "task", "model", "backend", "mode", "seconds", "tokens", "cost_usd", "state", "prompt")


def zipped(room: Class, person: str | None = None) -> Iterator[bytes]:
    """The works of one person, or of all, each with its receipt beside it; piece by piece, one work in memory."""
    names = {p.id: p.name for p in room.room.people}
    grown = _Grown()
    with zipfile.ZipFile(grown, "w", zipfile.ZIP_STORED) as archive:
        for number, work in enumerate(reversed(room.works.all(person=person, most=10_000)), 1):
            data = room.works.read(work)
            if data is None:
                continue
            folder = "" if person else f"{_plain(names.get(work.person, 'left')) or 'somebody'}/"
            stem = f"{folder}{number:03d}-{_plain(work.prompt)[:40] or work.task}"
            archive.writestr(f"{stem}.{work.file.rpartition('.')[2]}", data)
            told = {"prompt": work.prompt, "receipt": work.receipt}
            archive.writestr(
                f"{stem}.receipt.json", json.dumps(told, indent=1, ensure_ascii=False).encode("utf-8", "replace")
            )
            yield grown.taken()
    yield grown.taken()


class _Grown(io.RawIOBase):
    """What was written since it was last taken. A zip file needs no more of what it is written to."""

    def __init__(self) -> None:
        self._parts: list[bytes] = []

    def writable(self) -> bool:
        """It is."""
        return True

    def write(self, data: Any) -> int:
        """Keep that."""
        self._parts.append(bytes(data))
        return len(self._parts[-1])

    def taken(self) -> bytes:
        """All of it, which is kept no longer."""
        parts, self._parts = self._parts, []
        return b"".join(parts)


def table(room: Class) -> str:
    """A line for each work that was kept, as CSV."""
    names = {p.id: p.name for p in room.room.people}
    works = reversed(room.works.all(most=100_000))
    return spreadsheet.table(_COLUMNS, (_row(work, names.get(work.person, "left")) for work in works))


def _row(work: Work, name: str) -> list[object]:
    receipt = work.receipt
    tokens = (receipt.get("input_tokens") or 0) + (receipt.get("output_tokens") or 0)
    return [
        datetime.fromtimestamp(work.created, UTC).isoformat(timespec="seconds"),
        name,
        work.task,
        receipt.get("model", ""),
        receipt.get("backend", ""),
        receipt.get("mode", ""),
        (receipt.get("seconds") or {}).get("total", ""),
        tokens or "",
        "unpriced" if receipt.get("cost_usd") is None else receipt["cost_usd"],
        work.state,
        work.prompt,
    ]


def _plain(text: str) -> str:
    return re.sub(r"[^\w]+", "-", text).strip("-")[:60]
