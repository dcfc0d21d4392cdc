"""Turns what torch and its friends raise into errors that a person can act on."""

from __future__ import annotations

import contextlib
from collections.abc import Iterator

from shared.errors import BackendError, CorruptWeights, OutOfMemory
from shared.memory import give_back

# How each allocator says that memory ran out, where it has no exception class of its own.
_OUT_OF_MEMORY = ("out of memory", "can't allocate memory", "not enough memory", "bad_alloc", "std::bad_alloc")


def ran_out(error: BaseException) -> bool:
    """Whether the error means that memory ran out."""
    return isinstance(error, MemoryError) or any(words in str(error).lower() for words in _OUT_OF_MEMORY)


@contextlib.contextmanager
def running() -> Iterator[None]:
    """Raise `OutOfMemory` or `BackendError` for what a run raises, and give memory back, so that the model stays
    usable."""
    try:
        yield
    except (RuntimeError, MemoryError) as error:
        full, text = ran_out(error), _first_line(error)
        error.__traceback__ = None  # its frames hold the tensors that filled the memory
        failure: BackendError
        if full:
            failure = OutOfMemory(advice="Shorten the conversation, unload other models, or choose a smaller one.")
        else:
            failure = BackendError(f"The model failed while it ran: {text}. Try again, or choose another engine.")
    else:
        return
    give_back()
    raise failure


@contextlib.contextmanager
def loading(name: str, memory_gb: float = 0.0) -> Iterator[None]:
    """Raise `OutOfMemory`, `CorruptWeights` or `BackendError` for what loading the model `name` raises."""
    from safetensors import SafetensorError

    try:
        yield
    except SafetensorError as error:
        raise CorruptWeights(f"{name} has a broken weights file. Download it again.") from error
    except (RuntimeError, MemoryError, OSError, ValueError, KeyError, TypeError, ImportError) as error:
        raise _load_failure(name, memory_gb, error) from error


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
