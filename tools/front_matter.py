"""What stands at the head of a Space's README: read, written, and checked against what the platform takes."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import yaml

# https://huggingface.co/docs/hub/spaces-config-reference
COLOURS = ("red", "yellow", "green", "blue", "indigo", "purple", "pink", "gray")
LONGEST = 60  # characters of a short description
PYTHON = "3.12"  # the platform's default is 3.10, and ours needs 3.11
REQUIRED = ("title", "emoji", "colorFrom", "colorTo", "sdk", "sdk_version", "python_version", "app_file", "license")


def front_matter(readme: Path) -> dict[str, Any]:
    """The YAML between the first two `---` lines. Raises `ValueError` where there is none."""
    return _split(readme)[0]


def with_changes(readme: Path, changes: dict[str, Any]) -> str:
    """The file's text with these values in its front matter; None takes a value out."""
    values, text = _split(readme)
    kept = {name: value for name, value in (values | changes).items() if value is not None}
    head = yaml.safe_dump(kept, sort_keys=False, allow_unicode=True, width=1000)
    return f"---\n{head}---\n{text}"


def problems(values: dict[str, Any], folder: Path, gradio: str) -> list[str]:
    """What the platform would refuse or misread; `gradio` is the version that the project is tested with."""
    told = [f"{name} is missing" for name in REQUIRED if not values.get(name)]
    expected = {"sdk": "gradio", "sdk_version": gradio, "python_version": PYTHON}
    wrong = {name: want for name, want in expected.items() if values.get(name) != want}
    told += [f"{name} must be {want!r}, it is {values.get(name)!r}" for name, want in wrong.items()]
    told += [f"{n} is no colour of the platform" for n in ("colorFrom", "colorTo") if values.get(n) not in COLOURS]
    if len(str(values.get("short_description", ""))) > LONGEST:
        told.append(f"short_description is longer than {LONGEST} characters")
    if values.get("suggested_hardware") not in hardware_names():
        told.append(f"suggested_hardware is none of the platform's: {values.get('suggested_hardware')!r}")
    if not (folder / str(values.get("app_file"))).is_file():
        told.append(f"app_file names no file: {values.get('app_file')!r}")
    return told


def hardware_names() -> list[str]:
    """The platform's names of its hardware, as its client knows them."""
    from huggingface_hub import SpaceHardware

    return [str(each.value) for each in SpaceHardware]


def _split(readme: Path) -> tuple[dict[str, Any], str]:
    parts = readme.read_text(encoding="utf-8").split("---\n", 2)
    values = yaml.safe_load(parts[1]) if len(parts) == 3 and not parts[0] else None
    if not isinstance(values, dict):
        raise ValueError(f"{readme} has no front matter.")
    return values, parts[2]
