"""Model output is untrusted: no HTML of its own, no picture from elsewhere, and no key in any text."""

from __future__ import annotations

import pickle

import pytest

from shared.settings import Secret, Settings, from_environment
from shared.ui.safe_markdown import safe_markdown


@pytest.mark.parametrize(
    "text",
    [
        "![a](http://evil.example/x.png)",
        "<img src=http://evil.example/x.png>",
        "<script>alert(1)</script>",
        "![r][id]\n\n[id]: http://evil.example/x",
        "``` ![a](http://evil.example)",
        "<svg/onload=alert(1)>",
        "\\![a](http://evil.example)",
        # What is code only to a careless reader: open ticks, ticks over two paragraphs, in tables, escaped, in maths.
        "a ``` b\n\n<img src=x> ``` ![a](x)",
        "a `\nb `![a](x)` c",
        "| `a | <img src=x> ` |\n|---|---|",
        "\\`` ` ![a](x) `",
        "$`$ ` ![a](x) ` `",
        # Fences that are none, that have ended, or that stand in a list.
        "``` a`\n\n![a](x)\n\n```",
        "```\ncode\n```~\n```\n![a](x)\n",
        "- ```\n  code\n  ```\n![a](x)\n```",
        "> ```\n\n![a](x)",
        "text ```\n    ```\n    ![a](x)\n    ```",
        "1. a\n   ```\n   code\n![a](x)\n   ```\n<img src=x>",
        "$$\n```\n$$\n![a](x)\n```",
        "```\ncode\n```\r![a](x)",
    ],
)
def test_no_tag_and_no_picture_survives(text: str) -> None:
    shown = safe_markdown(text)
    assert "<img" not in shown and "<script" not in shown and "<svg" not in shown
    assert "![" not in shown


def test_code_is_shown_as_written() -> None:
    code = "```html\n<div>![x](y)</div>\n```"
    assert safe_markdown(code) == code
    assert safe_markdown("a `<b>` c") == "a `<b>` c"
    assert safe_markdown("a ``<b> ` `` c <b> `<i>`") == "a ``<b> ` `` c &lt;b> `<i>`"
    listed = "1. Do:\n\n   ~~~html\n   <div>\n   ```\n\n   </div>\n   ~~~\n2. Done `<b>`."
    assert safe_markdown(listed) == listed
    growing = "```html\n<div>\n![x]("
    assert safe_markdown(growing) == growing


def test_a_long_line_of_ticks_is_read_at_once() -> None:
    assert len(safe_markdown("` `` " * 100_000)) == 500_000
    assert "&lt;b" in safe_markdown("`" * 3 + " `" * 100_000 + "<b>")


def test_a_secret_never_shows_itself() -> None:
    settings = from_environment({"OPENAI_API_KEY": "sk-very-secret"}).with_session_keys({"HF_TOKEN": "hf-hidden"})
    assert "sk-very-secret" not in repr(settings) and "hf-hidden" not in repr(settings)
    assert settings.key("OPENAI_API_KEY") and settings.key("OPENAI_API_KEY").reveal() == "sk-very-secret"  # type: ignore[union-attr]
    with pytest.raises(TypeError):
        pickle.dumps(Secret("sk-very-secret"))


def test_a_public_server_opens_no_paths() -> None:
    from shared.catalog.custom import resolve
    from shared.errors import InvalidRequest

    with pytest.raises(InvalidRequest):
        resolve("/etc/model.gguf", Settings(public=True))
