"""Lessons: a Space's short guided paths, each a Markdown file in its `lessons/` folder.

Front matter between `---` lines holds `title`, `order`, `question` and, if wanted, `theme` (one of `THEMES`), `about`
(what to know first), `settings` by the names of the Space's request, `task` in a Space of several (left out, its
first), `system` for a chat, and `image`: a file beside the lesson to start from. The body is what is said to the model.
`## ` headings part it: in a chat into turns, said one after another; elsewhere into runs to be compared. `runs`, by
name, says what of the settings differs in each run (in a chat: each is a chat of its own); one that has no heading of
its name says what stands before the first heading.

Every run is a step, with the question that `asks` has under its name. `then` asks further ones, and `question` ends the
lesson. A question is a text, answered in one's own words, or a table of `question`, `choices`, `answer` (the choice
that is right) and `because` (told once it is answered); `choices`, `answer` and `because` may also stand beside the
lesson's own `question`. See `shared/lesson_steps.py` for the steps.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from shared.tasks import Task

# What a course on generative AI speaks of; over all Spaces each has its lesson.
THEMES = (
    *("prompting", "sampling", "tokens", "attention", "mixture of experts", "guidance", "schedulers", "latent space"),
    *("codecs", "splats", "evaluation", "bias", "provenance"),
)


@dataclass(frozen=True, kw_only=True)
class Ask:
    """A question. Without `choices` it is answered in one's own words; `because` is told once it is answered."""

    question: str
    choices: tuple[str, ...] = ()
    answer: str | None = None
    because: str = ""


@dataclass(frozen=True, kw_only=True)
class Part:
    """What is said once, with all settings of that time. `name`: its heading; empty where there is none."""

    name: str = ""
    text: str
    settings: Mapping[str, Any] = field(default_factory=dict)
    ask: Ask | None = None


@dataclass(frozen=True, kw_only=True)
class Lesson:
    """`last` is what to think about when all came, `then` what is asked before. `image`: the file to start from.

    `key`: the file's name, by which answers are kept. `apart`: each part is a run of its own, in a chat too.
    """

    key: str
    title: str
    last: Ask
    parts: tuple[Part, ...]
    then: tuple[Ask, ...] = ()
    about: str = ""
    theme: str | None = None
    task: Task | None = None
    system: str | None = None
    image: Path | None = None
    order: int = 0
    settings: Mapping[str, Any] = field(default_factory=dict)
    apart: bool = False

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
        if told.get("theme", THEMES[0]) not in THEMES:
            raise ValueError(f"no theme is called {told['theme']}; there are {', '.join(THEMES)}")
        asks = {name: _ask(each) for name, each in told.pop("asks", {}).items()}
        parts = _parts(match[2], settings, runs, asks)
        then = tuple(map(_ask, told.pop("then", ())))
        last = _ask({name: told.pop(name) for name in ("question", "choices", "answer", "because") if name in told})
        return Lesson(key=path.stem, last=last, then=then, parts=parts, apart=runs is not None, **told)
    except (AttributeError, TypeError, ValueError, yaml.YAMLError) as error:
        raise ValueError(f"{path.name}: {error}") from None


def _ask(told: str | Mapping[str, Any]) -> Ask:
    if isinstance(told, str):
        return Ask(question=told)
    ask = Ask(**{**told, "choices": tuple(map(str, told.get("choices", ())))})
    if ask.choices and ask.answer not in ask.choices:
        raise ValueError(f"the answer to {ask.question!r} must be one of its choices, word for word")
    if ask.answer is not None and not ask.choices:
        raise ValueError(f"{ask.question!r} has an answer and no choices")
    return ask


def _parts(
    body: str, settings: Mapping[str, Any], runs: Mapping[str, Mapping[str, Any] | None] | None, asks: Mapping[str, Ask]
) -> tuple[Part, ...]:
    before, *rest = re.split(r"(?m)^## (.*)$", body)
    headed = [(name.strip(), text.strip()) for name, text in zip(rest[::2], rest[1::2], strict=True)]
    texts = {"": before.strip(), **dict(headed)}
    if runs is None:
        said = [(name, text, settings) for name, text in [("", texts[""]), *headed] if text]
    elif unknown := set(texts) - {"", *runs}:
        raise ValueError(f"no run is called {min(unknown)}")
    else:
        said = [(name, texts.get(name) or texts[""], {**settings, **(more or {})}) for name, more in runs.items()]
    if not said or not all(text for _, text, _ in said):
        raise ValueError("it says nothing to the model after its front matter")
    if strange := set(asks) - {name for name, _, _ in said}:
        raise ValueError(f"it asks about {min(strange)}, and no run is called so")
    return tuple(Part(name=name, text=text, settings=given, ask=asks.get(name)) for name, text, given in said)


def _beside(path: Path, name: str) -> Path:
    file = path.parent / Path(name).name
    if not file.is_file():
        raise ValueError(f"there is no file {file.name} beside it")
    return file
