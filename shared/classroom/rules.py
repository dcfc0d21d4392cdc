"""What a teacher can forbid: who may run, which models, which settings, which words."""

from __future__ import annotations

from dataclasses import fields, replace

from shared.classroom.room import Facts, Person
from shared.classroom.wording import blocked
from shared.errors import InvalidRequest, LimitReached
from shared.requests import Request

MUTED = "Your teacher has muted you: nothing of yours runs until they take that back."


class NotInClass(InvalidRequest):
    """Whoever asks has not joined."""

    def __init__(self) -> None:
        super().__init__("This is a class, and you haven't joined it in this browser. Open /join and type its code.")


def admitted(facts: Facts, person: Person | None) -> Person:
    """Who may have anything done now. Raises `InferenceError` where they may not."""
    if person is None:
        raise NotInClass
    if person.muted:
        raise LimitReached(MUTED)
    if facts.frozen:
        raise LimitReached("The teacher has frozen the screens: look up. What you typed stays.")
    return person


def check(facts: Facts, person: Person | None, model: str, request: Request, *, here: bool = False) -> Person:
    """Who may run this. Raises `InferenceError` where they may not, saying what the teacher set.

    `here`: the model would run on this machine, and be fetched for that where it is one of the Hub's.
    """
    person = admitted(facts, person)
    if facts.models and model not in facts.models:
        known = ", ".join(sorted(facts.models))
        raise InvalidRequest(f"In this class only these models may be used just now: {known}. Choose one of them.")
    if here and "/" in model and model not in facts.models:
        raise InvalidRequest(
            "In a class only listed models are fetched to the machine that all share. Choose one of them, or ask your "
            "teacher to allow this one."
        )
    for name, value in facts.parameters.items():
        asked = getattr(request, name, None)
        other = asked is not None and asked != value
        if name in _names(request) and (other or name in request.overruled):
            raise InvalidRequest(f"The teacher has set {name} to {value} for everybody. Set it to that, or leave it.")
    if word := blocked(facts.blocked, request.texts()):
        raise InvalidRequest(f'The teacher has blocked the word "{word}". Say it in another way.')
    return person


def settled(facts: Facts, request: Request) -> Request:
    """The request with what the teacher set where it leaves that open: a model's own value would be another.

    Raises `InvalidRequest` where no model could follow that.
    """
    left = {n: v for n, v in facts.parameters.items() if n in _names(request) and getattr(request, n) is None}
    if not left:
        return request
    try:
        request = replace(request, **left)
        request.validate()
    except (TypeError, ValueError):
        told = ", ".join(f"{name}={value}" for name, value in left.items())
        raise InvalidRequest(f"The teacher has set {told}, which can't be used here. Tell them.") from None
    return request


def _names(request: Request) -> set[str]:
    return {field.name for field in fields(request)} - request.CONTENT
