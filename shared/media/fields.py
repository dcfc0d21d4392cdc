"""Settings read from a file that anybody may have written: each is checked, and what is no good is told, not taken."""

from __future__ import annotations

import json
from dataclasses import replace
from typing import Any

from shared.errors import InvalidRequest
from shared.requests import ImageRequest, Request

MAX_BYTES = 1_000_000
_WHOLE = frozenset(
    {"width", "height", "num_inference_steps", "seed", "variation_seed", "bars", "num_frames", "resolution"}
)
_DECIMAL = frozenset(
    {
        "guidance_scale",
        "strength",
        "variation_strength",
        "speed",
        "temperature",
        "top_p",
        "duration",
        "fps",
        "wander",
        "step_cache",
    }
    | {"size_mm", "depth", "parts", "tolerance"}
    | {"controlnet_conditioning_scale", "control_guidance_start", "control_guidance_end"}
)
_MAX_IGNORED = 30


class Fields:
    """What was found so far: `values` by field name, and `ignored` in words. `example`: of the request they are for."""

    def __init__(self, example: Request | None = None) -> None:
        self._example = example or ImageRequest(prompt="-")
        self.values: dict[str, Any] = {}
        self._ignored: list[str] = []

    @property
    def ignored(self) -> tuple[str, ...]:
        """Each once, and not more than fit on a screen."""
        words = list(dict.fromkeys(self._ignored))
        more = len(words) - _MAX_IGNORED
        return (*words[:_MAX_IGNORED], *([f"and {more} more"] if more > 0 else []))

    def ignore(self, name: str, value: Any, why: str = "there is no such setting here") -> None:
        """Tell that this was left out."""
        self._ignored.append(f"{clean(name)[:60]}: {_short(value)} ({why})")

    def note(self, words: str) -> None:
        """Tell something else."""
        self._ignored.append(words)

    def text(self, name: str, value: Any) -> None:
        """Take a text."""
        if isinstance(value, str):
            self.values[name] = clean(value)
        elif value is not None:
            self.ignore(name, value, "it is no text")

    def number(self, name: str, value: Any) -> None:
        """Take a number, of a field of the request, if one could hold it."""
        if value is None:
            return
        try:
            number = _number(name, value)
            replace(self._example, **{name: number}).validate()  # type: ignore[arg-type]
        except InvalidRequest as error:
            self.ignore(name, value, str(error).rstrip("."))
        except (ValueError, OverflowError):
            self.ignore(name, value, "it is not such a number")
        else:
            self.values[name] = number


def _number(name: str, value: Any) -> int | float:
    if isinstance(value, str):
        text = value.strip()
        value = int(text) if text.lstrip("-").isdecimal() and len(text) < 30 else float(text)
    if isinstance(value, bool) or not isinstance(value, int | float):
        raise ValueError("no number")
    whole = int(value)  # NaN and infinity have none, and raise
    if name in _DECIMAL:
        return float(value)
    if name not in _WHOLE or whole != value:
        raise ValueError("no whole number")
    return whole


def load_json(text: str) -> Any:
    """Parse JSON. Raises `InvalidRequest` for what is broken, or too large or too deep to be somebody's settings."""
    if len(text) > MAX_BYTES:
        raise InvalidRequest("The settings in this file are larger than 1 MB. Type them in instead.")
    try:
        return json.loads(text)
    except (ValueError, RecursionError):
        raise InvalidRequest("The settings in this file are damaged. Use it as it was first saved.") from None


def clean(text: str) -> str:
    """The text without control characters, and without halves of characters that can't be written down."""
    whole = text.encode("utf-8", "replace").decode("utf-8")
    return "".join(c for c in whole if c in "\n\t" or (c >= " " and c != "\x7f"))


def _short(value: Any) -> str:
    if isinstance(value, int) and not isinstance(value, bool) and value.bit_length() > 200:
        return "a very large number"
    if not isinstance(value, str | int | float | None):
        return "a list" if isinstance(value, list) else "something else"
    text = clean(str(value)).replace("\n", " ")
    return text if len(text) <= 60 else f"{text[:60]}…"
