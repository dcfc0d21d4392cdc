"""Lessons are files that a teacher can write, and the project's own say what they must."""

from __future__ import annotations

import dataclasses
from pathlib import Path

import pytest

from shared.lessons import read_lessons
from shared.requests import ChatRequest
from tests.support.server import ROOT

FOLDERS = sorted(ROOT.glob("spaces/*/lessons"))


def write(folder: Path, text: str, name: str = "a.md") -> None:
    (folder / name).write_text(text, encoding="utf-8")


def test_one_turn_with_all_that_may_be_said(tmp_path: Path) -> None:
    head = "title: T\norder: 1\nquestion: Why?\nsystem: Be kind.\nsettings: {temperature: 0.2, stop: [END]}"
    write(tmp_path, f"---\n{head}\n---\nSay hello.\n\n---\n\nA line of dashes is text.\n")
    (lesson,) = read_lessons(tmp_path)
    assert lesson.turns == ("Say hello.\n\n---\n\nA line of dashes is text.",)
    assert (lesson.title, lesson.question, lesson.system) == ("T", "Why?", "Be kind.")
    assert lesson.settings == {"temperature": 0.2, "stop": ["END"]}


def test_headings_part_the_turns_and_are_not_said(tmp_path: Path) -> None:
    write(tmp_path, "---\ntitle: T\nquestion: Q\n---\n## Draft\nWrite.\n\n### Note\nkept\n\n## Revise\nAgain.\n")
    assert read_lessons(tmp_path)[0].turns == ("Write.\n\n### Note\nkept", "Again.")


def test_they_come_in_their_order_not_by_file_name(tmp_path: Path) -> None:
    write(tmp_path, "---\ntitle: Second\nquestion: Q\norder: 10\n---\nx", "a.md")
    write(tmp_path, "---\ntitle: First\nquestion: Q\norder: 9\n---\nx", "b.md")
    assert [lesson.title for lesson in read_lessons(tmp_path)] == ["First", "Second"]


def test_a_folder_that_is_not_there_has_no_lessons(tmp_path: Path) -> None:
    assert read_lessons(tmp_path / "none") == []


@pytest.mark.parametrize(
    "text",
    [
        "No front matter.",
        "---\ntitle: T\n---\nNo question.",
        "---\ntitle: T\nquestion: Q\nmood: good\n---\nAn unknown field.",
        "---\ntitle: [\n---\nBroken YAML.",
        "---\n- a\n---\nA list.",
        "---\ntitle: T\nquestion: Q\n---\n\n",
    ],
    ids=["no head", "no question", "unknown field", "broken", "list", "nothing to say"],
)
def test_a_file_that_is_no_lesson_is_named(tmp_path: Path, text: str) -> None:
    write(tmp_path, text, "broken.md")
    with pytest.raises(ValueError, match=r"broken\.md"):
        read_lessons(tmp_path)


@pytest.mark.parametrize("folder", FOLDERS, ids=lambda f: f.parent.name)
def test_the_projects_own_lessons_ask_a_question_and_set_only_settings_there_are(folder: Path) -> None:
    lessons = read_lessons(folder)
    assert len(lessons) == len(list(folder.glob("*.md"))) > 0
    assert len({lesson.order for lesson in lessons}) == len(lessons)
    fields = {f.name for f in dataclasses.fields(ChatRequest)} - ChatRequest.CONTENT
    for lesson in lessons:
        assert lesson.question.endswith((".", "?")) and lesson.turns
        assert set(lesson.settings) <= fields
