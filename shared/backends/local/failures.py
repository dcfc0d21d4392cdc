"""Turns what torch and its friends raise into errors that a person can act on."""

from __future__ import annotations

import contextlib
import re
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import TYPE_CHECKING, TypeVar

from shared.errors import BackendError, CorruptWeights, OutOfMemory
from shared.memory import give_back

if TYPE_CHECKING:
    from shared.catalog import Variant

T = TypeVar("T")

# How each allocator says that memory ran out, where it has no exception class of its own.
_OUT_OF_MEMORY = ("out of memory", "can't allocate memory", "not enough memory", "bad_alloc", "std::bad_alloc")

# A file or folder by its whole way: between quotes, where names may hold blanks, or bare. `/etc` alone tells nothing.
_START = r"(?:file://)?(?:~[\w.-]*|[A-Za-z]:)?[/\\]"
_PATH = re.compile(
    rf"""(?P<quote>['"`]){_START}(?P<quoted>[^'"`\n]*[/\\][^'"`\n]*)(?P=quote)"""
    rf"""|(?<![\w/\\.:~-]){_START}(?:[^\s'"`<>|*?,;()]+[/\\])+(?P<bare>[^\s'"`<>|*?,;()]*)"""
)


def ran_out(error: BaseException) -> bool:
    """Whether the error means that memory ran out."""
    return isinstance(error, MemoryError) or any(words in str(error).lower() for words in _OUT_OF_MEMORY)


def within_memory(work: Callable[[], T], advice: str = "") -> T:
    """What the work returns. Raises `OutOfMemory` with that advice, and what the work held is given back by then."""
    try:
        return work()
    except (RuntimeError, MemoryError) as error:
        if not ran_out(error):
            raise
    give_back()  # outside the except block, whose error holds the run's tensors
    raise OutOfMemory(advice=advice)


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
        raise _load_failure(name, variant, error) from error


def _load_failure(name: str, variant: Variant, error: Exception) -> BackendError:
    if ran_out(error):
        return OutOfMemory(variant.memory_gb or None)
    if "trust_remote_code" in str(error):
        return BackendError(
            f"{name} brings code of its own, which is never run here. Choose another model, or a GGUF file of it."
        )
    why = said(error, Path(variant.repo_id).expanduser())
    return BackendError(f"{name} could not be loaded: {why}. Choose another model or engine.")


def said(error: BaseException, folder: Path | None = None) -> str:
    """The first line of what a library says of a folder, for a visitor: cut short, and with paths by last name only."""
    return without_paths((str(error).strip() or type(error).__name__).splitlines()[0], folder)[:300].rstrip(".")


def without_paths(text: str, folder: Path | None = None) -> str:
    """The text with the last name of each path in place of the path. Addresses of the web stay as they are.

    `folder`: one that may stand there, whose names may hold blanks.
    """
    for known in filter(None, (folder, Path.home())):
        if known.is_absolute() and known.name:
            text = text.replace(str(known), f"~/{known.name}")
    return _PATH.sub(_last, text)


def _last(path: re.Match[str]) -> str:
    if (quoted := path["quoted"]) is None:
        return path["bare"] or _name(path[0])
    return f"{path['quote']}{_name(quoted)}{path['quote']}"


def _name(path: str) -> str:
    """The last name in a path of either system."""
    return re.split(r"[/\\]", path.rstrip("/\\"))[-1]
