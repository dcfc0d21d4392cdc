"""The models: data in one TOML file a task beside this module, read into frozen classes.

To add a model, add a `[[model]]` with one `[[model.variant]]` for each way to run it. No code.
"""

from __future__ import annotations

import tomllib
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from difflib import get_close_matches
from pathlib import Path
from typing import Any

from shared.errors import UnknownModel
from shared.tasks import Mode, Task


@dataclass(frozen=True, kw_only=True)
class Variant:
    """One way to run a model. Sizes in GiB; `options` is read by the backend alone.

    `card_gb`: what it takes of a GPU, where its numbers are narrower there than on a processor; 0: as `memory_gb`.
    """

    backend: str
    repo_id: str = ""  # a Hub id, a provider's model name, or a local path
    revision: str | None = None
    filename: str | None = None
    device: str = "auto"
    dtype: str = "auto"
    quantization: str | None = None
    memory_gb: float = 0.0
    card_gb: float = 0.0
    download_gb: float = 0.0
    options: Mapping[str, Any] = field(default_factory=dict, hash=False)

    @property
    def key(self) -> str:
        """A stable name for this variant: what the pool and the API call it by."""
        parts = [self.backend, self.repo_id, self.filename, self.revision, self.quantization]
        if self.device != "auto":
            parts.append(self.device)
        if self.dtype != "auto":
            parts.append(self.dtype)
        parts += [f"{name}={value}" for name, value in sorted(self.options.items())]
        return "|".join(str(part) for part in parts if part)

    @property
    def on_card_gb(self) -> float:
        """What the whole of it takes of a GPU."""
        return self.card_gb or self.memory_gb

    @property
    def mode(self) -> Mode:
        """Full model here, quantized here, or hosted."""
        from shared.backends import BACKENDS

        if BACKENDS[self.backend].hosted:
            return Mode.HOSTED
        return Mode.QUANTIZED if self.quantization else Mode.LOCAL


@dataclass(frozen=True, kw_only=True)
class ModelSpec:
    """A model as a person chooses it, and the ways to run it, best first.

    `retired` models stay listed, with their `successor`, so that nobody searches for them in vain.
    `gone`: why they can't be had, where their provider didn't end them.
    """

    id: str
    name: str
    task: Task
    license: str
    variants: tuple[Variant, ...]
    summary: str = ""
    starter: bool = False
    context_length: int | None = None
    accepts_images: bool = False
    thinks: bool = False
    retired: bool = False
    successor: str | None = None
    gone: str = ""
    defaults: Mapping[str, Any] = field(default_factory=dict, hash=False)


class Catalog:
    """The models by id. Never changed after it is made; `with_models` gives a larger copy."""

    def __init__(self, models: Iterable[ModelSpec]) -> None:
        self._models = {spec.id: spec for spec in models}

    def __iter__(self) -> Iterator[ModelSpec]:
        return iter(self._models.values())

    def for_task(self, task: Task) -> list[ModelSpec]:
        """The task's models, in the order of the file."""
        return [spec for spec in self if spec.task == task]

    def get(self, model_id: str) -> ModelSpec:
        """The model by that id; raises `UnknownModel`, naming near ones."""
        if model_id in self._models:
            return self._models[model_id]
        near = get_close_matches(model_id, self._models, n=3)
        hint = " See the list of models."
        if near:
            hint = f" Did you mean {near[0]}?" if len(near) == 1 else f" Did you mean one of these: {', '.join(near)}?"
        raise UnknownModel(f"There is no model called {model_id[:200]!r}.{hint}")

    def with_models(self, models: Iterable[ModelSpec]) -> Catalog:
        """A copy with these added; one of the same id replaces the old."""
        return Catalog([*self, *models])


def load_catalog(folder: Path | None = None) -> Catalog:
    """Read every `<task>.toml` in the folder (this package's own by default)."""
    folder = folder or Path(__file__).parent
    return Catalog(spec for path in sorted(folder.glob("*.toml")) for spec in _read(path))


def _read(path: Path) -> Iterator[ModelSpec]:
    task = Task(path.stem)
    for row in tomllib.loads(path.read_text(encoding="utf-8")).get("model", []):
        variants = tuple(Variant(**variant) for variant in row.pop("variant", []))
        yield ModelSpec(task=task, variants=variants, **row)
