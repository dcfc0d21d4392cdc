"""No text that people read is left without its translations: in the sources, and on the built pages of every Space."""

from __future__ import annotations

import asyncio
import re
import runpy
import tomllib
from collections.abc import Callable, Iterator, Mapping
from functools import cache
from pathlib import Path
from typing import Any

import pytest

from shared.backends import BACKENDS
from shared.catalog import load_catalog
from shared.classroom.queueing import lanes
from shared.languages import ENGLISH, LANGUAGES
from shared.languages.templates import places
from shared.languages.tongue import Tongue
from shared.ui.classroom.places import Place, places_of, said_of_place
from shared.ui.classroom.telling import said_of_class
from shared.ui.hub import ABOUT, Found, landing
from shared.ui.languages.page_texts import PageTexts, translated
from shared.ui.languages.props import MARKED
from tests.support.server import ROOT
from tools.texts import __main__ as command
from tools.texts import html, put_in, python_files, rules
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


@pytest.mark.parametrize(
    ("source", "words"),
    [
        ("x = f\"{n} {'words' if n else 'signs'} are heard\"", ["words", "signs"]),
        ('def f(n):\n    what = "a word" if n else "words"\n    return f"It heard {what} of {n}"', ["a word", "words"]),
        ("x = f\"Give one of {' or '.join(names)} there\"", ["or"]),
        ('SIDES = {"l": "left"}\ndef f(n):\n    return f"It lacks the {SIDES[n]} side"', ["left"]),
        ('def f(n):\n    name = "a.json"\n    return f"There is no {name} in {n}"', []),  # no choice
    ],
)
def test_a_word_that_is_put_into_a_text_is_a_text_itself(source: str, words: list[str]) -> None:
    assert [each.text for each in put_in.words(source, rules.read())] == words


def test_a_text_of_halves_is_found() -> None:
    source = "x = f\"There are {n} clip{'' if n == 1 else 's'} here\""
    assert [each.text for each in put_in.halves(source, rules.read())] == ["There are … clips here"]


# In the sources.


def test_no_text_is_put_together_from_halves_of_words() -> None:
    """Another language has no `s` for several, nor `is` and `are`: each is a text of its own."""
    found = []
    for file in sorted([*ROOT.glob("shared/**/*.py"), *ROOT.glob("spaces/**/*.py")]):
        name = file.relative_to(ROOT).as_posix()
        if not rules.read().skips_file(name):
            halves = put_in.halves(file.read_text(encoding="utf-8"), rules.read())
            found += [f"{name}:{each.line}: {each.text}" for each in halves]
    assert found == []


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
    made = []

    def demo() -> Any:
        made.append(runpy.run_path(str(ROOT / "spaces" / space / "app.py"))["demo"])
        return made[0]

    assert untranslated(described(demo), marked) == set()
    (place,) = places_of({"/": made[0]})  # what a class's desk calls it, and its lessons
    told = place.told(marked)
    assert SEEN in told["name"] and told["lessons"]
    assert [each for each in told["lessons"] if SEEN not in each["title"]] == []


def test_nothing_of_the_landing_page_is_left_in_english(marked: Tongue) -> None:
    spaces = [Found(name, None, "its app.py defines no `demo`") for name in ABOUT]
    assert untranslated(described(lambda: landing(spaces)), marked) == set()
    assert ABOUT  # and its cards, which stand there for those that start
    assert all(marked.known(text) for told in ABOUT.values() for text in told)


def test_an_untranslated_text_of_a_page_is_found(marked: Tongue) -> None:
    button = {"type": "button", "props": {"value": "Frobnicate it"}}
    assert untranslated({"components": [button]}, marked) == {"Frobnicate it"}


# On the class's own pages, and in all scripts.

PAGES = sorted(ROOT.glob("shared/ui/classroom/pages/*.html"))
SCRIPTS = sorted([*ROOT.glob("shared/**/*.js"), *PAGES])
LITERAL = re.compile(r'"((?:[^"\\\n]|\\.)*)"|\'((?:[^\'\\\n]|\\.)*)\'|`((?:[^`\\]|\\.)*)`')
SAID = re.compile(r"""\bsaid\(\s*(["'])(?:(?!\1|\\).)+\1""")
COMMENT = re.compile(r"(?:^|\s)//.*|/\*.*?\*/", re.DOTALL | re.MULTILINE)
PROSE = re.compile(r"[^\W\d_]{2,}[,:;.!?]? [^\W\d_]{2}|^[A-Z][a-z]+[.:!?…]?$")
# Programs for a graphics card, a font, what finds a part of the page, a key of the keyboard.
NO_WORDS = re.compile(r"^\n(?:attribute|#extension) |px sans-serif$|^div\[|^Escape$")


def unsaid(script: str) -> list[str]:
    """The literals of a script that read like words and stand in no `said`."""
    left = SAID.sub("said(", COMMENT.sub(" ", script))
    literals = [re.sub(r"\$\{[^}]*\}", "", "".join(filter(None, found.groups()))) for found in LITERAL.finditer(left)]
    return [each for each in literals if PROSE.search(each) and not NO_WORDS.search(each)]


@pytest.mark.parametrize("page", PAGES, ids=lambda page: page.name)
def test_nothing_of_a_class_page_is_left_in_english(page: Path, marked: Tongue) -> None:
    shown = html.texts(marked.html(page.read_text(encoding="utf-8")))
    assert shown and [text for text in shown if SEEN not in text and rules.read().counts(text)] == []


@pytest.mark.parametrize("file", SCRIPTS, ids=lambda file: file.name)
def test_a_script_says_all_its_words(file: Path) -> None:
    source = file.read_text(encoding="utf-8")
    inner = re.findall(r"<script[^>]*>(.*?)</script>", source, re.DOTALL) if file in PAGES else [source]
    assert unsaid("\n".join(inner)) == []


@pytest.mark.parametrize(
    "script", ['make("p", {}, "Nobody is here")', "node.textContent = `Waiting for ${name}`", "alert('Gone')"]
)
def test_a_word_that_no_script_says_is_found(script: str) -> None:
    assert len(unsaid(script)) == 1 and unsaid(f"x(said('Nobody is here')) // {script}") == []


def test_what_the_server_tells_a_class_is_in_the_language_of_who_asks_and_names_stay(marked: Tongue) -> None:
    pushed = {"id": "1", "text": "Chat", "space": "/", "name": "Chat", "link": "/#lesson=x", "lesson": "Zero-shot"}
    assert said_of_place(pushed, marked) == {**pushed, "name": f"{SEEN}Chat", "lesson": f"{SEEN}Zero-shot"}
    assert Place("/", "Chat").told(marked)["name"] == f"{SEEN}Chat"
    queues = [{"lane": lane, "running": [{"name": "Chat", "teacher": False}], "waiting": []} for lane in lanes()]
    told = said_of_class({"facts": {"pushed": pushed}, "queues": queues}, marked)
    assert told["facts"]["pushed"]["lesson"] == f"{SEEN}Zero-shot"
    assert all(SEEN in queue["lane"] for queue in told["queues"])
    assert {each["name"] for queue in told["queues"] for each in queue["running"]} == {"Chat"}
