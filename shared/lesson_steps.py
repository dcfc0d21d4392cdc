"""A lesson as a path of steps, and one person's answers to them.

Answers are `{lesson's key: {step's name: answer}}`, plain so that a browser can keep them. What a browser gives back
may be anything: it is read for what it holds, and the rest left out.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from shared.lessons import Ask, Lesson, Part

ALONE, LAST = "Try it", "In the end"
LONGEST = 4000  # characters of an answer that are kept
Answers = dict[str, dict[str, str]]


@dataclass(frozen=True, kw_only=True)
class Step:
    """`parts` are put on the screen when the step is reached; a step without any only asks."""

    name: str
    parts: tuple[Part, ...]
    ask: Ask


def steps_of(lesson: Lesson, see: str, *, together: bool = False) -> tuple[Step, ...]:
    """The lesson's runs, then its further questions, then its own.

    `see` is asked where a run has no question of its own. `together`: parts that aren't `apart` are one step, as the
    turns of a chat. A single run with no question of its own is asked the lesson's.
    """
    groups = [lesson.parts] if together and not lesson.apart else [(part,) for part in lesson.parts]
    asked = [next((part.ask for part in group if part.ask), None) for group in groups]
    names = [group[0].name if len(group) == 1 and group[0].name else ALONE for group in groups]
    if len(groups) == 1 and asked[0] is None and not lesson.then:
        return (Step(name=names[0], parts=groups[0], ask=lesson.last),)
    steps = [
        Step(name=name, parts=group, ask=ask or Ask(question=see))
        for name, group, ask in zip(names, groups, asked, strict=True)
    ]
    further = [Step(name=f"Question {n}", parts=(), ask=ask) for n, ask in enumerate(lesson.then, 1)]
    return (*steps, *further, Step(name=LAST, parts=(), ask=lesson.last))


def read_answers(stored: Any) -> Answers:
    """What can be read of what a browser kept."""
    found: Answers = {}
    for key, given in stored.items() if isinstance(stored, Mapping) else ():
        if isinstance(given, Mapping):
            texts = {str(name): text[:LONGEST] for name, text in given.items() if isinstance(text, str) and text}
            found |= {str(key): texts} if texts else {}
    return found


def answered(answers: Answers, lesson: Lesson, step: Step, text: str | None) -> Answers:
    """The answers with this one among them, or without it where nothing was said."""
    given = {name: old for name, old in answers.get(lesson.key, {}).items() if name != step.name}
    if text and text.strip():
        given[step.name] = text.strip()[:LONGEST]
    return {**answers, lesson.key: given}


def done(answers: Answers, lesson: Lesson, steps: Sequence[Step]) -> list[bool]:
    """Which of the steps are answered."""
    given = answers.get(lesson.key, {})
    return [step.name in given for step in steps]


def as_markdown(title: str, paths: Sequence[tuple[Lesson, Sequence[Step]]], answers: Answers) -> str:
    """Every lesson that was begun, with its questions, what was answered, and what is right where that is known."""
    lines = [f"# {title}", ""]
    for lesson, steps in paths:
        count = sum(done(answers, lesson, steps))
        if count:
            lines += [f"## {lesson.title}", "", f"{count} of {len(steps)} steps answered.", ""]
            lines += [line for step in steps for line in _told(step, answers[lesson.key].get(step.name))]
    return "\n".join(lines)


def _told(step: Step, answer: str | None) -> list[str]:
    said = "\n".join(f"> {line}" for line in (answer or "Not answered yet.").splitlines())
    lines = [f"### {step.name}", "", step.ask.question, "", said, ""]
    return [*lines, verdict(step.ask, answer), ""] if answer and (step.ask.answer or step.ask.because) else lines


def verdict(ask: Ask, answer: str | None) -> str:
    """What is told once the question is answered; nothing before, or where there is nothing to tell."""
    if not answer:
        return ""
    judged = ""
    if ask.answer is not None:
        judged = "Right." if answer == ask.answer else f"Not quite: {ask.answer}"
        judged += "" if judged.endswith((".", "!", "?")) else "."
    return f"{judged} {ask.because}".strip()
