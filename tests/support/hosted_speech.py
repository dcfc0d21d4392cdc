"""Aims the real SDKs at a local server that plays a provider of speech."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

from tests.support.fake_server import Act
from tests.support.hosted import Hosted
from tests.support.hosted_images import playing
from tests.support.protocols_speech import TEXT, SpeechDialect
from tests.support.sounds import speech


@contextmanager
def speaking(dialect: SpeechDialect, act: Act | None = None, **more: Any) -> Iterator[Hosted]:
    """A case for this provider; without an act, it says something."""
    with playing(dialect, speech(TEXT), act, **more) as case:
        yield case
