"""What of an answer is read aloud: the words that a person would read, whatever Markdown stands around them."""

from __future__ import annotations

import contextlib
import time

import pytest

from shared.chat.aloud import aloud
from shared.chat.conversation import Conversation
from shared.errors import InvalidRequest
from shared.ui.audio.ways import read_way
from shared.ui.chat.voice_panel import _last_answer


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("Plain words, 2 * 3 = 6 and a_b_c.", "Plain words, 2 * 3 = 6 and a_b_c."),
        ("# Title\n\n- **one**\n- *two* and ~~three~~\n1. ***four***", "Title\n\none\ntwo and three\n1. four"),
        ("> Said [she](https://x.org/a).\n\n![a cat](x.png)", "Said she.\n\na cat"),
        ("Call `print` so:\n\n```python\nprint(1)\n```\n\nDone.", "Call print so:\n\nDone."),
        ("Half:\n~~~\ncode that never ends", "Half:"),
        ("See https://example.org/x?y=1 or <https://a.b>.", "See  or ."),
        ("A <b>bold</b> 3 < 4 > 2.", "A bold 3 < 4 > 2."),
        ("| a | b |\n|---|:-:|\n| 1 | 2 |", "a, b.\n\n1, 2."),
        ("Say \\*this\\*.\n\n---\n\n__That__ _too_.", "Say *this*.\n\nThat too."),
        ("So $$x^2$$ it is.", "So  it is."),
        ("- [x] done\n- [ ] open", "done\nopen"),
        ("東京は**青い**。", "東京は青い。"),
    ],
)
def test_only_the_words_are_read(text: str, said: str) -> None:
    assert aloud(text) == said


@pytest.mark.parametrize("text", ["", "  \n", "```\nall code\n```", "---", "$$x$$", "https://only.an/address"])
def test_an_answer_without_words_is_told(text: str) -> None:
    with pytest.raises(InvalidRequest, match="no words to be read aloud"):
        aloud(text)


ODD = ("*", "_a", "[", "![a](", "<a", "`", "> ", "*a ", "\\[", "| ", "- ", "~~~\n", "$$ ", "_a ", "https://")


@pytest.mark.parametrize("sign", ODD)
def test_odd_answers_end_soon(sign: str) -> None:
    started = time.process_time()
    with contextlib.suppress(InvalidRequest):
        aloud(sign * 100_000)
    assert time.process_time() - started < 20, "it grows faster than its text"


def test_the_last_answer_is_read_and_its_absence_told() -> None:
    conversation = Conversation()
    with pytest.raises(InvalidRequest, match="Ask something first"):
        _last_answer(conversation)
    conversation.add("user", "Hi")
    conversation.add("assistant", "Hello.")
    conversation.add("user", "And?")
    conversation.add("assistant", "", error="broken")
    assert _last_answer(conversation) == "Hello."


def test_a_voice_is_read_back_and_anything_else_refused() -> None:
    way = read_way("hibari\tkey\theart")
    assert (way.model, way.variant, way.voice) == ("hibari", "key", "heart")
    assert read_way("mms\tkey").voice is None
    for odd in ("", "hibari", "hibari\t"):
        with pytest.raises(InvalidRequest, match="from the list"):
            read_way(odd)
