"""Reads zip files that anybody may have sent: in memory, by name, no more than is allowed; nothing is unpacked."""

from __future__ import annotations

import lzma
import struct
import zipfile
import zlib
from pathlib import Path, PurePosixPath

from shared.errors import InvalidRequest

MAX_BYTES = 300_000_000  # of the file
MAX_READ = 600_000_000  # of what is read out of it, all together
MAX_LIST = 4_000_000  # of its list of contents: some ten thousand files
_END, _END64 = b"PK\x05\x06", b"PK\x06\x07"
_BROKEN = (
    zipfile.BadZipFile, zlib.error, lzma.LZMAError, NotImplementedError, RuntimeError, EOFError, OSError, ValueError,
    struct.error,
)  # fmt: skip


class Archive:
    """The files in a zip file by their names. Raises `InvalidRequest` for what is none, or too large."""

    def __init__(self, source: str | Path, *, most: int = MAX_READ) -> None:
        path = Path(source)
        self.name, self._left = path.name, most
        try:
            if path.stat().st_size > MAX_BYTES:
                raise InvalidRequest(f"{self.name} is larger than {MAX_BYTES // 1_000_000} MB. Thin it out.")
            with path.open("rb") as file:
                file.seek(max(0, path.stat().st_size - 65_600))
                self._check_list(file.read())
            self._file = zipfile.ZipFile(path)
            self.names = [entry.filename for entry in self._file.infolist() if not entry.is_dir()]
        except _BROKEN:
            raise self._broken() from None

    def close(self) -> None:
        """Close it."""
        self._file.close()

    def read(self, name: str, limit: int) -> bytes:
        """One file's bytes. Raises `InvalidRequest` for more than `limit`, or more than was allowed in all."""
        limit = min(limit, self._left)
        try:
            with self._file.open(name) as file:
                data = file.read(limit + 1)
        except KeyError:
            raise InvalidRequest(f"{self.name} holds no {PurePosixPath(name).name}.") from None
        except _BROKEN:
            raise self._broken() from None
        if len(data) > limit:
            raise InvalidRequest(
                f"{PurePosixPath(name).name} in {self.name} holds more than is taken here. Make it smaller."
            )
        self._left -= len(data)
        return data

    def _check_list(self, tail: bytes) -> None:
        """Raise for a list of contents too long to be read: Python reads all of it at once."""
        end = tail.rfind(_END)
        if end < 0:
            raise zipfile.BadZipFile
        (length,) = struct.unpack_from("<I", tail, end + 12)
        if length > MAX_LIST or tail[end - 20 : end - 16] == _END64:
            raise InvalidRequest(f"{self.name} holds too many files. Leave some out.")

    def _broken(self) -> InvalidRequest:
        return InvalidRequest(f"{self.name} is no zip file, is damaged, or is locked by a password. Pack it again.")
