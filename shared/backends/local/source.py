"""Where a local model's files are: a package, a file, a folder, or the Hub. Whole and safe, or refused."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from shared.errors import CorruptWeights, UnknownModel
from shared.weights import PICKLES, check_weights, refuse_pickle

if TYPE_CHECKING:
    from shared.catalog import Variant
    from shared.settings import Settings
    from shared.streaming import Emit

# What transformers reads: configuration, tokenizer, chat template, weights. The same weights in another form
# (a repository's `original/`, `onnx/`, `metal/` folders) are left where they are.
MODEL_FILES = ("*.json", "*.safetensors", "*.model", "*.txt", "*.jinja", "*.tiktoken")
OTHER_FORMS = ("*/*", "consolidated*")
ADAPTER_FILES = ("adapter_config.json", "adapter_model.safetensors")


@dataclass(frozen=True)
class Source:
    """A folder, the GGUF file in it where it is one, and the commit where it came from the Hub."""

    path: Path
    gguf: str | None = None
    revision: str | None = None


def find(variant: Variant, settings: Settings, emit: Emit) -> Source:
    """The variant's files, downloaded if need be and checked.

    Raises `UnknownModel`, `CorruptWeights`, or what `hub.fetch` raises.
    """
    source = _source(variant, settings, emit)
    if source.gguf:
        check_weights(source.path / source.gguf)
    else:
        _check_folder(source.path, "config.json")
    return source


def find_adapter(name: str, settings: Settings, emit: Emit) -> Source:
    """A LoRA adapter's folder by path or Hub id, its weights checked."""
    source = _folder(name) or _fetched(name, None, settings, emit, ADAPTER_FILES)
    _check_folder(source.path, "adapter_config.json")
    return source


def _source(variant: Variant, settings: Settings, emit: Emit) -> Source:
    if package := variant.options.get("package"):
        from shared.starter import verify

        file = verify(package, variant.filename or "", settings.data_dir)
        return Source(file.parent, file.name)
    path = Path(variant.repo_id).expanduser()
    if path.suffix == ".gguf":
        return Source(path.parent, path.name)
    if here := _folder(variant.repo_id):
        return Source(here.path, variant.filename)
    if variant.filename:
        fetched = _fetched(variant.repo_id, variant.revision, settings, emit, (variant.filename,))
        file = fetched.path / variant.filename
        return Source(file.parent, file.name, fetched.revision)
    return _fetched(variant.repo_id, variant.revision, settings, emit, MODEL_FILES)


def _folder(name: str) -> Source | None:
    """The folder by that path; None where the name is no path but a Hub id."""
    path = Path(name).expanduser()
    if not path.is_absolute() and not name.startswith((".", "~")):
        return None
    if not path.is_dir():
        raise UnknownModel(f"There is no folder {path.name} at that place. Check the path.")
    return Source(path)


def _fetched(repo_id: str, revision: str | None, settings: Settings, emit: Emit, patterns: tuple[str, ...]) -> Source:
    from shared.backends.local import hub

    others = OTHER_FORMS if patterns == MODEL_FILES else ()
    fetched = hub.fetch(repo_id, settings, emit, revision=revision, allow_patterns=patterns, ignore_patterns=others)
    return Source(fetched.path, revision=fetched.revision)


def _check_folder(folder: Path, config: str) -> None:
    if not (folder / config).is_file():
        raise UnknownModel(f"{folder.name} holds no model: it has no {config}. Check the name, or name a GGUF file.")
    weights = sorted(folder.glob("*.safetensors"))
    for file in weights:
        check_weights(file)
    if weights:
        return
    for file in sorted(folder.iterdir()):
        if file.suffix.lower() in PICKLES:
            refuse_pickle(file)
    raise CorruptWeights(f"{folder.name} has no safetensors weights. Choose another copy of the model, or a GGUF file.")
