"""What a teacher can forbid: who may run, which models, which settings, which words."""

from __future__ import annotations

import re
from collections.abc import Iterable

from shared.classroom.room import Facts, Person
from shared.errors import InvalidRequest, LimitReached
from shared.requests import Request


class NotInClass(InvalidRequest):
    """Whoever asks has not joined."""

    def __init__(self) -> None:
        super().__init__("This is a class, and you haven't joined it in this browser. Open /join and type its code.")


def check(facts: Facts, person: Person | None, model: str, request: Request) -> Person:
    """Who may run this. Raises `InferenceError` where they may not, saying what the teacher set."""
    if person is None:
        raise NotInClass
    if person.muted:
        raise LimitReached("Your teacher has muted you: nothing of yours runs until they take that back.")
    if facts.frozen:
        raise LimitReached("The teacher has frozen the screens: look up. What you typed stays.")
    if facts.models and model not in facts.models:
        raise InvalidRequest(f"In this class only {_listed(facts.models)} may be used just now. Choose one of them.")
    for name, value in facts.parameters.items():
        asked = getattr(request, name, None)
        if hasattr(request, name) and asked is not None and asked != value:
            raise InvalidRequest(f"The teacher has set {name} to {value} for everybody. Set it to that, or leave it.")
    if word := blocked(facts.blocked, request.texts()):
        raise InvalidRequest(f'The teacher has blocked the word "{word}". Say it in another way.')
    return person


def blocked(words: Iterable[str], texts: Iterable[str]) -> str | None:
    """The first of the words that stands in one of the texts as a word of its own, in whatever case."""
    said = [text.casefold() for text in texts if text]
    for word in filter(None, (word.strip() for word in words)):
        pattern = re.compile(rf"(?<!\w){re.escape(word.casefold())}(?!\w)")
        if any(pattern.search(text) for text in said):
            return word
    return None


def _listed(names: Iterable[str]) -> str:
    *most, last = sorted(names)
    return f"{', '.join(most)} and {last}" if most else last
