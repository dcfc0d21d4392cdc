"""Whose a job is: the browser's that sent it, known by a token that this server signed and the browser keeps.

Gradio's session is no identity: the page chooses its name, and it ends with the page.
"""

from __future__ import annotations

import hashlib
import hmac
import os
import secrets
from pathlib import Path

from shared.state.database import Database
from shared.state.secrets import kept_secret

_SECRET = "owners.key"


class Owners:
    """Gives out tokens and reads them. The secret behind them is made once and kept in the folder.

    Where servers share a database it is kept there, by `name`, since a browser may come to any of them; where that
    can't be reached `StateUnavailable` is raised, lest a browser be given another token for the one that it has.
    """

    def __init__(self, folder: Path, database: Database | None = None, name: str = _SECRET) -> None:
        self._path, self._name = folder / _SECRET, name
        self._database = database if database is not None and database.shared else None
        self._secret: bytes | None = None

    def new(self) -> str:
        """A token for a browser that has none."""
        name = secrets.token_urlsafe(24)
        return f"{name}.{self._signed(name)}"

    def owner(self, token: object) -> str:
        """Who holds the token, as the store names them; "" for one that this server didn't give out."""
        name, _, signature = str(token or "").partition(".")
        if not name or not hmac.compare_digest(self._signed(name).encode(), signature.encode()):
            return ""
        return hashlib.sha256(name.encode()).hexdigest()  # who reads the store holds nobody's token by that

    def _signed(self, name: str) -> str:
        return hmac.new(self._key(), name.encode(), hashlib.sha256).hexdigest()

    def _key(self) -> bytes:
        if self._secret is None and self._database is not None:
            self._secret = kept_secret(self._database, self._name)
        if self._secret is None:
            try:
                self._secret = self._kept()
            except OSError:  # nothing can be written here, so that no job is kept either
                self._secret = secrets.token_bytes(32)
        return self._secret

    def _kept(self) -> bytes:
        """The secret in the folder, which is made if need be."""
        if not self._path.exists():
            self._path.parent.mkdir(parents=True, exist_ok=True, mode=0o700)
            part = self._path.with_name(f"{_SECRET}.{secrets.token_hex(4)}")
            with os.fdopen(os.open(part, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600), "wb") as file:
                file.write(secrets.token_bytes(32))
            try:
                os.link(part, self._path)  # whole or not at all, also where two servers start at once
            except FileExistsError:
                pass
            except OSError:  # a file system without links
                if not self._path.exists():
                    part.replace(self._path)
            finally:
                part.unlink(missing_ok=True)
        return self._path.read_bytes()
