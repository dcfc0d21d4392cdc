"""Lessons: a Space's short guided activities, each a Markdown file in its `lessons/` folder.

Front matter between `---` lines holds `title`, `order`, `question` and, if wanted, `settings` by the names of the
Space's request, `task` in a Space of several (left out, its first), `system` for a chat, and `image`: a file beside the
lesson to start from. The body is what is said to
the model. `## ` headings part it: in a chat into turns, said one after another; elsewhere into runs to be compared.
`runs`, by name, says what of the settings differs in each run; one that has no heading of its name says what stands
before the first heading.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from shared.tasks import Task


@dataclass(frozen=True, kw_only=True)
class Part:
    """What is said once, with all settings of that time. `name`: its heading; empty where there is none."""

    name: str = ""
    text: str
    settings: Mapping[str, Any] = field(default_factory=dict)


@dataclass(frozen=True, kw_only=True)
class Lesson:
    """`question` is what to think about when looking at what came. `image`: the file to start from."""

    title: str
    question: str
    parts: tuple[Part, ...]
    task: Task | None = None
    system: str | None = None
    image: Path | None = None
    order: int = 0
    settings: Mapping[str, Any] = field(default_factory=dict)

    @property
    def turns(self) -> tuple[str, ...]:
        """What is said, one after another."""
        return tuple(part.text for part in self.parts)


def read_lessons(folder: Path) -> list[Lesson]:
    """The folder's lessons by their order. Raises `ValueError` naming a file that isn't one."""
    return sorted((_read(path) for path in folder.glob("*.md")), key=lambda lesson: lesson.order)


def _read(path: Path) -> Lesson:
    import yaml

    match = re.fullmatch(r"---\n(.*?)\n---\n(.*)", path.read_text(encoding="utf-8"), re.DOTALL)
    if not match:
        raise ValueError(f"{path.name} has no front matter between --- lines.")
    try:
        told = dict(yaml.safe_load(match[1]))
        settings, runs = told.get("settings", {}), told.pop("runs", None)
        if "task" in told:
            told["task"] = Task(told["task"])
        if "image" in told:
            told["image"] = _beside(path, told["image"])
        return Lesson(parts=tuple(_parts(match[2], settings, runs)), **told)
    except (AttributeError, TypeError, ValueError, yaml.YAMLError) as error:
        raise ValueError(f"{path.name}: {error}") from None


def _parts(body: str, settings: Mapping[str, Any], runs: Mapping[str, Mapping[str, Any]] | None) -> list[Part]:
    before, *rest = re.split(r"(?m)^## (.*)$", body)
    headed = [(name.strip(), text.strip()) for name, text in zip(rest[::2], rest[1::2], strict=True)]
    texts = {"": before.strip(), **dict(headed)}
    if runs is None:
        said = [("", texts[""]), *headed]
        parts = [Part(name=name, text=text, settings=settings) for name, text in said if text]
    elif unknown := set(texts) - {"", *runs}:
        raise ValueError(f"no run is called {min(unknown)}")
    else:
        text_of = {name: texts.get(name) or texts[""] for name in runs}
        parts = [Part(name=name, text=text_of[name], settings={**settings, **more}) for name, more in runs.items()]
    if not parts or not all(part.text for part in parts):
        raise ValueError("it says nothing to the model after its front matter")
    return parts


def _beside(path: Path, name: str) -> Path:
    file = path.parent / Path(name).name
    if not file.is_file():
        raise ValueError(f"there is no file {file.name} beside it")
    return file
