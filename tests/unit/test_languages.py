"""Which language a visitor gets."""

from __future__ import annotations

from typing import Any

import pytest

from shared.languages import LANGUAGES, asked_language


def scope(cookie: str = "", accept: str = "") -> dict[str, Any]:
    headers = [(b"host", b"localhost")]
    headers += [(b"cookie", cookie.encode())] if cookie else []
    headers += [(b"accept-language", accept.encode())] if accept else []
    return {"type": "http", "headers": headers}


@pytest.mark.parametrize(
    ("cookie", "accept", "code"),
    [
        ("", "", "en"),
        ("", "es", "es"),
        ("", "pt-BR,pt;q=0.9,en;q=0.8", "pt"),
        ("", "en-US,en;q=0.9,fr;q=0.8", "en"),
        ("", "nl,fr;q=0.4,de;q=0.7", "de"),
        ("", "nl, sv;q=0.5", "en"),
        ("", "zh-Hans-CN, en;q=0.1", "zh"),
        ("", "es;q=0, ja;q=0.1", "ja"),
        ("", "es;q=1.1.1, *;q=0.5, ;;, hi;q=0.2", "hi"),
        ("theme=dark; language=ar", "es", "ar"),
        ("language=en", "es", "en"),
        ("language=xx", "es", "es"),
        ("my-language=ar", "", "en"),
    ],
)
def test_the_language_is_what_the_visitor_chose_else_what_their_browser_wishes(
    cookie: str, accept: str, code: str
) -> None:
    assert asked_language(scope(cookie, accept)) == code


def test_ten_languages_are_listed_and_one_is_written_from_right_to_left() -> None:
    assert set(LANGUAGES) == {"en", "es", "fr", "de", "pt", "zh", "ja", "hi", "ar", "id"}
    assert [each.code for each in LANGUAGES.values() if each.direction == "rtl"] == ["ar"]
