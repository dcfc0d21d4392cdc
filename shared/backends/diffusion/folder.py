"""Is a diffusers folder whole and safe? Looked at before any library opens it."""

from __future__ import annotations

import json
from collections.abc import Collection
from pathlib import Path

from shared.errors import BackendError, CorruptWeights
from shared.weights import check_weights, refuse_pickle

INDEX = "model_index.json"
# Libraries that a part's class may come from; the others are the pipelines' own, such as `stable_diffusion`.
_LIBRARIES = frozenset({"diffusers", "transformers"})


def check_folder(folder: Path, called: str, elsewhere: Collection[str] = ()) -> dict[str, tuple[str, str]]:
    """The pipeline's parts: name to library and class. `called`: what a person calls the model.

    `elsewhere`: parts whose weights come from another file.

    Raises `CorruptWeights` for a part that is broken, missing or a pickle, `BackendError` for code of its own.
    """
    parts = _parts(folder, called)
    for file in sorted(folder.rglob("*.safetensors")):
        check_weights(file)
    for name in parts:
        if not (folder / name).is_dir():
            raise CorruptWeights(f"{called} lacks its part {name}. Download the model again.")
        if name not in elsewhere:
            _check_part(folder / name, called)
    return parts


def _parts(folder: Path, called: str) -> dict[str, tuple[str, str]]:
    if not (folder / INDEX).is_file():
        raise BackendError(f"{called} is not a diffusers folder: it has no {INDEX}. Choose another model.")
    try:
        index = json.loads((folder / INDEX).read_text(encoding="utf-8"))
        rows = {name: row for name, row in index.items() if isinstance(row, list)}
        parts = {name: (str(row[0]), str(row[1])) for name, row in rows.items() if row[:1] not in ([], [None])}
    except (ValueError, AttributeError, IndexError) as error:
        raise CorruptWeights(f"{INDEX} of {called} can't be read. Download the model again.") from error
    if not all(name.isidentifier() and _known(library) for name, (library, _) in parts.items()):
        raise _own_code(called)
    return parts


def _known(library: str) -> bool:
    """Whether importing it runs nothing but diffusers or transformers."""
    if library in _LIBRARIES:
        return True
    import diffusers

    return library.isidentifier() and (Path(diffusers.__file__).parent / "pipelines" / library).is_dir()


def _own_code(called: str) -> BackendError:
    return BackendError(f"{called} brings code of its own, which is never run here. Choose another model.")


def _check_part(part: Path, called: str) -> None:
    for file in part.glob("*config.json"):
        try:
            json.loads(file.read_text(encoding="utf-8"))
        except ValueError as error:
            raise CorruptWeights(
                f"{file.name} of {called}'s {part.name} can't be read. Download the model again."
            ) from error
    has_weights, is_model = any(part.glob("*.safetensors")), (part / "config.json").is_file()
    if not has_weights:
        for file in sorted(part.iterdir()):
            refuse_pickle(file)
    if has_weights != is_model:  # what needs no weights has a file of another name
        if is_model:
            raise CorruptWeights(f"{called} has no weights for its {part.name}. Download the model again.")
        raise CorruptWeights(f"{called} has no config.json for its {part.name}. Download the model again.")
