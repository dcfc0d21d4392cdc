"""A figure is shown only where somebody gave a price: a run that costs nothing by the list is unpriced."""

from __future__ import annotations

import pytest

from shared.backends.base import Usage
from shared.pricing import LOCAL, estimate, price


@pytest.mark.parametrize("model", ["google/gemma-3-27b-it:free", "deepseek/deepseek-r1:free"])
def test_a_price_of_nothing_is_no_price(model: str) -> None:
    cost = price("openrouter", model, Usage(input_tokens=1000, output_tokens=1000))
    assert cost.usd is None and cost.note.startswith("unpriced")


def test_more_tokens_cost_more_and_the_source_is_named() -> None:
    one, two = (price("openai", "gpt-6-luna", Usage(input_tokens=n, output_tokens=n)) for n in (1000, 2000))
    assert one.usd and two.usd == pytest.approx(2 * one.usd)
    assert "genai-prices" in one.note


def test_a_provider_that_is_not_in_the_list_is_unpriced() -> None:
    assert price("no-such-provider", "m", Usage(input_tokens=1, output_tokens=1)).usd is None
    assert estimate("no-such-provider", "m", 1, 1).usd is None


def test_a_run_here_has_no_figure_and_says_what_that_means() -> None:
    assert LOCAL.usd is None and "electricity" in LOCAL.note
