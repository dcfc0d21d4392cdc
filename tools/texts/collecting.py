"""Every text of the product, with where it stands first."""

from __future__ import annotations

import re
from collections.abc import Iterator
from pathlib import Path

from tools.texts import data_files, html, lesson_files, put_in, python_files, rules

_SAID = re.compile(r"""\bsaid\(\s*(["'])((?:(?!\1|\\).)+)\1""")
# Rows whose name is what a maker calls his model or himself.
_MAKERS = ("shared/catalog/", "shared/backends/")
_OWN = ("shared/backends/diffusion/controls.toml",)


def all_texts(root: Path) -> dict[str, str]:
    """Each text that has to be translated: its English, and the file (and line) where it was found first."""
    found: dict[str, str] = {}
    for text, place in _found(root):
        found.setdefault(text, place)
    return found


def lesson_texts(root: Path) -> dict[str, str]:
    """Those of the lessons alone, which have files of their own; what stands elsewhere too is left out."""
    told, others = rules.read(), all_texts(root)
    found: dict[str, str] = {}
    for folder in sorted(root.glob("spaces/*/lessons")):
        for text, key in lesson_files.texts(folder):
            if text not in others and told.counts(text):
                found.setdefault(text, f"{folder.relative_to(root).as_posix()}/{key}.md")
    return found


def _found(root: Path) -> Iterator[tuple[str, str]]:
    told = rules.read()
    for file in _files(root, "py"):
        name = file.relative_to(root).as_posix()
        if not told.skips_file(name):
            source = file.read_text(encoding="utf-8")
            for each in (*python_files.texts(source, told), *put_in.words(source, told)):
                yield each.text, f"{name}:{each.line}"
    for file in _files(root, "toml"):
        name = file.relative_to(root).as_posix()
        if not told.skips_file(name):
            names = name in _OWN or not name.startswith(_MAKERS)
            yield from ((text, name) for text in data_files.texts(file.read_text(encoding="utf-8"), told, names=names))
    for file in (*_files(root, "html"), *_files(root, "js")):
        name, source = file.relative_to(root).as_posix(), file.read_text(encoding="utf-8")
        texts = html.texts(source) if file.suffix == ".html" else []
        texts += [one[2] for one in _SAID.finditer(source)]
        yield from ((text, name) for text in texts if told.counts(text))
    yield from ((text, "tools/texts/rules.toml") for text in told.also)


def _files(root: Path, suffix: str) -> list[Path]:
    folders = [root / name for name in ("shared", "spaces")]
    return sorted(file for folder in folders for file in folder.rglob(f"*.{suffix}"))
