"""Texts with something put in: finds which one a text was made from, and what was put in.

A translation is asked for by the English text, as it stands in the code: `The clip is larger than {0} MB.` What arrives
is `The clip is larger than 50 MB.`
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator
from dataclasses import dataclass

_PLACE = re.compile(r"\{(\d+)\}")
# A template of so few letters says little by itself, as "{0} of {1}": most that it matches was made from no template.
_SLIGHT = 9


@dataclass(frozen=True)
class Template:
    """`pattern` matches the texts made from `english`; each holds `longest`, which has `letters` of its own."""

    english: str
    pattern: re.Pattern[str]
    longest: str
    letters: int

    def values(self, text: str) -> tuple[str, ...] | None:
        """What was put into the text; None where it was made from something else."""
        if self.longest not in text:
            return None
        found = self.pattern.fullmatch(text)
        if found is None:
            return None
        return found.groups()

    @property
    def slight(self) -> bool:
        """Whether the template says so little that its values must be looked at, too."""
        return self.letters <= _SLIGHT


class Templates:
    """Those of a language, to be looked through from the most particular to the most general."""

    def __init__(self, texts: Iterable[str]) -> None:
        made = [_template(text) for text in texts if _PLACE.search(text)]
        self._all = sorted((each for each in made if each.longest.strip()), key=lambda each: -each.letters)

    def matches(self, text: str) -> Iterator[tuple[Template, tuple[str, ...]]]:
        """Each template that the text may be made from, with what was put in."""
        for each in self._all:
            values = each.values(text)
            if values is not None:
                yield each, values


def filled(template: str, values: tuple[str, ...]) -> str:
    """The template with the values in their places, each place by its number."""
    return _PLACE.sub(lambda place: values[int(place[1])], template)


def places(template: str) -> list[str]:
    """The numbers of the places, sorted."""
    return sorted(_PLACE.findall(template))


def _template(english: str) -> Template:
    pieces = _PLACE.split(english)[::2]
    pattern = "(.*?)".join(map(re.escape, pieces))
    letters = sum(sum(character.isalpha() for character in piece) for piece in pieces)
    return Template(english, re.compile(pattern, re.DOTALL), max(pieces, key=len), letters)
