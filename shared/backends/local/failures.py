"""Turns what torch and its friends raise into errors that a person can act on."""

from __future__ import annotations

import contextlib
from collections.abc import Iterator
from pathlib import Path
from typing import TYPE_CHECKING

from shared.errors import BackendError, CorruptWeights, OutOfMemory

if TYPE_CHECKING:
    from shared.catalog import Variant

# How each allocator says that memory ran out, where it has no exception class of its own.
_OUT_OF_MEMORY = ("out of memory", "can't allocate memory", "not enough memory", "bad_alloc", "std::bad_alloc")


def ran_out(error: BaseException) -> bool:
    """Whether the error means that memory ran out."""
    return isinstance(error, MemoryError) or any(words in str(error).lower() for words in _OUT_OF_MEMORY)


@contextlib.contextmanager
def loading(variant: Variant) -> Iterator[None]:
    """Raise `OutOfMemory`, `CorruptWeights` or `BackendError` for what loading the variant raises."""
    from safetensors import SafetensorError

    name = variant.filename or Path(variant.repo_id).name
    try:
        yield
    except SafetensorError as error:
        raise CorruptWeights(f"{name} has a broken weights file. Download it again.") from error
    except (RuntimeError, MemoryError, OSError, ValueError, KeyError, TypeError, AttributeError, ImportError) as error:
        raise _load_failure(name, variant.memory_gb, error) from error


def _load_failure(name: str, memory_gb: float, error: Exception) -> BackendError:
    if ran_out(error):
        return OutOfMemory(memory_gb or None)
    if "trust_remote_code" in str(error):
        return BackendError(
            f"{name} brings code of its own, which is never run here. Choose another model, or a GGUF file of it."
        )
    return BackendError(f"{name} could not be loaded: {_first_line(error)}. Choose another model or engine.")


def _first_line(error: BaseException) -> str:
    return (str(error).strip() or type(error).__name__).splitlines()[0][:300].rstrip(".")
