"""What a hosted run cost, by the price list of the package `genai-prices` or by prices.toml. No network."""

from __future__ import annotations

import tomllib
from dataclasses import dataclass
from fnmatch import fnmatchcase
from functools import cache
from pathlib import Path
from typing import Any

from shared.backends.base import Usage


@dataclass(frozen=True)
class Cost:
    """US dollars, or None with a note that says why there is no figure."""

    usd: float | None
    note: str


LOCAL = Cost(None, "no provider's charge; electricity and hardware unpriced")
OWN_SERVER = Cost(None, "no provider's charge: a server of your own")
# parts of the tokens that have prices of their own, and what else is charged
_PARTS = (
    "input_image_tokens",
    "output_image_tokens",
    "output_audio_tokens",
    "output_video_tokens",
    "input_characters",
)
_UNPRICED = "unpriced: no price is known for this model"


def price(provider: str | None, model: str, usage: Usage) -> Cost:
    """The list price of the tokens used, or of the characters of a text that is spoken.

    `provider` is a genai-prices id; None leaves the run unpriced.

    A model that is served free in the price data (price 0) counts as unpriced: a figure of 0 is never shown.
    """
    counted = usage.input_tokens is not None and usage.output_tokens is not None
    if provider is None or not (counted or usage.input_characters):
        return Cost(None, _UNPRICED)
    from genai_prices import Usage as PricedUsage
    from genai_prices import calc_price

    tokens = PricedUsage(
        input_tokens=usage.input_tokens or 0,
        output_tokens=usage.output_tokens or 0,
        cache_read_tokens=usage.cached_tokens or 0,
        **{name: count for name in _PARTS if (count := getattr(usage, name))},
    )
    try:
        result = calc_price(tokens, model_ref=model, provider_id=provider)
    except LookupError:
        return Cost(None, _UNPRICED)
    total = float(result.total_price)
    return Cost(total, "list price by genai-prices") if total else Cost(None, _UNPRICED)


def estimate(provider: str | None, model: str, input_tokens: int, output_tokens: int) -> Cost:
    """The most that a run may cost: this input and an answer of `output_tokens`, nothing read from a cache."""
    cost = price(provider, model, Usage(input_tokens=input_tokens, output_tokens=output_tokens))
    return cost if cost.usd is None else Cost(cost.usd, f"at most, by {cost.note.removeprefix('list price by ')}")


def by_the_second(provider: str, model: str, seconds: float | None, size: str = "") -> Cost:
    """The list price of that many seconds of what the model makes. `size`: the provider's name for it ("720p").

    `provider`: an id of prices.toml. Unpriced where no price is known, or how long it will be.
    """
    for row in _rows():
        if row["provider"] != provider or not any(fnmatchcase(model, pattern) for pattern in row["match"]):
            continue
        each = row["usd"].get(size, row["usd"].get("any"))
        if each is not None and seconds:
            note = f"list price of {each:g} dollars a second, as seen on {row['seen']} at {row['source']}"
            return Cost(round(each * seconds, 4), note)
        break
    return Cost(None, _UNPRICED)


def by_the_run(provider: str, model: str) -> Cost:
    """The list price of one run of the model. Unpriced where none is known. `provider`: an id of prices.toml."""
    for row in _rows("run"):
        if row["provider"] == provider and any(fnmatchcase(model, pattern) for pattern in row["match"]):
            return Cost(row["usd"], f"list price of a run, as seen on {row['seen']} at {row['source']}")
    return Cost(None, _UNPRICED)


@cache
def _rows(unit: str = "second") -> list[dict[str, Any]]:
    text = Path(__file__).with_name("prices.toml").read_text(encoding="utf-8")
    rows: list[dict[str, Any]] = tomllib.loads(text)[unit]
    return rows
