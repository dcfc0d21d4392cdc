"""No text that people read is left without its translations: in the sources, and on the built pages of every Space."""

from __future__ import annotations

import asyncio
import re
import runpy
import tomllib
from collections.abc import Callable, Iterator, Mapping
from functools import cache
from typing import Any

import pytest

from shared.backends import BACKENDS
from shared.catalog import load_catalog
from shared.languages import ENGLISH, LANGUAGES
from shared.languages.templates import places
from shared.languages.tongue import Tongue
from shared.ui.hub import ABOUT, Found, landing
from shared.ui.languages.page_texts import PageTexts, translated
from shared.ui.languages.props import MARKED
from tests.support.server import ROOT
from tools.texts import __main__ as command
from tools.texts import html, python_files, rules
from tools.texts.collecting import all_texts, lesson_texts

OTHERS = [code for code in LANGUAGES if code != ENGLISH]
TEXTS = {"{}.toml": all_texts, "lessons/{}.toml": lesson_texts}
SEEN = "\u2e22"  # no text of ours holds it


@cache
def texts() -> Mapping[str, Mapping[str, str]]:
    return {file: found(ROOT) for file, found in TEXTS.items()}


def read(code: str) -> dict[str, str]:
    return {
        english: said for file in TEXTS for english, said in command.read(command.FOLDER / file.format(code)).items()
    }


# What finds them finds them.


def found_in(source: str) -> list[str]:
    return [each.text for each in python_files.texts(source, rules.read())]


@pytest.mark.parametrize(
    ("source", "text"),
    [
        ('gr.Button("Go")', "Go"),
        ('gr.Slider(0, 1, label="How far it goes")', "How far it goes"),
        ('raise InvalidRequest(f"At most {MOST} clips go; there are {len(clips)}. Take some away.")',
         "At most {0} clips go; there are {1}. Take some away."),
        ('x = "Loading " + name + ", which takes long"', "Loading {0}, which takes long"),
        ('x = "Baked onto {triangles:,} triangles"', "Baked onto {0} triangles"),
        ('x = f"<p title=\'A picture\'>{escape(n)} of {m} are done</p>"', "{0} of {1} are done"),
        ('x = f"<p title=\'A picture\'>{escape(n)} of {m} are done</p>"', "A picture"),
        ('NAMES = {"a": "Painted"}', "Painted"),
    ],
)  # fmt: skip
def test_a_text_is_found_wherever_it_stands_in_a_source(source: str, text: str) -> None:
    assert text in found_in(source)


@pytest.mark.parametrize(
    "source",
    [
        'def f():\n    """Does what it says."""',
        'logger.info("Loading the model %s", name)',
        'sql("SELECT name FROM people WHERE id = :id")',
        'x: "a kind of type" = 1',
        'gr.Button(elem_id="draw-run")',
        'if words == "out of memory": pass',
        'EXAMPLES = ["a red apple", "a blue cat"]',
    ],
)
def test_what_nobody_reads_on_a_page_is_no_text(source: str) -> None:
    assert found_in(source) == []


# In the sources.


@pytest.mark.parametrize("code", OTHERS)
def test_every_text_is_translated(code: str) -> None:
    lacking = command.lacking(code, texts())
    assert not lacking, f"python -m tools.texts lacking {code}: {list(lacking.items())[:20]}"


@pytest.mark.parametrize("code", OTHERS)
def test_no_translation_is_left_of_a_text_that_is_gone(code: str) -> None:
    known = {text for those in texts().values() for text in those}
    assert sorted(set(read(code)) - known) == []


@pytest.mark.parametrize("code", OTHERS)
def test_a_translation_has_the_places_and_the_form_of_its_text(code: str) -> None:
    for english, said in read(code).items():
        assert places(said) == places(english), english
        assert said.strip(" \n") == said, english
        assert re.findall(r"</?[a-z]+", said) == re.findall(r"</?[a-z]+", english), english
        assert "__i18n__" not in said, english


def test_no_two_languages_have_the_same_texts() -> None:
    for code in OTHERS:
        said = read(code)
        assert sum(english == other for english, other in said.items()) < len(said) / 10, code


# On the pages. A language is made up in which every text is marked: what comes unmarked was found by nobody.


@pytest.fixture(scope="module", name="marked")
def a_marked_language() -> Tongue:
    return Tongue(LANGUAGES["es"], {text: SEEN + text for those in texts().values() for text in those})


def names() -> Iterator[str]:
    """What is called the same in every language: models, licences, engines, and what is within their names."""
    yield from (each.name for each in LANGUAGES.values())
    for spec in load_catalog():
        yield from (spec.name, spec.license, spec.id, str(spec.task))
        for each in spec.variants:
            yield from (each.backend, BACKENDS[each.backend].label, str(each.options.get("provider", "")))
    file = tomllib.loads((ROOT / "tools" / "texts" / "names.toml").read_text(encoding="utf-8"))
    yield from file["names"]


def shown(component: Mapping[str, Any]) -> Iterator[str]:
    """What a person reads of a component, where it is our words."""
    kind, props = component["type"], component["props"]
    told = [props.get(name) for name in (*MARKED, "submit_btn", "stop_btn", "x_title", "y_title")]
    told += [each[0] if isinstance(each, (list, tuple)) else each for each in props.get("choices") or ()]
    told += list(props.get("headers") or ())
    if kind in {"button", "downloadbutton", "uploadbutton", "markdown"}:
        told.append(props.get("value"))
    if kind == "html":
        told += [text for name in ("value", "html_template") for text in html.texts(str(props.get(name) or ""))]
    yield from (each for each in told if isinstance(each, str) and each)


def described(make: Callable[[], Any]) -> Any:
    async def made() -> Any:  # the page's queue takes the running event loop, and would leave one that it made
        return make().get_config_file()

    return asyncio.run(made())


def untranslated(config: Any, marked: Tongue) -> set[str]:
    known = sorted(filter(None, set(names())), key=len, reverse=True)
    named = re.compile("|".join(rf"(?<!\w){re.escape(each)}(?!\w)" for each in known))
    left = set()
    for component in translated(config, marked, PageTexts())["components"]:
        if component["type"] in {"api", "state", "browserstate"}:
            continue
        for text in shown(component):
            own = SEEN in text or "__i18n__" in text or text.startswith("${")
            if not own and rules.read().counts(named.sub("", text)):
                left.add(text)
    return left


@pytest.mark.parametrize("space", sorted(each.parent.name for each in ROOT.glob("spaces/*/app.py")))
def test_nothing_of_a_built_page_is_left_in_english(space: str, marked: Tongue) -> None:
    config = described(lambda: runpy.run_path(str(ROOT / "spaces" / space / "app.py"))["demo"])
    assert untranslated(config, marked) == set()


def test_nothing_of_the_landing_page_is_left_in_english(marked: Tongue) -> None:
    spaces = [Found(name, None, "its app.py defines no `demo`") for name in ABOUT]
    assert untranslated(described(lambda: landing(spaces)), marked) == set()
    assert ABOUT  # and its cards, which stand there for those that start
    assert all(marked.known(text) for told in ABOUT.values() for text in told)


def test_an_untranslated_text_of_a_page_is_found(marked: Tongue) -> None:
    button = {"type": "button", "props": {"value": "Frobnicate it"}}
    assert untranslated({"components": [button]}, marked) == {"Frobnicate it"}
