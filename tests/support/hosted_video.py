"""Aims the real calls at a local server that plays a provider of clips, with a store of jobs of its own."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

from shared.engine import Engine
from shared.events import Event, Final
from shared.jobs.job import Job
from shared.requests import ImagePart, VideoRequest
from shared.settings import Secret, Settings
from tests.support.fake_server import Act, serving
from tests.support.hosted import KEY, engine_for
from tests.support.protocols_video import Provider, picture

OWNER = "somebody"
START = ImagePart(picture(), "image/png")


@dataclass(frozen=True)
class Filming:
    """An engine, its settings, and the provider that it will find."""

    engine: Engine
    settings: Settings
    provider: Provider
    dialect: Any

    def run(self, **fields: Any) -> Iterator[Event]:
        """A run by `OWNER`."""
        request = VideoRequest(**{"prompt": "a ball rolls", "duration": self.dialect.seconds, **fields})
        return self.engine.generate(self.dialect.model, request, owner=OWNER)

    def again(self, **changes: Any) -> Filming:
        """The server started anew: another engine over the same store."""
        settings = replace(self.settings, **changes)
        return replace(self, engine=engine_for(settings), settings=settings)

    @property
    def job(self) -> Job:
        """The one job that there is."""
        (job,) = self.engine.jobs.store.of(OWNER)
        return job

    def resume(self, **more: Any) -> Iterator[Event]:
        """Go on with it."""
        return self.engine.resume(self.job.id, owner=OWNER, **more)


@contextmanager
def filming(dialect: Any, folder: Path, **more: Any) -> Iterator[Filming]:
    """A provider that takes jobs, needs one look to make a clip, and gives it out."""
    with serving(Act()) as fake:
        provider = Provider(dialect, fake)
        urls = getattr(dialect, "urls", None)
        settings = Settings(
            **{
                "base_urls": {dialect.url_name: dialect.base_url(fake.url), **(urls(fake.url) if urls else {})},
                "server_keys": {dialect.env_var: Secret(KEY)} if dialect.env_var else {},
                "connect_timeout": 5.0,
                "picture_timeout": 20.0,
                "job_timeout": 30.0,
                "job_poll": 0.01,
                "data_dir": folder,
                **more,
            }
        )
        yield Filming(engine_for(settings), settings, provider, dialect)


def end_of(events: Iterator[Event]) -> Final:
    """The one end of a run."""
    told = list(events)
    (final,) = [event for event in told if isinstance(event, Final)]
    assert told[-1] is final
    return final
