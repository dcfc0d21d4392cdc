"""What happens on the GPU: one run, in a fork of this process that holds the models which were loaded when it was made.

Whatever goes in and comes out is pickled. Errors are told as what they are, and not raised: of anything raised but
Gradio's own `Error`, the package keeps the class's name alone.
"""

from __future__ import annotations

import threading
import time
import traceback
from collections.abc import Callable, Generator
from contextlib import closing
from contextvars import copy_context
from dataclasses import dataclass
from importlib import import_module
from typing import Any, ClassVar, TypeVar

from shared.backends import get_backend
from shared.backends.base import LoadedModel
from shared.catalog import Variant
from shared.cluster.messages import Begun, Broke, Done, Failed, Message
from shared.errors import InferenceError
from shared.events import Final
from shared.memory import PeakMemory
from shared.requests import Request
from shared.settings import Settings
from shared.streaming import Emit, stream

T = TypeVar("T")
LET_GO = 30.0  # seconds for a run that was stopped to end by itself


@dataclass(frozen=True)
class Work:
    """One run: of which model, on what, and how many seconds of a GPU are asked for."""

    variant: Variant
    request: Request
    seconds: int


class Here:
    """What a fork finds when it begins, as it was in the process that it is a fork of."""

    models: ClassVar[dict[str, LoadedModel]] = {}  # by the variant's key
    settings = Settings()


def on_gpu() -> Callable[[Work], Generator[Message, None, None]]:
    """`run_there` as the package runs it: the same at each call. There must be one before the server starts."""
    decorate = import_module("spaces").GPU  # by name: a type checker takes our folder for the package
    decorated: Callable[[Work], Generator[Message, None, None]] = decorate(run_there, duration=_seconds)
    return decorated


def _seconds(work: Work) -> int:
    return work.seconds


def run_there(work: Work) -> Generator[Message, None, None]:
    """Run it: `Begun`, its events, and an end. Closed early, it waits until the work has really stopped, since the
    fork and its GPU are then taken for free."""
    over = threading.Event()

    def run(emit: Emit) -> Final:
        try:
            return Final(_done(work, emit), None)  # type: ignore[arg-type]  # the receipt is made where it was asked for
        finally:
            over.set()

    try:
        with closing(stream(run)) as events:  # type: ignore[type-var]
            for event in events:
                yield event.output if isinstance(event, Final) else event
    except InferenceError as error:
        yield Failed(error)
    except Exception as error:
        yield Broke(type(error).__name__, traceback.format_exc())
    finally:
        over.wait(LET_GO)


def _done(work: Work, emit: Emit) -> Done:
    started = time.monotonic()
    model = Here.models.get(work.variant.key)
    if model is None:  # it was loaded after this fork was made; its files are on the disk by now
        model = get_backend(work.variant.backend).load(work.variant, Here.settings, emit)
        Here.models[work.variant.key] = model
    put: Callable[[Any], None] = emit
    put(Begun(time.monotonic() - started))
    with PeakMemory() as memory:
        return Done(model.run(work.request, emit), memory.growth_gb)


def emulated(load: Callable[[], T]) -> T:
    """Load a model onto a GPU that isn't there. What makes torch believe in one is set for each thread anew."""
    if threading.current_thread() is threading.main_thread():
        return load()  # the package was imported here, and has set it
    results: list[T] = []
    errors: list[BaseException] = []

    def work() -> None:
        from spaces.zero.torch import enter_mode

        try:
            enter_mode()
            results.append(load())
        except BaseException as error:
            errors.append(error)

    # A thread that ends takes the mode with it: leaving it by hand is not meant for several threads.
    thread = threading.Thread(target=copy_context().run, args=(work,), name="load")
    thread.start()
    thread.join()
    if errors:
        raise errors[0]
    return results[0]
