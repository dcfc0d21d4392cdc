"""What a run will cost and how long it may take, told and agreed to before it starts."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from statistics import median
from typing import Any

from shared import pricing
from shared.backends import get_backend
from shared.backends.base import Slowness
from shared.catalog import ModelSpec, Variant
from shared.errors import InvalidRequest
from shared.jobs.store import JobStore
from shared.machine import Machine
from shared.requests import Request
from shared.settings import Settings
from shared.tasks import Mode


@dataclass(frozen=True)
class Quote:
    """`usd`: US dollars, None where no price is known; `seconds` of waiting, None where nothing is known of it.

    `note` says where the figure comes from, or why there is none. `asks`: the run must be agreed to, since somebody
    else charges for it, also where no price is known; or since it takes long here (`slow`), and costs but time.
    """

    usd: float | None
    seconds: float | None
    note: str
    asks: bool = False
    slow: bool = False

    @property
    def words(self) -> str:
        """The same for a person, in a sentence or two."""
        if self.slow:
            return f"It costs nothing, but would take about {_time(self.seconds)} here. {self.note}"
        if not self.asks:
            return f"Costs nothing: {self.note}."
        cost = "Its price isn't known here" if self.usd is None else f"It will cost about ${self.usd:.2f}"
        wait = f", and takes about {_time(self.seconds)}" if self.seconds else ""
        return f"{cost} ({self.note}){wait}."


def quote(
    spec: ModelSpec, variant: Variant, request: Request, settings: Settings, store: JobStore, machine: Machine
) -> Quote:
    """For this request, on this way to run the model. Raises `InvalidRequest` for what it can't make."""
    if variant.mode != Mode.HOSTED:
        return _here(variant, request, machine)
    asked: Any = getattr(get_backend(variant.backend), "quote", None)
    if asked is None:
        return Quote(None, None, "unpriced before the run: it is charged by what comes", asks=True)
    cost: pricing.Cost = asked(variant, settings, request)
    return Quote(cost.usd, _usual(store, spec, variant, request), cost.note, asks=cost != pricing.OWN_SERVER)


def _here(variant: Variant, request: Request, machine: Machine) -> Quote:
    estimate: Any = getattr(get_backend(variant.backend), "estimate", None)
    slow: Slowness | None = estimate(variant, request, machine) if estimate else None
    if slow is None:
        return Quote(None, None, pricing.LOCAL.note)
    note = "This machine has no GPU for it, and less is not to be had of this model: choose a smaller one."
    if slow.seconds > 1.5 * slow.small:
        note = (
            "This machine has no GPU for it. With length, size and steps left open a small clip is made, in about "
            f"{_time(slow.small)}."
        )
    return Quote(None, slow.seconds, note, asks=True, slow=True)


def together(quotes: Sequence[Quote], *, in_turn: bool) -> Quote:
    """Several runs as one: what all cost, and how long they take `in_turn` or at the same time."""
    asking = [quote for quote in quotes if quote.asks]
    if not asking:
        return quotes[0]
    costs = [quote.usd for quote in asking if quote.usd is not None]
    times = [quote.seconds for quote in quotes if quote.seconds]
    runs = "1 run" if len(asking) == 1 else f"{len(asking)} runs"
    if len(costs) == len(asking) > 1:
        low, high = f"{min(costs):.2f}", f"{max(costs):.2f}"
        runs = f"{len(asking)} runs of ${low}" if low == high else f"{len(asking)} runs of ${low} to ${high}"
    note = f"{runs}; {asking[0].note}"
    usd = round(sum(costs), 4) if len(costs) == len(asking) else None
    return Quote(usd, (sum(times) if in_turn else max(times)) if times else None, note, asks=True)


def agree(quoted: Quote, agree_to_cost: bool = False, max_cost_usd: float | None = None) -> None:
    """Raise `InvalidRequest` unless the run costs nothing or was agreed to, by word or by a limit that holds it."""
    if not quoted.asks or agree_to_cost:
        return
    if max_cost_usd is None:
        raise InvalidRequest(f"{quoted.words} Agree to that with agree_to_cost=true, or set max_cost_usd.")
    if quoted.usd is None:
        raise InvalidRequest("No price is known for this run, so that max_cost_usd can't hold it: agree_to_cost=true.")
    if quoted.usd > max_cost_usd:
        raise InvalidRequest(f"{quoted.words} That is more than max_cost_usd. Raise it, or ask for less.")


def _usual(store: JobStore, spec: ModelSpec, variant: Variant, request: Request) -> float | None:
    """What earlier jobs took from sending to the end, those of the same length first."""
    done = [job for job in store.like(spec.id) if job.variant == variant.key]
    length = getattr(request, "duration", None)
    alike = [job for job in done if job.request.get("duration") == length] or done
    times = [job.receipt.get("extra", {}).get("job_seconds") for job in alike]
    known = [float(each) for each in times if isinstance(each, int | float)]
    return round(median(known)) if known else None


def _time(seconds: float | None) -> str:
    seconds = seconds or 0.0
    if seconds < 90:
        return f"{max(1.0, seconds):.0f} seconds"
    return f"{seconds / 60:.0f} minutes" if seconds < 5400 else f"{seconds / 3600:.0f} hours"
