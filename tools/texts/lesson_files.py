"""The texts in a lesson: all that a person reads of it. What is said to the model stays as it is."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

from shared.lessons import Ask, read_lessons


def texts(folder: Path) -> Iterator[tuple[str, str]]:
    """Every text of a Space's lessons, with the file's name without its ending."""
    for lesson in read_lessons(folder):
        for text in (lesson.title, lesson.about):
            yield text.strip(), lesson.key
        for part in lesson.parts:
            yield part.name, lesson.key
            if part.ask is not None:
                yield from ((text, lesson.key) for text in _of(part.ask))
        for ask in (*lesson.then, lesson.last):
            yield from ((text, lesson.key) for text in _of(ask))


def _of(ask: Ask) -> tuple[str, ...]:
    return tuple(text.strip() for text in (ask.question, *ask.choices, ask.because))
