"""How a lesson's path looks: where one is, what is asked, and how far each lesson is."""

from __future__ import annotations

from collections.abc import Sequence
from html import escape

from shared.lesson_steps import Step
from shared.lessons import Lesson

# The file is made in the browser, so that nobody's answers lie on the server.
SAVE = """(text) => {
  const link = document.createElement("a");
  link.href = URL.createObjectURL(new Blob([text], {type: "text/markdown"}));
  link.download = "my-answers.md";
  link.click();
  setTimeout(() => URL.revokeObjectURL(link.href), 1000);
}"""


def told(lesson: Lesson, steps: Sequence[Step], at: int) -> str:
    """Which step of how many, what to know first, and the question."""
    about = f'<p class="pg-quiet">{escape(lesson.about)}</p>' if lesson.about and at == 0 else ""
    return (
        f'<div class="pg-note" role="status"><b>{escape(lesson.title)}</b>'
        f'<span class="pg-quiet pg-step"> Step {at + 1} of {len(steps)}</span>'
        f'<progress class="pg-progress" max="{len(steps)}" value="{at + 1}" aria-label="How far this lesson is">'
        f"</progress>{about}<p>{escape(steps[at].ask.question)}</p></div>"
    )


def judged(text: str, count: int, of: int, *, at_end: bool) -> str:
    """What is told of an answer; at a lesson's end, or once all is answered, how many of its steps are."""
    end = "You have answered every step of this lesson." if count == of else f"{count} of {of} steps are answered."
    said = [f"<p>{escape(text)}</p>"] if text else []
    said += [f"<p><b>{end}</b></p>"] if at_end or count == of else []
    return f'<div class="pg-note pg-judged" role="status">{"".join(said)}</div>' if said else ""


def marked(name: str, answered: bool) -> str:
    """A step's name with whether it is answered."""
    return f"{name} ✓" if answered else name


def progress(title: str, count: int, of: int) -> str:
    """A lesson's title with how many of its steps are answered, once there are any."""
    if not count:
        return title
    return f"{title} ✓" if count == of else f"{title} · {count} of {of}"
