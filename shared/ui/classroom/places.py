"""The playgrounds of the server, as the teacher's desk sends people to them: where each is, and its lessons."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Any
from urllib.parse import quote

from shared.languages.tongue import Tongue
from shared.ui.lesson_links import MARK, lessons_of


@dataclass(frozen=True)
class Place:
    """One. `lessons`: each one's key and title."""

    path: str
    name: str
    lessons: tuple[tuple[str, str], ...] = ()

    def told(self, words: Tongue) -> dict[str, Any]:
        """As the desk is told of it, in that language."""
        lessons = [{"key": key, "title": words.text(title)} for key, title in self.lessons]
        return {"path": self.path, "name": words.text(self.name), "lessons": lessons}


def places_of(demos: Mapping[str, Any]) -> tuple[Place, ...]:
    """Of the pages that are served, by their paths."""
    return tuple(
        Place(path, str(demo.title).partition(" · ")[0], lessons_of(demo)) for path, demo in demos.items() if demo
    )


def sent_to(places: Iterable[Place], path: str, lesson: str) -> dict[str, str]:
    """What a message says of the place and the lesson that it opens; of none where the server has no such."""
    place = next((each for each in places if each.path == path), None)
    if place is None:
        return {}
    title = dict(place.lessons).get(lesson)
    if title is None:
        return {"space": place.path, "name": place.name, "link": place.path}
    return {"space": place.path, "name": place.name, "link": f"{place.path}{MARK}{quote(lesson)}", "lesson": title}


def said_of_place(sent: Mapping[str, Any], words: Tongue) -> dict[str, Any]:
    """The message in that language where it is ours: the place's name and the lesson's; what was typed stays."""
    return {**sent, **{name: words.text(sent[name]) for name in ("name", "lesson") if name in sent}}
