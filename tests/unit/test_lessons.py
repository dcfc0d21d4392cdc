"""Lessons are files that a teacher can write, and the project's own say what they must."""

from __future__ import annotations

import dataclasses
from pathlib import Path

import pytest

from shared.lessons import Lesson, Part, read_lessons
from shared.requests import ChatRequest, ImageRequest, MusicRequest, Request, SolidRequest, SpeechRequest, VideoRequest
from shared.tasks import Task
from shared.ui.audio import compose_settings, settings_panel
from tests.support.server import ROOT

REQUESTS: dict[str, type[Request]] = {
    "text2video": VideoRequest,
    "chat": ChatRequest,
    "text2img": ImageRequest,
    "text2audio": SpeechRequest,
    "3d": SolidRequest,
}
OF_TASK: dict[Task, type[Request]] = {Task.TEXT_TO_AUDIO: MusicRequest}
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


def test_runs_say_what_differs_and_the_rest_is_the_same_for_all(tmp_path: Path) -> None:
    (tmp_path / "circle.png").write_bytes(b"")
    head = "title: T\nquestion: Q\nsettings: {seed: 1, guidance_scale: 4}\nimage: circle.png\n"
    runs = "runs:\n  Low: {guidance_scale: 1}\n  Other: {seed: null}\n  Same: {}\n"
    write(tmp_path, f"---\n{head}{runs}---\na cat\n\n## Other\na dog\n")
    (lesson,) = read_lessons(tmp_path)
    assert lesson.image == tmp_path / "circle.png"
    assert [(part.name, part.text, part.settings) for part in lesson.parts] == [
        ("Low", "a cat", {"seed": 1, "guidance_scale": 1}),
        ("Other", "a dog", {"seed": None, "guidance_scale": 4}),
        ("Same", "a cat", {"seed": 1, "guidance_scale": 4}),
    ]


def test_without_runs_each_heading_is_one_and_all_have_the_same_settings(tmp_path: Path) -> None:
    write(tmp_path, "---\ntitle: T\nquestion: Q\nsettings: {seed: 1}\n---\n## Plain\na cat\n## Red\na red cat\n")
    parts = read_lessons(tmp_path)[0].parts
    assert [(part.name, part.text) for part in parts] == [("Plain", "a cat"), ("Red", "a red cat")]
    assert all(part.settings == {"seed": 1} for part in parts)


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
        "---\ntitle: T\nquestion: Q\nruns: {A: {seed: 1}}\n---\n## B\nx\n",
        "---\ntitle: T\nquestion: Q\nruns: {A: {seed: 1}, B: {}}\n---\n## B\nx\n",
        "---\ntitle: T\nquestion: Q\nruns: [A]\n---\nx\n",
        "---\ntitle: T\nquestion: Q\nimage: none.png\n---\nx\n",
        "---\ntitle: T\nquestion: Q\ntask: cooking\n---\nx\n",
    ],
    ids=[
        *("no head", "no question", "unknown field", "broken", "list", "nothing to say"),
        *("unknown run", "a run that says nothing", "runs without settings", "no picture", "no task"),
    ],
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
    for lesson in lessons:
        kind = OF_TASK[lesson.task] if lesson.task else REQUESTS[folder.parent.name]
        fields = {f.name for f in dataclasses.fields(kind)} - kind.CONTENT
        assert lesson.question.endswith((".", "?")) and lesson.turns
        for part in lesson.parts:
            assert set(part.settings) <= fields
            assert set(part.settings) == set(lesson.parts[0].settings), "else one run would leave its own to the next"


@pytest.mark.parametrize("lesson", read_lessons(ROOT / "spaces/text2img/lessons"), ids=lambda lesson: lesson.title)
def test_every_run_of_a_picture_lesson_can_be_asked_for(lesson: Lesson) -> None:
    names = [part.name for part in lesson.parts]
    assert len(set(names)) == len(names) and (all(names) or len(names) == 1)
    for part in lesson.parts:
        ImageRequest(prompt=part.text, **part.settings).validate()


@pytest.mark.parametrize("lesson", read_lessons(ROOT / "spaces/text2audio/lessons"), ids=lambda lesson: lesson.title)
def test_every_run_of_a_sound_lesson_can_be_asked_for_and_comes_onto_the_screen(lesson: Lesson) -> None:
    names = [part.name for part in lesson.parts]
    assert len(set(names)) == len(names) and (all(names) or len(names) == 1)
    for part in lesson.parts:
        if lesson.task == Task.TEXT_TO_AUDIO:
            MusicRequest(prompt=part.text, **part.settings).validate()
            assert compose_settings.to_request(compose_settings.controls(part.settings, {})).items() >= _set(part)
        else:
            SpeechRequest(text=part.text, **part.settings).validate()
            asked = settings_panel.to_request(settings_panel.controls(part.settings, {}))
            assert asked.items() >= {(k, v) for k, v in _set(part) if (k, v) != ("speed", 1)}


@pytest.mark.parametrize("lesson", read_lessons(ROOT / "spaces/3d/lessons"), ids=lambda lesson: lesson.title)
def test_every_run_of_a_lesson_in_solids_can_be_asked_for(lesson: Lesson) -> None:
    for part in lesson.parts:
        SolidRequest(prompt=part.text, **part.settings).validate()


def _set(part: Part) -> set[tuple[str, object]]:
    """What the run sets, with the lists of YAML as a request has them."""
    return {(k, tuple(map(tuple, v)) if isinstance(v, list) else v) for k, v in part.settings.items() if v is not None}
