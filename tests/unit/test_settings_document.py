"""docs/settings.md names every variable that the code reads, with its true default, and no other."""

from __future__ import annotations

import ast
import re
from collections.abc import Iterator
from pathlib import Path

import pytest

from shared.backends.endpoints import ENDPOINTS, PROVIDERS
from shared.backends.hosted import clips, speaking
from shared.backends.hosted.drawing import SERVERS
from shared.backends.local.hub import ENDPOINT as HUB
from shared.settings import _ALIASES, KEY_VARIABLES, from_environment
from tests.support.server import ROOT

READERS = ("shared", "tools", "spaces")
OWN = re.compile(r"PLAYGROUND_[A-Z0-9_]*[A-Z0-9]")
ENVIRONMENT = r"(?:os\.)?env(?:iron)?"
# Read by the packages themselves, and worth a word.
OF_OTHERS = {"HF_HOME"}


def cells() -> Iterator[list[str]]:
    """The rows of all tables."""
    for line in (ROOT / "docs" / "settings.md").read_text("utf-8").splitlines():
        if line.startswith("| `"):
            yield [cell.strip() for cell in line.strip("|").split("|")]


def names(cell: str) -> set[str]:
    return set(re.findall(r"`([A-Z][A-Z0-9_]+|no_proxy)`", cell))


ROWS = list(cells())
TOLD = {name for row in ROWS for cell in row[:2] for name in names(cell)}
DEFAULTS = [(name, row[1].strip("`")) for row in ROWS if len(row) == 3 for name in names(row[0]) - set(KEY_VARIABLES)]
OF_ONE_KIND = (*SERVERS.values(), *speaking.PROVIDERS.values(), *clips.PROVIDERS.values())
PROVIDED = (*ENDPOINTS.values(), *PROVIDERS.values(), *OF_ONE_KIND)
ADDRESSES = {f"{name.upper()}_BASE_URL": each.base_url for each in PROVIDED if each.base_url for name in each.url_names}
ALIASES = {alias for aliases in _ALIASES.values() for alias in aliases}


def read_in(file: Path) -> Iterator[str]:
    """The variables that a module names: the project's own anywhere, others where the environment is asked for them."""
    for node in ast.walk(ast.parse(file.read_text("utf-8"))):
        asked = [node] if isinstance(node, ast.Constant) and OWN.fullmatch(str(node.value)) else []
        if isinstance(node, ast.Call):
            in_environment = re.fullmatch(rf"{ENVIRONMENT}\.(get|setdefault)", ast.unparse(node.func))
            handed_on = node.args and re.fullmatch(ENVIRONMENT, ast.unparse(node.args[0]))
            asked = node.args[:1] if in_environment else node.args[1:2] if handed_on else []
        elif isinstance(node, ast.Compare) and re.fullmatch(ENVIRONMENT, ast.unparse(node.comparators[0])):
            asked = [node.left]
        yield from (each.value for each in asked if isinstance(each, ast.Constant) and isinstance(each.value, str))


def read() -> set[str]:
    files = [file for part in READERS for file in (ROOT / part).rglob("*.py")]
    return {name for file in files for name in read_in(file)}


def test_every_variable_that_is_read_is_told_and_no_other() -> None:
    known = {*KEY_VARIABLES, *ALIASES, *ADDRESSES, f"{HUB.upper()}_BASE_URL", "NO_PROXY", "no_proxy", *OF_OTHERS}
    assert read() | known == TOLD


@pytest.mark.parametrize(("name", "default"), DEFAULTS)
def test_a_default_is_what_happens_without_the_variable(name: str, default: str) -> None:
    assert from_environment({name: default}) == from_environment({})


def test_an_address_is_told_as_it_is() -> None:
    told = {name: row[1].strip("`") for row in ROWS for name in names(row[0]) if name.endswith("_BASE_URL")}
    assert told | ADDRESSES == told


def test_the_readme_leads_there() -> None:
    assert "(docs/settings.md)" in (ROOT / "README.md").read_text("utf-8")
