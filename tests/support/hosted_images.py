"""Aims the real SDKs at a local server that plays a provider of pictures."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import replace
from typing import Any

from shared.events import Event, Final, Preview
from shared.requests import ImageRequest, Request
from shared.settings import Settings
from tests.support.fake_server import Act, serving
from tests.support.hosted import Hosted, engine_for, settings_for
from tests.support.protocols_images import ImageDialect


def draw(prompt: str = "a blue bottle", **settings: Any) -> ImageRequest:
    """A request for a picture."""
    return ImageRequest(prompt=prompt, **settings)


def image_settings(dialect: ImageDialect, root: str, **more: Any) -> Settings:
    """The server's settings: all addresses of the provider are the fake's."""
    settings = settings_for(dialect, root, **more)  # type: ignore[arg-type]
    urls = getattr(dialect, "urls", None)
    return replace(settings, base_urls={**settings.base_urls, **(urls(root) if urls else {})})


@contextmanager
def drawing(dialect: ImageDialect, act: Act | None = None, **more: Any) -> Iterator[Hosted]:
    """A case for this provider; without an act, it gives a picture."""
    with playing(dialect, draw(), act, **more) as case:
        yield case


@contextmanager
def playing(dialect: Any, request: Request, act: Act | None = None, **more: Any) -> Iterator[Hosted]:
    """A case for this provider of pictures or speech; without an act, it answers."""
    with serving(act or dialect.answer()) as fake:
        prepare = getattr(dialect, "prepare", None)
        if prepare:
            prepare(fake)
        settings = image_settings(dialect, fake.url, **{"picture_timeout": 20.0, **more})
        yield Hosted(engine_for(settings), dialect.model, request, settings, fake=fake, dialect=dialect)


def final_of(events: list[Event]) -> Final:
    """The one end of a run."""
    (final,) = [event for event in events if isinstance(event, Final)]
    assert events[-1] is final
    return final


def previews_of(events: list[Event]) -> list[Preview]:
    """The previews of a run."""
    return [event for event in events if isinstance(event, Preview)]
