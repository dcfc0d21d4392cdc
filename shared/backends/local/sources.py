"""Finds a local variant's files, wherever they are, and refuses those that are unsafe or broken."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

from shared.backends.local import hub
from shared.catalog import Variant
from shared.errors import BackendError, CorruptWeights, UnknownModel
from shared.machine import GIB
from shared.settings import Settings
from shared.streaming import Emit
from shared.weights import PICKLES, check_weights, refuse_pickle


@dataclass(frozen=True)
class Source:
    """A model folder, the GGUF file in it where it is one, and the commit where it is known."""

    folder: Path
    gguf: str | None = None
    revision: str | None = None

    @property
    def name(self) -> str:
        """What a person would call it."""
        return self.gguf or self.folder.name

    @property
    def weights(self) -> list[Path]:
        """The files that hold the weights."""
        return [self.folder / self.gguf] if self.gguf else sorted(self.folder.glob("*.safetensors"))

    @property
    def size_gb(self) -> float:
        """The weights on the disk, in GiB."""
        return sum(file.stat().st_size for file in self.weights) / GIB


def find(variant: Variant, settings: Settings, emit: Emit) -> Source:
    """The variant's files, checked. `variant.options["package"]` names a package that carries them.

    Raises `CorruptWeights`, `UnknownModel`, and what `hub.fetch` raises.
    """
    source = _find(variant, settings, emit)
    if source.gguf:
        check_weights(source.folder / source.gguf)
    else:
        check_folder(source.folder)
    return source


def _find(variant: Variant, settings: Settings, emit: Emit) -> Source:
    if package := variant.options.get("package"):
        from shared.starter import verify

        path = verify(package, variant.filename or "", settings.data_dir)
        return Source(path.parent, path.name)
    local = Path(variant.repo_id).expanduser()
    if local.suffix == ".gguf" or local.suffix.lower() in PICKLES:
        refuse_pickle(local)
        return Source(local.parent, local.name)
    if is_path(variant.repo_id):
        if not local.is_dir():
            raise UnknownModel(f"There is no folder {variant.repo_id}. Check the path, or give a Hub id: owner/name.")
        return Source(local, variant.filename)
    patterns = [variant.filename] if variant.filename else hub.MODEL_FILES
    got = hub.fetch(variant.repo_id, settings, emit, revision=variant.revision, allow_patterns=patterns)
    return Source(got.path, variant.filename, got.revision)


def is_path(repo_id: str) -> bool:
    """Whether it names a place on this machine rather than a Hub repository."""
    return repo_id.startswith(("/", "./", "../", "~")) or repo_id[1:3] in {":\\", ":/"} or Path(repo_id).is_dir()


def check_folder(folder: Path) -> None:
    """Raise unless the folder holds a whole model in safetensors."""
    if not (folder / "config.json").is_file():
        raise UnknownModel(f"{folder.name} is not a model in transformers' layout: it has no config.json.")
    weights = sorted(folder.glob("*.safetensors"))
    for path in weights:
        check_weights(path)
    if weights:
        return
    for path in sorted(folder.iterdir()):
        refuse_pickle(path)
    raise CorruptWeights(f"{folder.name} holds no safetensors weights. Download the model again, or choose another.")


def fetch_adapter(name: str, settings: Settings, emit: Emit) -> Path:
    """A LoRA adapter's folder, by path or Hub id. Raises `CorruptWeights` where it is not in safetensors."""
    folder = Path(name).expanduser()
    if not is_path(name):
        folder = hub.fetch(name, settings, emit, allow_patterns=("adapter_*.json", "adapter_*.safetensors")).path
    weights = folder / "adapter_model.safetensors"
    if not weights.is_file():
        for path in sorted(folder.glob("adapter_model.*")):
            refuse_pickle(path)
        raise BackendError(f"{name} holds no adapter_model.safetensors. Choose a LoRA adapter saved as safetensors.")
    check_weights(weights)
    return folder
