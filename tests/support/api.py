"""A program that uses a Space: its API by gradio_client, and the files within what comes back."""

from __future__ import annotations

import base64
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

from gradio_client import Client


@contextmanager
def calling(url: str) -> Iterator[Client]:
    """A client of the Space at `url`."""
    opened = Client(url, verbose=False, analytics_enabled=False)
    yield opened
    opened.close()


def ended(client: Client, api_name: str, **arguments: Any) -> dict[str, Any]:
    """The last that an endpoint says."""
    result: dict[str, Any] = client.submit(api_name=api_name, **arguments).result(timeout=120)
    return result


def bytes_of(url: str) -> bytes:
    """The file in a data URL."""
    return base64.b64decode(url.partition(",")[2])
