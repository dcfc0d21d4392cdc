"""A pipeline's transformer from a GGUF file: its weights stay quantized, and are widened layer by layer as they run."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

from shared.backends.local import hub
from shared.backends.local.sources import is_path
from shared.catalog import Variant
from shared.errors import CorruptWeights, UnknownModel
from shared.settings import Settings
from shared.streaming import Emit
from shared.weights import check_weights

PART = "transformer"


def find(variant: Variant, settings: Settings, emit: Emit) -> Path | None:
    """The file that `options["gguf"]` names, a Hub id with `filename`, or a path. None where it names none.

    Raises `UnknownModel`, `CorruptWeights`, and what `hub.fetch` raises.
    """
    name = str(variant.options.get("gguf") or "")
    if not name:
        return None
    if is_path(name) or Path(name).expanduser().is_file():
        file = Path(name).expanduser()
    else:
        wanted = str(variant.filename)
        file = hub.fetch(name, settings, emit, allow_patterns=(wanted,), ignore_patterns=()).path / wanted
    if not file.is_file():
        raise UnknownModel(f"There is no file {file.name} at that place. Check the name.")
    check_weights(file)
    return file


def read(file: Path, folder: Path, dtype: Any) -> Any:
    """The transformer of that file, of the class and shape that the pipeline's folder says. Raises `CorruptWeights`."""
    import diffusers

    config = json.loads((folder / PART / "config.json").read_text(encoding="utf-8"))
    kind: Any = getattr(diffusers, str(config.get("_class_name")), None)
    quantized: Any = diffusers.GGUFQuantizationConfig
    try:
        return kind.from_single_file(
            str(file),
            quantization_config=quantized(compute_dtype=dtype),
            config=str(folder),
            subfolder=PART,
            torch_dtype=dtype,
            local_files_only=True,
        )
    except (ValueError, KeyError, AttributeError, RuntimeError, TypeError) as error:
        raise CorruptWeights(
            f"{file.name} doesn't fit {folder.name}'s {PART}. Take a GGUF file that was made of that model."
        ) from error


def without(folder: Path) -> Any:
    """The folder's pipeline class, which doesn't look for the transformer's weights in the folder.

    diffusers takes a part that is handed over, but where the class can do without that part, as Wan's, it also reads
    the one that the index names.
    """
    import diffusers

    name = json.loads((folder / "model_index.json").read_text(encoding="utf-8")).get("_class_name")
    kind: Any = getattr(diffusers, str(name), None)
    if kind is None:
        raise CorruptWeights(
            f"{folder.name} names no pipeline that is known here. Update diffusers, or choose another."
        )

    def load_config(cls: Any, *args: Any, **given: Any) -> Any:
        found = kind.load_config(*args, **given)
        config = found[0] if isinstance(found, tuple) else found
        config[PART] = [None, None]
        return found

    return type(kind.__name__, (kind,), {"load_config": classmethod(load_config)})
