"""How an owner's runs look: a page of them as HTML with what all took together, as CSV, and as JSON."""

from __future__ import annotations

import time
from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass
from html import escape
from typing import Any

from shared import spreadsheet
from shared.backends import BACKENDS
from shared.receipts import Receipt
from shared.state.history import Ran
from shared.tasks import Mode, Task
from shared.ui import receipt_view

PAGE = 20  # runs that are shown at once
NONE = "Nothing yet. What you run on this server is listed here, from every Space, without what you wrote."
_ALL = "All runs that are listed here are deleted, of every Space, and can't be had back. Files you saved stay."
WHAT: Mapping[str, str] = {
    Task.CHAT: "Answer",
    Task.TEXT_TO_IMAGE: "Picture",
    Task.TEXT_TO_SPEECH: "Speech",
    Task.TEXT_TO_AUDIO: "Music",
    Task.TEXT_TO_SOUND: "Sound",
    Task.TEXT_TO_VIDEO: "Clip",
    Task.TEXT_TO_3D: "Solid",
    Task.TEXT_TO_MOTION: "Motion",
}
_WHOLE = ' class="pg-whole"'
_COLUMNS = ("when", "task", "model", "backend", "mode", "ended", "seconds", "tokens", "memory_gb", "cost_usd", "seed")


@dataclass(frozen=True)
class Totals:
    """What runs took together. `cost_usd`: of those whose cost is known; `unpriced`: hosted ones of which it isn't."""

    runs: int
    failed: int
    seconds: float
    tokens: int
    cost_usd: float
    unpriced: int


def totals(runs: Sequence[Ran]) -> Totals:
    """Of these runs."""
    costs = [run.receipt.get("cost_usd") for run in runs]
    return Totals(
        runs=len(runs),
        failed=sum(bool(run.error) for run in runs),
        seconds=round(sum(map(_seconds, runs)), 3),
        tokens=sum(run.receipt.get("output_tokens") or 0 for run in runs),
        cost_usd=round(sum(cost or 0.0 for cost in costs), 6),
        unpriced=sum(_unpriced(run) for run in runs),
    )


def told(run: Ran) -> dict[str, Any]:
    """A run as a caller of the API gets it."""
    return {
        "id": run.id,
        "task": run.task,
        "created": run.created,
        "ended": _ended(run),
        "receipt": dict(run.receipt),
        "prompt": run.prompt,
    }


def to_csv(runs: Sequence[Ran]) -> str:
    """A line for each run, the newest first."""
    return spreadsheet.table(_COLUMNS, (_line(run) for run in runs))


def page(runs: Sequence[Ran], number: int, known: Collection[str]) -> str:
    """One page of the runs, the newest first, as HTML. `number` counts from 0; `known`: tasks whose settings can be put
    back on this Space's screen."""
    if not runs:
        return f'<div class="pg-quiet" role="status">{NONE}</div>'
    pages = -(-len(runs) // PAGE)
    at = min(max(number, 0), pages - 1)
    shown = runs[at * PAGE : (at + 1) * PAGE]
    rows = "".join(_row(run, run.task in known) for run in shown)
    names = ("When (UTC)", "What", "Engine", "Ended", "Time", "Memory", "Cost")
    head = "".join(f"<th>{name}</th>" for name in names) + "<th><span class='pg-unseen'>Put back</span></th>"
    return (
        f"{_summed(totals(runs))}"
        f'<div class="pg-scroll"><table class="pg-table pg-runs"><thead><tr>{head}</tr></thead>'
        f"<tbody>{rows}</tbody></table></div>{_turning(at, pages, len(runs))}"
        f'<div class="pg-acts">{_button("csv", "Download as CSV")}'
        f"<details><summary>Delete my history</summary><p>{_ALL}</p>{_button('delete', 'Delete all of it')}</details>"
        "</div>"
    )


def _summed(sums: Totals) -> str:
    cells = [("Runs", f"{sums.runs:,}"), ("Time", _time(sums.seconds))]
    if sums.failed:
        cells.insert(1, ("Failed", f"{sums.failed:,}"))
    if sums.tokens:
        cells.append(("Tokens written", f"{sums.tokens:,}"))
    cost = f"${sums.cost_usd:.4f}" if sums.cost_usd else "" if sums.unpriced else "no charge"
    cells.append(("Cost", " + ".join(filter(None, [cost, f"{sums.unpriced} unpriced" if sums.unpriced else ""]))))
    inner = "".join(f'<span class="pg-m"><span>{name}</span><b>{value}</b></span>' for name, value in cells)
    return f'<div class="pg-metrics" role="status">{inner}</div>'


def _row(run: Ran, known: bool) -> str:
    receipt = _receipt(run)
    model = str(run.receipt.get("name") or run.receipt.get("model") or "").replace(" (starter)", "")
    cells = [
        ("When", time.strftime("%Y-%m-%d %H:%M", time.gmtime(run.created))),
        ("What", _what(run)),
        ("Engine", " · ".join(filter(None, [model, _engine(receipt, run)]))),
        ("Ended", _ended(run)),
        ("Time", _time(_seconds(run)) if receipt else "–"),
        ("Memory", receipt_view.memory_text(receipt) if receipt else "–"),
        ("Cost", receipt_view.cost_text(receipt) if receipt else "–"),
    ]
    inner = "".join(map(_cell, cells))
    when = f"{cells[1][1]} of {cells[0][1]}"
    back = _button(f"back:{run.id}", "Put back", f"Put back the settings: {when}") if known and receipt else ""
    return f"<tr>{inner}<td>{back}</td></tr>"


def _cell(named: tuple[str, str]) -> str:
    """On a phone, where the columns' names aren't shown, the cell's own is."""
    name, value = named
    if name in {"When", "What"}:
        return f'<td class="pg-whole">{escape(value)}</td>'
    if name == "Engine":
        return f'<td translate="no">{escape(value)}</td>'
    return (
        f'<td{_WHOLE if name != "Ended" else ""}><span class="pg-name">{name}</span> <span>{escape(value)}</span></td>'
    )


def _turning(at: int, pages: int, runs: int) -> str:
    if pages == 1:
        return ""
    newer = _button(f"page:{at - 1}", "Newer", off=at == 0)
    older = _button(f"page:{at + 1}", "Older", off=at == pages - 1)
    span = f"Runs {at * PAGE + 1} to {min((at + 1) * PAGE, runs)} of {runs}"
    return f'<div class="pg-acts">{newer}<span class="pg-quiet">{span}</span>{older}</div>'


def _button(act: str, words: str, label: str = "", off: bool = False) -> str:
    named = f' aria-label="{escape(label, quote=True)}"' if label else ""
    return (
        f'<button type="button" class="pg-act" data-act="{escape(act, quote=True)}"{named}'
        f"{' disabled' if off else ''}>{words}</button>"
    )


def _line(run: Ran) -> list[object]:
    receipt = run.receipt
    read, written = receipt.get("input_tokens") or 0, receipt.get("output_tokens") or 0
    cost = receipt.get("cost_usd")
    return [
        time.strftime("%Y-%m-%dT%H:%M:%SZ", time.gmtime(run.created)),
        run.task,
        receipt.get("model", ""),
        receipt.get("backend", ""),
        receipt.get("mode", ""),
        _ended(run),
        (receipt.get("seconds") or {}).get("total", ""),
        read + written or "",
        receipt.get("memory_gb", ""),
        "unpriced" if cost is None and _unpriced(run) else "" if cost is None else cost,
        receipt.get("seed", ""),
    ]


def _receipt(run: Ran) -> Receipt | None:
    """None where the run ended before it had one."""
    try:
        receipt = Receipt.from_dict(run.receipt)
    except ValueError:
        return None
    return receipt if receipt.backend in BACKENDS else None


def _what(run: Ran) -> str:
    return WHAT.get(run.task, run.task)


def _engine(receipt: Receipt | None, run: Ran) -> str:
    if receipt is not None:
        return receipt_view.engine_name(receipt)
    backend = str(run.receipt.get("backend", ""))
    return BACKENDS[backend].label if backend in BACKENDS else backend


def _ended(run: Ran) -> str:
    if run.error:
        return {"left": "left before its end"}.get(run.error, run.error.replace("_", " "))
    reason = str(run.receipt.get("finish_reason") or "")
    return receipt_view.ENDINGS.get(reason, reason) or "by itself"


def _seconds(run: Ran) -> float:
    return float((run.receipt.get("seconds") or {}).get("total") or 0.0)


def _unpriced(run: Ran) -> bool:
    """Whether it was charged for, perhaps, and nobody knows how much. One that failed before it began was not."""
    priced = run.receipt.get("cost_usd") is not None
    return not priced and run.receipt.get("mode") == Mode.HOSTED and "cost_note" in run.receipt


def _time(seconds: float) -> str:
    if seconds < 60:
        return f"{seconds:.1f} s"
    return f"{seconds / 60:.1f} min" if seconds < 3600 else f"{seconds / 3600:.1f} h"
