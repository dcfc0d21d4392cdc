"""The `parameters` text that AUTOMATIC1111's web UI began and most other tools read and write.

A prompt, "Negative prompt: ..." and, as the last line, "Steps: 20, Sampler: Euler a, CFG scale: 7, Seed: 1, ...".
"""

from __future__ import annotations

import json
import re
from collections.abc import Mapping
from typing import Any

_NEGATIVE = "Negative prompt:"
_STEPS = re.compile(r"\s*Steps:\s*\d", re.ASCII)
_KEY = re.compile(r"\w[\w +/.-]{0,60}")
_LONGEST = 50_000  # characters of the settings line that are looked at


def write(prompt: str, settings: Mapping[str, Any], sampler: str | None, model: str) -> str:
    """The text for a picture. `settings` has the field names of an `ImageRequest`; what is None is left out."""
    size = (settings.get("width"), settings.get("height"))
    varied = settings.get("variation_strength")
    said = {
        "Steps": settings.get("num_inference_steps"),
        "Sampler": sampler,
        "CFG scale": settings.get("guidance_scale"),
        "Seed": settings.get("seed"),
        "Size": f"{size[0]}x{size[1]}" if None not in size else None,
        "Denoising strength": settings.get("strength"),
        **({"Variation seed": settings.get("variation_seed"), "Variation seed strength": varied} if varied else {}),
        "Model": model,
        "Version": "genai-playgrounds",
    }
    negative = settings.get("negative_prompt")
    lines = [prompt, *([f"{_NEGATIVE} {negative}"] if negative else [])]
    return "\n".join(
        [*lines, ", ".join(f"{key}: {_quoted(value)}" for key, value in said.items() if value is not None)]
    )


def _quoted(value: Any) -> str:
    text = f"{value:g}" if isinstance(value, float) else str(value)
    return json.dumps(text, ensure_ascii=False) if re.search(r'[,:\n"]', text) else text


def parse(text: str) -> tuple[str, str | None, dict[str, str]]:
    """Prompt, negative prompt and what the settings line says. A text with no such line is all prompt."""
    lines = text.replace("\r\n", "\n").split("\n")
    last = max((i for i, line in enumerate(lines) if _STEPS.match(line)), default=len(lines))
    said = settings(lines[last]) if last < len(lines) else {}
    words = lines[:last]
    begins = next((i for i, line in enumerate(words) if line.strip().startswith(_NEGATIVE)), None)
    if begins is None:
        return "\n".join(words).strip(), None, said
    negative = "\n".join(words[begins:]).strip().removeprefix(_NEGATIVE).strip()
    return "\n".join(words[:begins]).strip(), negative, said


def settings(line: str) -> dict[str, str]:
    """The pairs of a settings line; the first of two by one name counts. Values may be quoted, or be JSON."""
    found: dict[str, str] = {}
    line, at = line[:_LONGEST], 0
    while (colon := line.find(":", at)) >= 0:
        key = line[max(at, line.rfind(",", at, colon) + 1) : colon].strip()
        value, at = _value(line, colon + 1)
        if _KEY.fullmatch(key):
            found.setdefault(key, value)
    return found


def _value(line: str, at: int) -> tuple[str, int]:
    """The value that begins there, and where the next pair does."""
    while line[at : at + 1] == " ":
        at += 1
    if line[at : at + 1] in ('"', "[", "{"):
        try:
            value, end = json.JSONDecoder().raw_decode(line, at)
            return value if isinstance(value, str) else line[at:end], _behind_comma(line, end)
        except (ValueError, RecursionError):
            pass  # no JSON after all
    end = _behind_comma(line, at)
    return line[at:end].removesuffix(",").strip(), end


def _behind_comma(line: str, at: int) -> int:
    comma = line.find(",", at)
    return len(line) if comma < 0 else comma + 1
