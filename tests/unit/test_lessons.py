"""Lessons are files that a teacher can write, and the project's own say what they must; answers to them are kept."""

from __future__ import annotations

import dataclasses
from pathlib import Path

import pytest

from shared.lesson_steps import ALONE, LAST, answered, as_markdown, done, read_answers, steps_of, verdict
from shared.lessons import THEMES, Ask, Lesson, Part, read_lessons
from shared.requests import (
    ChatRequest,
    ImageRequest,
    Message,
    MusicRequest,
    Request,
    Shot,
    SolidRequest,
    SpeechRequest,
    VideoRequest,
)
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
    assert (lesson.title, lesson.last.question, lesson.system) == ("T", "Why?", "Be kind.")
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
        "---\ntitle: T\nquestion: Q\ntheme: cooking\n---\nx\n",
        "---\ntitle: T\nquestion: Q\nasks: {B: Why?}\n---\n## A\nx\n",
        "---\ntitle: T\nquestion: Q\nchoices: [a, b]\nanswer: c\n---\nx\n",
        "---\ntitle: T\nquestion: Q\nanswer: c\n---\nx\n",
        "---\ntitle: T\nquestion: Q\nthen: [{choices: [a]}]\n---\nx\n",
    ],
    ids=[
        *("no head", "no question", "unknown field", "broken", "list", "nothing to say"),
        *("unknown run", "a run that says nothing", "runs without settings", "no picture", "no task", "no theme"),
        *("asks about no run", "an answer that can't be chosen", "an answer without choices", "asks nothing"),
    ],
)
def test_a_file_that_is_no_lesson_is_named(tmp_path: Path, text: str) -> None:
    write(tmp_path, text, "broken.md")
    with pytest.raises(ValueError, match=r"broken\.md"):
        read_lessons(tmp_path)


PATH = """---
title: T
question: And in the end?
settings: {seed: 1}
asks:
  Red:
    question: Which?
    choices: [this, that]
    answer: that
    because: It is so.
then: ["Why?"]
---
## Plain
a cat
## Red
a red cat
"""


def path(folder: Path, text: str = PATH) -> Lesson:
    write(folder, text)
    return read_lessons(folder)[0]


def test_a_lesson_is_a_step_a_run_then_its_questions(tmp_path: Path) -> None:
    steps = steps_of(path(tmp_path), "What do you see?")
    assert [(step.name, step.ask.question, [part.text for part in step.parts]) for step in steps] == [
        ("Plain", "What do you see?", ["a cat"]),
        ("Red", "Which?", ["a red cat"]),
        ("Question 1", "Why?", []),
        (LAST, "And in the end?", []),
    ]


def test_the_turns_of_a_chat_are_one_step_and_its_runs_are_apart(tmp_path: Path) -> None:
    (first, *_) = steps_of(path(tmp_path), "See?", together=True)
    assert (first.name, len(first.parts), first.ask.question) == (ALONE, 2, "Which?")
    apart = path(tmp_path, "---\ntitle: T\nquestion: Q\nruns: {A: {seed: 1}, B: null}\n---\nsay\n")
    assert [len(step.parts) for step in steps_of(apart, "See?", together=True)] == [1, 1, 0]


def test_a_single_run_without_a_question_of_its_own_is_asked_the_lessons(tmp_path: Path) -> None:
    lesson = path(tmp_path, "---\ntitle: T\nquestion: Q\n---\nx\n")
    assert [(step.name, step.ask.question) for step in steps_of(lesson, "See?")] == [(ALONE, "Q")]


def test_answers_are_kept_changed_and_taken_back(tmp_path: Path) -> None:
    lesson = path(tmp_path)
    steps = steps_of(lesson, "See?")
    answers = answered(answered({}, lesson, steps[0], " a cat "), lesson, steps[1], "this")
    assert answers == {"a": {"Plain": "a cat", "Red": "this"}}
    assert done(answers, lesson, steps) == [True, True, False, False]
    assert done(answered(answers, lesson, steps[0], " "), lesson, steps) == [False, True, False, False]
    assert answered(answers, lesson, steps[1], "that")["a"]["Red"] == "that"


@pytest.mark.parametrize("stored", [None, 3, [], {"a": 1}, {"a": {"Plain": 2}}, {"a": {}}, {"a": {"Plain": ""}}])
def test_of_what_a_browser_kept_only_answers_are_read(stored: object) -> None:
    assert read_answers(stored) == {}


def test_a_long_answer_is_cut() -> None:
    assert len(read_answers({"a": {"Plain": "x" * 9000}})["a"]["Plain"]) == 4000


def test_what_is_told_of_an_answer() -> None:
    ask = Ask(question="Which?", choices=("this", "that"), answer="that", because="It is so.")
    assert verdict(ask, "that") == "Right. It is so."
    assert verdict(ask, "this") == "Not quite: that. It is so."
    assert verdict(ask, None) == verdict(Ask(question="Why?"), "So.") == ""


def test_the_file_of_answers_has_the_lessons_that_were_begun(tmp_path: Path) -> None:
    lesson = path(tmp_path)
    steps = steps_of(lesson, "See?")
    told = as_markdown("My answers", [(lesson, steps)], {"a": {"Plain": "a cat\non a mat", "Red": "this"}})
    assert told.startswith("# My answers\n\n## T\n\n2 of 4 steps answered.\n")
    assert "### Plain\n\nSee?\n\n> a cat\n> on a mat\n" in told
    assert "> this\n\nNot quite: that. It is so.\n" in told
    assert "Why?\n\n> Not answered yet.\n" in told
    assert "## T" not in as_markdown("My answers", [(lesson, steps)], {})


def test_every_space_has_four_lessons_and_every_theme_of_the_course_has_one() -> None:
    lessons = {folder.parent.name: read_lessons(folder) for folder in FOLDERS}
    assert set(lessons) == set(REQUESTS)
    assert min(map(len, lessons.values())) >= 4
    assert {lesson.theme for each in lessons.values() for lesson in each} >= set(THEMES)


@pytest.mark.parametrize("folder", FOLDERS, ids=lambda f: f.parent.name)
def test_the_projects_own_lessons_ask_a_question_and_set_only_settings_there_are(folder: Path) -> None:
    lessons = read_lessons(folder)
    assert len(lessons) == len(list(folder.glob("*.md"))) > 0
    assert len({lesson.order for lesson in lessons}) == len(lessons)
    for lesson in lessons:
        kind = OF_TASK[lesson.task] if lesson.task else REQUESTS[folder.parent.name]
        fields = {f.name for f in dataclasses.fields(kind)} - kind.CONTENT
        steps = steps_of(lesson, "What do you notice?", together=folder.parent.name == "chat")
        asks = [step.ask for step in steps]
        assert len({step.name for step in steps}) == len(steps) >= 3, "answers are kept by the step's name"
        assert all(ask.question.endswith((".", "?")) for ask in asks)
        assert any(ask.choices for ask in asks) and lesson.about, lesson.title
        assert all(ask.because and len(set(ask.choices)) == len(ask.choices) for ask in asks if ask.choices)
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


@pytest.mark.parametrize("lesson", read_lessons(ROOT / "spaces/chat/lessons"), ids=lambda lesson: lesson.title)
def test_every_turn_of_a_chat_lesson_can_be_asked_for(lesson: Lesson) -> None:
    for part in lesson.parts:
        ChatRequest(messages=(Message("user", part.text),), system=lesson.system, **part.settings).validate()


@pytest.mark.parametrize("lesson", read_lessons(ROOT / "spaces/text2video/lessons"), ids=lambda lesson: lesson.title)
def test_every_run_of_a_lesson_in_clips_can_be_asked_for(lesson: Lesson) -> None:
    for part in lesson.parts:
        given = {name: value for name, value in part.settings.items() if value != ""}
        shots = tuple(Shot(start=start, prompt=prompt) for start, prompt in given.pop("shots", ()))
        VideoRequest(prompt=part.text, shots=shots, **given).validate()


def _set(part: Part) -> set[tuple[str, object]]:
    """What the run sets, with the lists of YAML as a request has them."""
    return {(k, tuple(map(tuple, v)) if isinstance(v, list) else v) for k, v in part.settings.items() if v is not None}
