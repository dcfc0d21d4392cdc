"""Local servers that play every hosted provider at once, and the environment that aims a Space at them."""

from __future__ import annotations

import json
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass

from tests.support.fake_server import Act, FakeServer, serving
from tests.support.protocols import BY_BACKEND, Completions, Dialect

KEY = "hf_TESTKEYserverabcdef0123456789"  # of the form that a provider's keys have
ENDLESS = 3000  # words


@dataclass(frozen=True)
class Providers:
    """The servers by backend."""

    servers: dict[str, FakeServer]

    def environment(self, *, keys: bool = True) -> dict[str, str]:
        """Addresses, and with `keys` a key for each; nothing but this machine is called."""
        env = {"PLAYGROUND_OFFLINE": "1"}
        for backend, server in self.servers.items():
            dialect = BY_BACKEND[backend]
            env[f"{dialect.url_name.upper()}_BASE_URL"] = dialect.base_url(server.url)
            if keys:
                env[dialect.env_var] = KEY
        return env

    def reset(self) -> None:
        """Every server gives a whole answer from now on."""
        for backend, server in self.servers.items():
            server.reset(Act(chunks=BY_BACKEND[backend].answer()))

    def __getitem__(self, dialect: Dialect) -> FakeServer:
        return self.servers[dialect.backend]


@contextmanager
def providers() -> Iterator[Providers]:
    """All of them for the length of the block."""
    with ExitStack() as stack:
        yield Providers({b: stack.enter_context(serving(Act(chunks=d.answer()))) for b, d in BY_BACKEND.items()})


def saying(*parts: str, pause: float = 0.0, after: str = "") -> Act:
    """An OpenAI-compatible answer made of these parts."""
    one = Completions()
    words = [f"data: {json.dumps(one._word(part))}\n\n" for part in parts]
    end = [] if after else [f"data: {json.dumps(one._chunk({}, 'stop'))}\n\n", "data: [DONE]\n\n"]
    return Act(chunks=(*words, *end), pause=pause, after=after)


def endless(dialect: Dialect) -> Act:
    """An answer that goes on until its client hangs up: the last word of the opening over and over."""
    opening = dialect.opening()
    return Act(chunks=(*opening, *[opening[-1]] * ENDLESS), pause=0.05)
