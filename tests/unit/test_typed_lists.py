"""A list is read as people of each language type it."""

from __future__ import annotations

import pytest

from shared import typed_lists
from shared.image import sweeping


@pytest.mark.parametrize("text", ["5, 10, 20", "5，10，20", "5、10、20", "5، 10، 20", "5; 10; 20", "5؛ 10；20,"])
def test_parts_stand_between_the_commas_and_semicolons_of_any_language(text: str) -> None:
    assert typed_lists.parts(text) == ["5", "10", "20"]
    assert sweeping.axis("num_inference_steps", text).values == (5, 10, 20)


@pytest.mark.parametrize(
    ("text", "values"),
    [
        ("1, 3.5, 6", (1, 3.5, 6)),
        ("1،3.5،6", (1, 3.5, 6)),
        ("1; 3,5; 6", (1, 3.5, 6)),  # a comma within a number
        ("١؛ ٣٫٥؛ ٦", (1, 3.5, 6)),
    ],
)
def test_a_number_may_have_a_comma_of_its_own_between_semicolons(text: str, values: tuple[float, ...]) -> None:
    assert sweeping.axis("guidance_scale", text).values == values


def test_a_prompt_keeps_its_commas() -> None:
    assert sweeping.axis("prompt", "a red apple, big； a pear").values == ("a red apple, big", "a pear")
