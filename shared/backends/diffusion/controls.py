"""ControlNets and T2I-Adapters, by which a picture leads a model's drawing. `controls.toml` lists them."""

from __future__ import annotations

import json
import tomllib
from collections.abc import Mapping
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import Any

from shared import machine as machines
from shared.backends.base import Control
from shared.backends.local import failures, hub
from shared.backends.local.sources import is_path
from shared.catalog import Variant
from shared.errors import BackendError, CorruptWeights, InvalidRequest, OutOfMemory, UnknownModel
from shared.events import Progress
from shared.machine import GIB
from shared.memory import give_back
from shared.settings import Settings
from shared.streaming import Emit
from shared.weights import check_weights, refuse_pickle

FILES = ("config.json", "diffusion_pytorch_model.safetensors")
KINDS = frozenset({"ControlNetModel", "T2IAdapter"})


@dataclass(frozen=True, kw_only=True)
class Row:
    """One of them. `repo_id`: a Hub id, or a folder of this machine. Memory in GiB."""

    repo_id: str
    name: str
    license: str = ""
    reader: str = "as it is"
    revision: str | None = None
    memory_gb: float = 0.0

    @property
    def called(self) -> str:
        """What a person calls where it comes from, without the way there."""
        return Path(self.repo_id).name if is_path(self.repo_id) else self.repo_id


@cache
def _sets() -> Mapping[str, Mapping[str, Mapping[str, Any]]]:
    return tomllib.loads((Path(__file__).parent / "controls.toml").read_text("utf-8"))


def rows(variant: Variant) -> dict[str, Row]:
    """What `options.controls` of a variant names, by id: a set of `controls.toml`, or rows of its own."""
    named = variant.options.get("controls") or {}
    found = _sets()[named] if isinstance(named, str) else named
    return {name: Row(**row) for name, row in found.items()}


def offered(variant: Variant) -> tuple[Control, ...]:
    """The same, as a screen reads it."""
    return tuple(Control(name, row.name, row.reader) for name, row in rows(variant).items())


class Controls:
    """A model's controls. The one that was used last stays in memory, on the model's device."""

    def __init__(self, variant: Variant, settings: Settings, device: str) -> None:
        self._rows, self._settings, self._device = rows(variant), settings, device
        self._held: tuple[str, Any, dict[str, Any]] | None = None

    def get(self, name: str | None, dtype: Any, emit: Emit) -> tuple[Any, dict[str, Any]]:
        """The control by its id (None: the first), and what the receipt says of it. Downloads it at its first use.

        Raises `InvalidRequest` for one that the model doesn't have, and what loading a model raises.
        """
        name = name or next(iter(self._rows), "")
        if name not in self._rows:
            listed = ", ".join(self._rows) or "none"
            raise InvalidRequest(f"This model has no control {name[:60]!r}. These it has: {listed}.")
        if self._held is None or self._held[0] != name:
            self.close()
            model, revision = _load(self._rows[name], self._settings, self._device, dtype, emit)
            self._held = name, model, _facts(name, self._rows[name], revision)
        return self._held[1], self._held[2]

    def close(self) -> None:
        """Give it back. May be called twice."""
        if self._held is not None:
            self._held = None
            give_back()


def _facts(name: str, row: Row, revision: str | None) -> dict[str, Any]:
    told = {"control": name, "control_repo": row.called, "control_revision": revision, "control_license": row.license}
    return {key: value for key, value in told.items() if value}


def _load(row: Row, settings: Settings, device: str, dtype: Any, emit: Emit) -> tuple[Any, str | None]:
    folder, revision = _find(row, settings, emit)
    kind = _checked(folder, row.called)
    _needs_room(row, device)
    emit(Progress(f"Loading {row.called}"))
    with failures.loading(Variant(backend="diffusers", repo_id=row.called, memory_gb=row.memory_gb)):
        model = kind.from_pretrained(folder, dtype=dtype, use_safetensors=True, local_files_only=True)
        if lacking := [name for name, value in model.named_parameters() if value.is_meta]:
            raise CorruptWeights(f"{row.called} lacks some of its weights, {min(lacking)} for one. Download it again.")
        return model.to(device).eval(), revision


def _find(row: Row, settings: Settings, emit: Emit) -> tuple[Path, str | None]:
    if is_path(row.repo_id):
        folder = Path(row.repo_id).expanduser()
        if not folder.is_dir():
            raise UnknownModel(f"There is no folder {folder.name} at that place. Check the path.")
        return folder, None
    fetched = hub.fetch(row.repo_id, settings, emit, revision=row.revision, allow_patterns=FILES)
    return fetched.path, fetched.revision


def _checked(folder: Path, called: str) -> Any:
    """diffusers' class for the folder, once its files are seen to be whole and safe."""
    import diffusers

    files = sorted(folder.glob("*.safetensors"))
    if not files:
        for file in sorted(folder.iterdir()):
            refuse_pickle(file)
        raise CorruptWeights(f"{called} holds no safetensors file. Download it again.")
    for file in files:
        check_weights(file)
    try:
        kind = json.loads((folder / "config.json").read_text("utf-8")).get("_class_name")
    except (OSError, ValueError, AttributeError) as error:
        raise CorruptWeights(f"config.json of {called} can't be read. Download it again.") from error
    if kind not in KINDS:
        raise BackendError(f"{called} is neither a ControlNet nor a T2I-Adapter. Choose another.")
    return getattr(diffusers, kind)


def _needs_room(row: Row, device: str) -> None:
    """Raises `OutOfMemory` where it wouldn't fit beside the model; on a GPU its numbers take half."""
    import torch

    on_gpu = device == "cuda"
    free = torch.cuda.mem_get_info()[0] / GIB if on_gpu else machines.free_ram_gb()
    needed = row.memory_gb / 2 if on_gpu else row.memory_gb
    if needed > free:
        raise OutOfMemory(needed, free)
