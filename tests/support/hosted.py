"""Aims the real SDKs at a local server that plays their provider."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, replace
from typing import Any

from shared.catalog import Catalog
from shared.engine import Engine
from shared.machine import Machine
from shared.requests import ChatRequest, Message
from shared.retries import RetryPolicy
from shared.settings import Secret, Settings
from tests.support.contract import Case
from tests.support.fake_server import Act, FakeServer, serving
from tests.support.protocols import Dialect

# Of the form that a provider's keys have, so that what recognises keys is put to the test.
KEY = "hf_TESTKEYabcdef0123456789"
ONCE = RetryPolicy(attempts=1)
QUICK = RetryPolicy(attempts=3, base=0.01, cap=0.05, patience=2.0, deadline=10.0)


@dataclass(frozen=True)
class Hosted(Case):
    """A case, the server behind it, and the provider's way of speaking."""

    fake: FakeServer = None  # type: ignore[assignment]
    dialect: Dialect = None  # type: ignore[assignment]

    def asking(self, text: str = "What is blue?", **settings: Any) -> ChatRequest:
        """A request with these settings."""
        return ask(text, **settings)

    def with_settings(self, **changes: Any) -> Hosted:
        """The same with other settings of the server."""
        assert self.settings is not None
        return replace(self, settings=replace(self.settings, **changes))


def ask(text: str = "What is blue?", **settings: Any) -> ChatRequest:
    """A conversation of one message."""
    settings.setdefault("messages", (Message("user", text),))
    return ChatRequest(**settings)


def settings_for(dialect: Dialect, root: str, **more: Any) -> Settings:
    """The server's settings: the provider's address is the fake's, and its key is `KEY`."""
    given: dict[str, Any] = {
        "base_urls": {dialect.url_name: dialect.base_url(root)},
        "server_keys": {dialect.env_var: Secret(KEY)},
        "connect_timeout": 5.0,
        "first_output_timeout": 20.0,
        "total_timeout": 30.0,
    }
    return Settings(**{**given, **more})


def engine_for(settings: Settings, retry: RetryPolicy = QUICK) -> Engine:
    """An engine without a catalogue: models are named as `provider:model`."""
    machine = Machine(system="Linux", arch="x86_64", cores=2, ram_gb=8.0)
    return Engine(Catalog([]), settings, machine, retry=retry)


def once(case: Hosted) -> Hosted:
    """The same without retries."""
    assert case.settings is not None
    return replace(case, engine=engine_for(case.settings, ONCE))


@contextmanager
def hosted(dialect: Dialect, act: Act | None = None, **more: Any) -> Iterator[Hosted]:
    """A case for this provider; without an act, it gives a whole answer."""
    with serving(act or Act(chunks=dialect.answer())) as fake:
        settings = settings_for(dialect, fake.url, **more)
        engine = engine_for(settings)
        yield Hosted(engine, dialect.model, ask(), settings, fake=fake, dialect=dialect)
