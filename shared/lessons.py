"""Lessons: a Space's short guided activities, each a Markdown file in its `lessons/` folder.

Front matter between `---` lines holds `title`, `order`, `question` and, if wanted, `system` and `settings`;
the body is what is said to the model, one turn after another where `## ` headings part it.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any


@dataclass(frozen=True, kw_only=True)
class Lesson:
    """`turns` are sent one after another; `question` is what to think about when reading the answers."""

    title: str
    question: str
    turns: tuple[str, ...]
    system: str | None = None
    order: int = 0
    settings: Mapping[str, Any] = field(default_factory=dict)


def read_lessons(folder: Path) -> list[Lesson]:
    """The folder's lessons by their order. Raises `ValueError` naming a file that isn't one."""
    return sorted((_read(path) for path in folder.glob("*.md")), key=lambda lesson: lesson.order)


def _read(path: Path) -> Lesson:
    import yaml

    match = re.fullmatch(r"---\n(.*?)\n---\n(.*)", path.read_text(encoding="utf-8"), re.DOTALL)
    if not match:
        raise ValueError(f"{path.name} has no front matter between --- lines.")
    turns = [part.strip() for part in re.split(r"(?m)^## .*$", match[2]) if part.strip()]
    if not turns:
        raise ValueError(f"{path.name} says nothing to the model after its front matter.")
    try:
        return Lesson(turns=tuple(turns), **yaml.safe_load(match[1]))
    except (TypeError, yaml.YAMLError) as error:
        raise ValueError(f"{path.name}: {error}") from None
