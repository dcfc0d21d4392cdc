"""Aims the real SDKs at a local server that plays a provider of speech."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

from tests.support.fake_server import Act, serving
from tests.support.hosted import Hosted, engine_for
from tests.support.hosted_images import image_settings
from tests.support.protocols_speech import TEXT, SpeechDialect
from tests.support.sounds import speech


@contextmanager
def speaking(dialect: SpeechDialect, act: Act | None = None, **more: Any) -> Iterator[Hosted]:
    """A case for this provider; without an act, it says something."""
    with serving(act or dialect.answer()) as fake:
        prepare = getattr(dialect, "prepare", None)
        if prepare:
            prepare(fake)
        settings = image_settings(dialect, fake.url, **{"picture_timeout": 20.0, **more})  # type: ignore[arg-type]
        engine = engine_for(settings)
        yield Hosted(engine, dialect.model, speech(TEXT), settings, fake=fake, dialect=dialect)  # type: ignore[arg-type]
