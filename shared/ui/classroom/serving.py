"""A server that is a class: its gate, what its pages get, and what its keeper is told at the start."""

from __future__ import annotations

import socket
from collections.abc import Mapping
from contextlib import suppress
from typing import Any

from starlette.middleware import Middleware

from shared.classroom.desk import class_of
from shared.settings import Settings
from shared.ui.classroom.fair_share import share_out
from shared.ui.classroom.gate import Gate
from shared.ui.classroom.places import places_of


def class_layers(settings: Settings, demos: Mapping[str, Any]) -> list[Middleware]:
    """What stands before the server's pages; nothing where it is no class. `demos`: the playgrounds by their paths."""
    if not settings.classroom:
        return []
    there = {f"{settings.root_path}{path}": demo for path, demo in demos.items()}
    return [Middleware(Gate, settings=settings, places=places_of(there))]


def class_screen(settings: Settings) -> dict[str, Any]:
    """What every page gets, as Gradio's `launch` takes it."""
    return {"head": head(settings.root_path)} if settings.classroom else {}


def head(root: str) -> str:
    """Put into every Space's page: what the teacher sends is shown there. `root`: the path before the server's own."""
    own = f"{root}/class/static/student"
    return f'<script src="{own}.js" defer></script><link rel="stylesheet" href="{own}.css">'


def class_pages(settings: Settings, *demos: Any) -> None:
    """What is done to pages once they are served or mounted; nothing where the server is no class."""
    for demo in demos if settings.classroom else ():
        share_out(demo, class_of(settings))


def announce(settings: Settings, host: str, port: int) -> None:
    """Tell who started the server how people get in. The passphrase is printed here and nowhere else."""
    if not settings.classroom:
        return
    room = class_of(settings)
    where = f"http://{_reached_at(host)}:{port}{settings.root_path}"
    room.address = where
    print(f"This is a class. Students open {where}/join and type {room.room.facts.code}.", flush=True)
    if settings.class_passphrase is None:
        print(f"The teacher's desk is at {where}/class/desk. Its passphrase: {room.phrase}", flush=True)
    else:
        print(f"The teacher's desk is at {where}/class/desk. Its passphrase is the one that you set.", flush=True)


def _reached_at(host: str) -> str:
    """This machine's address on its network, where it listens on all; asking for a way there sends nothing."""
    if host not in {"0.0.0.0", "::"}:
        return host
    with suppress(OSError), socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as probe:
        probe.connect(("192.0.2.1", 9))  # an address that is nobody's (RFC 5737)
        return str(probe.getsockname()[0])
    return "localhost"
