"""Which language a visitor gets."""

from __future__ import annotations

from typing import Any

import pytest

from shared.languages import LANGUAGES, asked_language
from shared.languages.tongue import Tongue


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


SPANISH = Tongue(
    LANGUAGES["es"],
    {
        "Seed": "Semilla",
        "no GPU": "sin GPU",
        "Step {0} of {1}": "Paso {0} de {1}",
        "{0} of {1}": "{0} de {1}",
        ", picture {0} of {1}": ", imagen {0} de {1}",
        "It needs a GPU.": "Necesita una GPU.",
        "{0} can't run here:\n{1}": "{0} no puede ejecutarse aquí:\n{1}",
        "No model is called {0}, but {1}.": "{1} sí, {0} no.",
        "Not followed: {0}": "No se siguió: {0}",
    },
)


@pytest.mark.parametrize(
    ("english", "spanish"),
    [
        ("Seed", "Semilla"),
        (" Seed ", " Semilla "),
        ("Seed: no GPU.", "Semilla: sin GPU."),
        ("Seed · 1 of 3", "Semilla · 1 de 3"),
        ("Seed ✓", "Semilla ✓"),
        ("X (Seed)", "X (Semilla)"),
        ("Step 3 of 20", "Paso 3 de 20"),
        ("Step 3 of 20, picture 1 of 2", "Paso 3 de 20, imagen 1 de 2"),
        ("No model is called a b, but Seed.", "Semilla sí, a b no."),
        (
            "X can't run here:\n- It needs a GPU.\n- no GPU",
            "X no puede ejecutarse aquí:\n- Necesita una GPU.\n- sin GPU",
        ),
        ("a kind of magic, and a list of things", "a kind of magic, and a list of things"),  # no text of ours
        ("Not followed: Seed", "No se siguió: Semilla"),
    ],
)
def test_a_text_is_said_in_another_language_with_what_was_put_into_it(english: str, spanish: str) -> None:
    assert SPANISH.text(english) == spanish


def test_in_html_only_texts_and_what_is_read_out_are_said_anew_and_nothing_breaks_out() -> None:
    page = (
        '<p title="Seed" class="Seed">Seed</p><img alt="Seed">\n'
        "<b>Not followed: &lt;img src=x onerror=&quot;1&quot;&gt;</b>"
        '<pre>Seed</pre><div translate="no">Seed <div>Seed</div> Seed</div><script>"Seed"</script> no GPU'
    )
    assert SPANISH.html(page) == (
        '<p title="Semilla" class="Seed">Semilla</p><img alt="Semilla">\n'
        '<b>No se siguió: &lt;img src=x onerror="1"&gt;</b>'
        '<pre>Seed</pre><div translate="no">Seed <div>Seed</div> Seed</div><script>"Seed"</script> sin GPU'
    )


def test_of_markdown_the_tables_alone_are_ours() -> None:
    assert SPANISH.table("Seed\n| Seed | a \\| b |\n|---|---|") == "Seed\n| Semilla | a \\| b |\n|---|---|"
