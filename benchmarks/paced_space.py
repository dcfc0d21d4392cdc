"""The chat Space over an engine that only keeps time, so that what is measured is the server and not a model.

python benchmarks/paced_space.py   (PLAYGROUND_PORT says where)
"""

from __future__ import annotations

import runpy
import sys
from pathlib import Path
from typing import Any

sys.path.insert(0, str(Path(__file__).resolve().parents[1]))

from shared.backends import BACKENDS, Entry
from shared.backends.base import Capabilities, Outcome
from shared.catalog import Catalog, ModelSpec, Variant
from shared.classroom.queueing import lanes
from shared.engine import Engine
from shared.events import Partial
from shared.outputs import ChatOutput
from shared.settings import from_environment
from shared.tasks import Task
from shared.ui.serve import serve

ROOT = Path(__file__).resolve().parents[1]
PACE, WORDS = 0.05, 64  # seconds between words, and how many: an answer of 3.2 seconds


class Paced:
    """A backend that says a word every `PACE` seconds, for as many people as ask."""

    def check(self, variant: Any, settings: Any) -> None:
        """It is always there."""

    def capabilities(self, variant: Any) -> Capabilities:
        """It streams, and takes a length."""
        return Capabilities(seed="none", parameters=frozenset({"max_tokens"}))

    def load(self, variant: Any, settings: Any, emit: Any) -> PacedModel:
        """At once."""
        return PacedModel()


class PacedModel:
    """Its model."""

    capabilities = Paced().capabilities(None)
    concurrency = 0
    facts: dict[str, Any] = {}  # noqa: RUF012

    def count_tokens(self, request: Any) -> None:
        """Not told."""

    def run(self, request: Any, emit: Any) -> Outcome:
        """Say it, word by word."""
        for number in range(WORDS):
            emit.cancel.wait(PACE)
            emit(Partial(f"word{number} "))
        return Outcome(output=ChatOutput(text="".join(f"word{n} " for n in range(WORDS))))

    def close(self) -> None:
        """Nothing is held."""


def main() -> None:
    """Serve it."""
    BACKENDS["paced"] = Entry("__main__:Paced", "paced")
    # Where the server is a class: as many at once as are in it, so that nobody waits for the engine.
    lanes()["paced"] = {"places": 500, "backends": ["paced"]}
    spec = ModelSpec(
        id="paced", name="Paced", task=Task.CHAT, license="none", variants=(Variant(backend="paced", repo_id="paced"),)
    )
    engine = Engine(Catalog([spec]), from_environment())
    serve(runpy.run_path(str(ROOT / "spaces" / "chat" / "app.py"))["build"](engine))


if __name__ == "__main__":
    main()
