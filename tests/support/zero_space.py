"""A Space as ZeroGPU runs it, by the platform's own package: with an engine of plain Python, and with no torch.

Without torch the package leaves out what needs a GPU (its emulation, and the moving of weights) and does all else: it
asks the platform for a GPU, forks, pickles, streams, and gives back.
"""

from __future__ import annotations

import os
import time

import gradio as gr

from shared.backends.base import Outcome
from shared.catalog import Catalog, ModelSpec, Variant
from shared.engine import Engine
from shared.errors import OutOfMemory
from shared.events import Partial
from shared.outputs import ChatOutput
from shared.requests import ChatRequest
from shared.settings import from_environment
from shared.streaming import Emit
from shared.tasks import Task
from shared.ui.chat.api import endpoints
from shared.ui.serve import serve
from shared.zerogpu.placing import place
from tests.support.fakes import WITH_GPU, FakeBackend, table_of_engines

LATE = "late"  # a model that is loaded after the first fork was made


def run(request: ChatRequest, emit: Emit) -> Outcome:
    """Do what the last message says."""
    said = request.messages[-1].content
    if said == "memory":
        raise OutOfMemory(40.0, 12.0)
    if said == "crash":
        raise ZeroDivisionError("a secret")
    if said == "die":
        os._exit(1)
    for word in range({"slow": 100, "endless": 100_000}.get(said, 3)):
        emit(Partial(f"{os.getpid()} " if word == 0 else f"word{word} "))
        time.sleep(0.02)
    return Outcome(output=ChatOutput(text=str(os.getpid())))


def main() -> None:
    """Serve until told to stop."""
    with table_of_engines() as add:
        backend = add(FakeBackend("toy", run=run))
        variants = {name: Variant(backend=backend.name, repo_id=name, memory_gb=1) for name in ("first", LATE)}
        specs = [
            ModelSpec(id=name, name=name, task=Task.CHAT, license="MIT", variants=(variant,), starter=name != LATE)
            for name, variant in variants.items()
        ]
        settings = from_environment()
        engine = Engine(Catalog(specs), settings, WITH_GPU)
        place(engine, [Task.CHAT])
        assert backend.loads == 1, "the first model is not laid ready before the start"
        with gr.Blocks() as demo:
            endpoints(engine)
        serve(demo, settings)
