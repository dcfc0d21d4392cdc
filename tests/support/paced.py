"""An engine made of plain Python that other processes can load too: it says its pieces one after another, with a pause
between them, as `variant.options` tell."""

from __future__ import annotations

import os
import time
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from shared.backends import BACKENDS, Entry, get_backend
from shared.backends.base import Capabilities, Outcome, Usage
from shared.catalog import Variant
from shared.errors import BackendError, ContextOverflow, CorruptWeights, InvalidRequest
from shared.events import Partial, Progress
from shared.outputs import ChatOutput
from shared.requests import ChatRequest
from shared.settings import Settings
from shared.streaming import Emit

NAME = "paced"
WORDS = ["one", "two", "three", "four", "five", "six", "seven", "eight", "nine", "ten"]
ERRORS: Mapping[str, Any] = {
    "invalid": InvalidRequest("That is no request."),
    "overflow": ContextOverflow(900, 100),
    "broke": ZeroDivisionError("secret words"),
}


class PacedModel:
    """Says the words, after its process's number where the text is "Who?". It may be the name of an error in `ERRORS`.
    "Later FILE" writes the process's number to that file, and says the first word after a while."""

    def __init__(self, variant: Variant) -> None:
        self.capabilities = Paced().capabilities(variant)
        self.concurrency = int(variant.options.get("concurrency", 0))
        self.facts = {"device": "cpu", "versions": {"paced": "1"}, "pid": os.getpid()}
        self._pause = float(variant.options.get("pause", 0.0))
        self._pieces = int(variant.options.get("pieces", len(WORDS)))
        self._mark = variant.options.get("mark")
        self.closed = 0

    def count_tokens(self, request: ChatRequest) -> int | None:
        return sum(len(m.content.split()) for m in request.messages)

    def run(self, request: ChatRequest, emit: Emit) -> Outcome:
        if error := ERRORS.get(request.messages[-1].content):
            raise error
        if request.messages[-1].content.startswith("Later "):
            Path(request.messages[-1].content.removeprefix("Later ")).write_text(str(os.getpid()), "utf-8")
            time.sleep(1.5)
        first = [f"{os.getpid()} "] if request.messages[-1].content == "Who?" else []
        said = first + [f"{WORDS[n % len(WORDS)]} " for n in range(self._pieces)]
        try:
            for piece in said:
                if self._pause:
                    time.sleep(self._pause)
                emit(Partial(piece))
        except BaseException:
            self._write("stopped")
            raise
        facts = {"request_id": str(os.getpid())}
        return Outcome(output=ChatOutput(text="".join(said)), usage=Usage(output_tokens=len(said)), facts=facts)

    def close(self) -> None:
        self.closed += 1

    def _write(self, what: str) -> None:
        if self._mark:
            with open(self._mark, "a", encoding="utf-8") as file:
                file.write(f"{what}\n")


class Paced:
    """`variant.options`: `pieces`, `pause` (seconds), `concurrency`, `load` (seconds), `fails` (while that file is
    there), `keys` (a file to write the environment's keys to), `mark` (a file to write to when a run is stopped)."""

    def check(self, variant: Variant, settings: Settings) -> None:
        if variant.options.get("missing"):
            raise BackendError(str(variant.options["missing"]))

    def capabilities(self, variant: Variant) -> Capabilities:
        parameters = frozenset({"seed", "temperature", "max_tokens"})
        length = variant.options.get("context")
        return Capabilities(parameters=parameters, seed="exact", context_length=length)

    def load(self, variant: Variant, settings: Settings, emit: Emit) -> PacedModel:
        end = time.monotonic() + float(variant.options.get("load", 0.0))
        step = 0
        while time.monotonic() < end:
            step += 1
            emit(Progress("Reading weights", step))
            time.sleep(0.02)
        if (fails := variant.options.get("fails")) and os.path.exists(fails):
            raise CorruptWeights("The file is cut short. Download it again.")
        return PacedModel(variant)


@contextmanager
def listed() -> Iterator[None]:
    """The engine stands in the table of engines for the length of the block."""
    BACKENDS[NAME] = Entry(f"{__name__}:Paced", "The paced engine")
    get_backend.cache_clear()
    try:
        yield
    finally:
        del BACKENDS[NAME]
        get_backend.cache_clear()


def paced(repo_id: str = "some/model", **more: Any) -> Variant:
    """A way to run a model on it; `memory_gb` and the like go to the variant, the rest to its options."""
    own = {name: more.pop(name) for name in ("memory_gb", "device") if name in more}
    return Variant(backend=NAME, repo_id=repo_id, options=more, **own)
