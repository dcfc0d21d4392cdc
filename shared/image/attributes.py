"""One prompt over stated attributes, with the same seeds: what a model takes for granted where nobody said it."""

from __future__ import annotations

import re

from shared.errors import InvalidRequest
from shared.image.sweeping import Axis
from shared.typed_lists import parts

SLOT = "{attribute}"
MOST_SEEDS = 6
UNSAID = "(not said)"
NO_SEEDS = "This engine has no seeds: down a column, chance differs too. {reason}"
HOW_TO_READ = (
    "Every row has the same seeds, so down a column only the attribute differs. Look first at the row where nothing is "
    "said: whom does the model draw by itself, and which row is that like? Then ask what else changes with the "
    "attribute (clothes, place, age, mood) that nobody asked for. A few pictures are anecdotes, no measurement: what "
    "shows in one column only may be chance; what shows in every column is worth a larger count. Models learn it from "
    "the pictures and captions they were trained on (Bianchi et al. 2023, Luccioni et al. 2023). Words for people are "
    "coarse, and looks don't tell who somebody is."
)


def rows(template: str, attributes: str) -> Axis:
    """A prompt for each attribute, and one without: the first row. `attributes`: with commas between.

    Raises `InvalidRequest` for a template without its slot, and for no attributes.
    """
    if SLOT not in template:
        raise InvalidRequest(f"Write {SLOT} in the prompt where the attributes go: a photo of a {SLOT} doctor.")
    named = list(dict.fromkeys(parts(attributes)))
    if not named:
        raise InvalidRequest("Name at least one attribute, for example: young, old.")
    prompts = tuple(_filled(template, name) for name in ("", *named))
    return Axis("prompt", prompts, (UNSAID, *named))


def _filled(template: str, name: str) -> str:
    """The prompt with the attribute in its slot; an article before it is made to fit (a young, an old)."""
    marked = template.replace(SLOT, f"\0{name}")
    fitted = re.sub(r"\b([Aa])n? \0\s*(\w?)", _article, marked)
    return " ".join(fitted.replace("\0", "").split())


def _article(found: re.Match[str]) -> str:
    return f"{found[1]}{'n' if found[2] and found[2] in 'aeiouAEIOU' else ''} {found[2]}"


def columns(count: int, first: int | None) -> Axis:
    """That many seeds, one after the other; None for an engine without seeds. Raises `InvalidRequest` for too many."""
    if not 1 <= count <= MOST_SEEDS:
        raise InvalidRequest(f"Choose 1 to {MOST_SEEDS} seeds; {count} were asked for.")
    if first is None:
        return Axis("", (None,) * count, tuple(f"Picture {number + 1}" for number in range(count)))
    seeds = tuple((first + number) % 2**32 for number in range(count))
    return Axis("seed", seeds, tuple(f"Seed {seed}" for seed in seeds))
