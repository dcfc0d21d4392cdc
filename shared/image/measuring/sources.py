"""Finds the weights that a measure needs: a Hub id or, on a server that only this machine reaches, a folder."""

from __future__ import annotations

import re
from collections.abc import Sequence
from pathlib import Path

from shared.backends.local import hub
from shared.backends.local.sources import is_path
from shared.errors import InvalidRequest, UnknownModel
from shared.settings import Settings
from shared.streaming import Emit
from shared.weights import check_weights, refuse_pickle

_HUB_ID = re.compile(r"[A-Za-z0-9][\w.-]{0,95}/[A-Za-z0-9][\w.-]{0,95}", re.ASCII)


def find(name: str, files: Sequence[str], settings: Settings, emit: Emit) -> Path:
    """The folder, whose safetensors are whole. `files`: patterns of what is fetched.

    Raises `InvalidRequest` for a path on a server that others reach, `UnknownModel`, `CorruptWeights`, and what
    `hub.fetch` raises.
    """
    name = name.strip()
    if is_path(name):
        if settings.public:
            raise InvalidRequest("This server doesn't open paths of its own machine. Give a Hub id: owner/name.")
        folder = Path(name).expanduser()
        refuse_pickle(folder)
        if not folder.is_dir():
            raise UnknownModel(f"There is no folder {folder.name} at that place. Check the path.")
    elif _HUB_ID.fullmatch(name):
        folder = hub.fetch(name, settings, emit, allow_patterns=tuple(files)).path
    else:
        raise InvalidRequest(f"{name[:60]!r} is no Hub id (owner/name) and no path. Mend it.")
    for file in sorted(folder.glob("*.safetensors")):
        check_weights(file)
    return folder
