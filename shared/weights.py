"""Is a weights file safe and whole? Looked at before any engine opens it.

GGUF's layout: https://github.com/ggml-org/ggml/blob/master/docs/gguf.md. safetensors' layout: an 8-byte
little-endian header length, a JSON header, then the data (https://huggingface.co/docs/safetensors).
"""

from __future__ import annotations

import json
import struct
from collections.abc import Callable
from pathlib import Path
from typing import BinaryIO

from shared.errors import CorruptWeights

PICKLES = frozenset({".bin", ".pt", ".pth", ".ckpt", ".pkl", ".pickle", ".joblib"})
_MAX_HEADER = 100_000_000  # bytes; safetensors' own limit
_MAX_COUNT = 1_000_000  # tensors or keys; far above any model's
# value type -> bytes, for the scalar types; 8 is a string and 9 an array
_SCALARS = {0: 1, 1: 1, 2: 2, 3: 2, 4: 4, 5: 4, 6: 4, 7: 1, 10: 8, 11: 8, 12: 8}
_STRING, _ARRAY = 8, 9


def refuse_pickle(path: Path) -> None:
    """Raise `CorruptWeights` for a pickle: opening one runs whatever code its author put there."""
    if path.suffix.lower() in PICKLES:
        raise CorruptWeights(
            f"{path.name} is a pickle file, which can run any code when it is opened, so it is refused. "
            "Use the model's safetensors or GGUF files instead."
        )


def check_weights(path: Path) -> None:
    """Check the file by its kind. Raises `CorruptWeights` if it is refused, broken or cut short."""
    refuse_pickle(path)
    checks: dict[str, Callable[[Path], None]] = {".gguf": check_gguf, ".safetensors": check_safetensors}
    check = checks.get(path.suffix.lower())
    if check:
        check(path)


def check_safetensors(path: Path) -> None:
    """Raise `CorruptWeights` unless the header can be read and the data is all there."""
    size = _size(path)
    try:
        with path.open("rb") as file:
            (length,) = struct.unpack("<Q", file.read(8))
            if length > min(_MAX_HEADER, size):
                raise ValueError("header length")
            header = json.loads(file.read(length))
        ends = [int(entry["data_offsets"][1]) for name, entry in header.items() if name != "__metadata__"]
    except (struct.error, ValueError, KeyError, TypeError, IndexError, AttributeError) as error:
        raise CorruptWeights(f"{path.name} is not a whole safetensors file. Download it again.") from error
    if 8 + length + max(ends, default=0) != size:
        raise _short(path)


def check_gguf(path: Path) -> None:
    """Raise `CorruptWeights` unless it is a GGUF file whose tensors all lie inside it."""
    size = _size(path)
    try:
        with path.open("rb") as file:
            last_offset, data_start = _GgufHeader(file).read()
    except (struct.error, ValueError, UnicodeDecodeError, OverflowError) as error:
        raise CorruptWeights(f"{path.name} is not a whole GGUF file. Download it again.") from error
    if data_start + last_offset >= size:
        raise _short(path)


def _size(path: Path) -> int:
    try:
        return path.stat().st_size
    except OSError:
        raise CorruptWeights(f"There is no file {path.name} at that place. Check the path.") from None


def _short(path: Path) -> CorruptWeights:
    return CorruptWeights(f"{path.name} is cut short: its end is missing. Download it again.")


class _GgufHeader:
    """Walks a GGUF header without keeping its values."""

    def __init__(self, file: BinaryIO) -> None:
        self._file = file

    def read(self) -> tuple[int, int]:
        """The largest end of a tensor's data that the header vouches for, and where the data begins (bytes)."""
        if self._file.read(4) != b"GGUF":
            raise ValueError("magic")
        version, tensors, keys = struct.unpack("<IQQ", self._file.read(20))
        if version not in (2, 3) or tensors > _MAX_COUNT or keys > _MAX_COUNT:
            raise ValueError("version or counts")
        alignment = 32
        for _ in range(keys):
            name = self._string()
            value = self._value(self._number("<I"))
            if name == b"general.alignment" and value:
                alignment = value
        end = max((self._tensor() for _ in range(tensors)), default=0)
        start = self._file.tell()
        return end, start + -start % alignment

    def _tensor(self) -> int:
        """The offset of a tensor's last byte, by its type's block size."""
        from gguf.constants import GGML_QUANT_SIZES, GGMLQuantizationType

        self._string()
        dimensions = [self._number("<Q") for _ in range(self._number("<I"))]
        kind, offset = self._number("<I"), self._number("<Q")
        block, size = GGML_QUANT_SIZES[GGMLQuantizationType(kind)]
        elements = 1
        for each in dimensions:
            elements *= each
        return offset + max(elements // block * size - 1, 0)

    def _number(self, kind: str) -> int:
        (value,) = struct.unpack(kind, self._file.read(struct.calcsize(kind)))
        return int(value)

    def _string(self) -> bytes:
        length = self._number("<Q")
        if length > _MAX_HEADER:
            raise ValueError("string length")
        text = self._file.read(length)
        if len(text) != length:
            raise ValueError("end of file")
        return text

    def _value(self, kind: int) -> int | None:
        """Pass over a value; returns it where it is a 32-bit number, since only the alignment is wanted."""
        if kind == _STRING:
            self._string()
        elif kind == _ARRAY:
            self._array()
        elif kind == 4:
            return self._number("<I")
        else:
            self._skip(_SCALARS.get(kind, -1))
        return None

    def _array(self) -> None:
        kind, count = self._number("<I"), self._number("<Q")
        if kind in _SCALARS:
            self._skip(_SCALARS[kind] * count)
            return
        for _ in range(count):
            self._value(kind)

    def _skip(self, count: int) -> None:
        if not 0 <= count <= _MAX_HEADER:
            raise ValueError("length")
        if len(self._file.read(count)) != count:
            raise ValueError("end of file")
