"""Tables as CSV, for spreadsheets."""

from __future__ import annotations

import csv
import io
from collections.abc import Iterable, Sequence

_FORMULA = frozenset("=+-@＝＋－＠\t\r\n")  # the wide ones too: a Japanese Excel reads them as the others


def table(columns: Sequence[str], rows: Iterable[Sequence[object]]) -> str:
    """The table with its columns' names above it."""
    buffer = io.StringIO()
    writer = csv.writer(buffer)
    writer.writerow(columns)
    writer.writerows([_cell(value) for value in row] for row in rows)
    return buffer.getvalue()


def _cell(value: object) -> str:
    """A text that a spreadsheet takes for a formula gets a mark before it."""
    text = str(value)
    return f"'{text}" if text[:1] in _FORMULA else text
