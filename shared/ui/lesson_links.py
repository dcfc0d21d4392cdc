"""A link that opens a Space with one of its lessons begun: `#lesson=` and the lesson's key."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

MARK = "#lesson="
_NAME = "playground_lessons"  # of a page's attribute: whoever serves a page knows nothing of it but that
# What a page does when it is open. The mark goes then: who loads the page again begins nothing again. Another such link
# that is opened in the same page changes nothing there by itself.
READ = f"""() => {{
  const mark = "{MARK}";
  if (!window.pgLessons) {{
    window.pgLessons = true;
    addEventListener("hashchange", () => location.hash.startsWith(mark) && location.reload());
  }}
  if (!location.hash.startsWith(mark)) return "";
  const key = location.hash.slice(mark.length);
  history.replaceState(history.state, "", location.pathname + location.search);
  try {{ return decodeURIComponent(key); }} catch {{ return ""; }}
}}"""


def tell_lessons(demo: Any, lessons: Sequence[tuple[str, str]]) -> None:
    """Let whoever serves this page know its lessons: each one's key and title."""
    setattr(demo, _NAME, tuple(lessons))


def lessons_of(demo: Any) -> tuple[tuple[str, str], ...]:
    """What was told of a page."""
    found: tuple[tuple[str, str], ...] = getattr(demo, _NAME, ())
    return found
