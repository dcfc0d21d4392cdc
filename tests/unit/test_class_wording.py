"""Blocked words and names, however somebody writes them."""

from __future__ import annotations

import pytest

from shared.classroom import names
from shared.classroom.wording import blocked


@pytest.mark.parametrize(
    "said",
    ["BAD", "b\u200bad", "ｂａｄ", "bád", "bаd", "_bad_", "bad2", "b4d", "b@d", "b.a.d", "b a d", "𝓫𝓪𝓭", "🅱🅰🅳", "🇧🇦🇩",
     "b\u0336a\u0336d", "ba\u00add", "ᵇᵃᵈ", "b\u3164ad"],
)  # fmt: skip
def test_a_blocked_word_is_found_in_whatever_letters_it_is_written(said: str) -> None:
    assert blocked(["bad"], [f"this is {said}!"]) == "bad"


@pytest.mark.parametrize("said", ["badge", "abad", "forbade", "the b and a day", "ba dum"])
def test_a_word_within_another_is_none(said: str) -> None:
    assert blocked(["bad"], [said]) is None


def test_words_of_other_scripts_are_found_as_these_set_them() -> None:
    assert blocked(["死"], ["他死了"]) == "死"  # no spaces stand between words there
    assert blocked(["кот"], ["это кот."]) == "кот" and blocked(["кот"], ["который"]) is None
    assert blocked(["नमस्ते"], ["अरे नमस्ते जी"]) == "नमस्ते"
    assert blocked(["Straße"], ["in der STRASSE 3"]) == "Straße"
    assert blocked(["ice cream", "c++"], ["an ice-cream"]) == "ice cream" and blocked(["c++"], ["use C++ now"]) == "c++"
    assert blocked(["", " ", "\u200b"], ["x", ""]) is None


def test_no_name_reads_like_anothers_or_the_teachers_or_like_nothing() -> None:
    assert names.free("аda", ["Ada"]) == "аda 2" and names.free("ADA", ["Ada"]) == "ADA 2"
    assert names.free("teacher", []) == "teacher 2" and names.free("Bob", ["Ada"]) == "Bob"
    for nothing in ("\u3164", "\u2800\u2800", "...", "\u0301", "\u200b"):
        assert names.cleaned(nothing) == "", ascii(nothing)
    assert len(names.cleaned("A" + "\u0335" * 20 + "da")) <= 6 and names.cleaned("नमस्ते") == "नमस्ते"
    assert names.cleaned("bаd boy", ["bad"]) == ""
