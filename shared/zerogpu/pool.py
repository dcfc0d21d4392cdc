"""Models on ZeroGPU, with the one-machine pool's face: what needs a GPU is run by a fork that is lent one."""

from __future__ import annotations

import time
from collections.abc import Generator, Mapping
from contextlib import closing
from dataclasses import replace
from typing import Any

from shared.backends import BACKENDS
from shared.backends.base import Capabilities, LoadedModel, Outcome
from shared.catalog import Variant
from shared.cluster.messages import Begun, Broke, Counted, Done, Failed, Message, Ready, Stopped
from shared.errors import BackendError, InferenceError
from shared.events import Progress
from shared.machine import Machine
from shared.placement import device_of
from shared.pool import ModelPool
from shared.requests import Request
from shared.settings import Settings
from shared.streaming import Emit
from shared.zerogpu.asking import Pace
from shared.zerogpu.running import Here, Work, emulated, on_gpu
from shared.zerogpu.told import translated, was_aborted


def is_lent(variant: Variant, machine: Machine) -> bool:
    """Whether it is run by a fork: what reaches a GPU by torch, which is made to believe in one here."""
    return BACKENDS[variant.backend].torch and device_of(variant, machine) == "cuda"


class ZeroGpuPool(ModelPool):
    """Loads what runs on a GPU as the platform wants it; all else runs in this process, as anywhere."""

    def __init__(self, settings: Settings, machine: Machine | None = None) -> None:
        super().__init__(settings, machine)
        self.pace = Pace()
        Here.settings = settings
        on_gpu()

    def bring(self, variant: Variant, settings: Settings, emit: Emit) -> LoadedModel:
        """Load it; see `ModelPool.bring`."""
        if not is_lent(variant, self.machine):
            return super().bring(variant, settings, emit)
        model = emulated(lambda: super(ZeroGpuPool, self).bring(variant, settings, emit))
        Here.models[variant.key] = model
        return LentModel(variant, model, self.pace)


class LentModel:
    """A model whose runs go to a GPU that is lent for each. Each fork is a copy, so it serves any number at once."""

    concurrency = 0

    def __init__(self, variant: Variant, model: LoadedModel, pace: Pace) -> None:
        self._variant, self._model, self._pace = variant, model, pace
        self.capabilities: Capabilities = model.capabilities
        self.facts: Mapping[str, Any] = model.facts

    def count_tokens(self, request: Request) -> int | None:
        """As the model counts; that needs no GPU."""
        return self._model.count_tokens(request)

    def run(self, request: Request, emit: Emit) -> Outcome:
        """Ask for a GPU, and run on it. Raises `LimitReached` over a quota, and what the run itself raises."""
        work = Work(self._variant, request, self._pace.seconds(self._variant, request))
        emit(Progress(f"Asking for a GPU for {work.seconds} seconds"))
        began = time.monotonic()
        with closing(self._told(work)) as messages:
            for each in messages:
                if isinstance(each, Begun):
                    began = time.monotonic()
                elif isinstance(each, Done):
                    took = time.monotonic() - began
                    self._pace.learn(self._variant, request, took)
                    return _noted(each, work, took)
                elif isinstance(each, Failed):
                    raise each.error
                elif isinstance(each, Broke):
                    raise type(each.kind, (Exception,), {})(each.trace)  # as it would be raised here
                elif not isinstance(each, Ready | Counted | Stopped):
                    emit(each)
        emit.check()
        raise BackendError("The run ended on the GPU without a result. Try again, or choose another engine.")

    def close(self) -> None:
        """Give the model back; forks that have it keep it until they end."""
        if Here.models.get(self._variant.key) is self._model:
            del Here.models[self._variant.key]
        self._model.close()

    def _told(self, work: Work) -> Generator[Message, None, None]:
        """What the fork tells. Raises what the platform says in words of ours."""
        try:
            with closing(on_gpu()(work)) as messages:
                yield from messages
        except InferenceError:
            raise
        except Exception as error:
            if was_aborted(error):
                self._pace.learn(work.variant, work.request, work.seconds)
            raise translated(error, work.seconds) from error


def _noted(done: Done, work: Work, took: float) -> Outcome:
    """The outcome with words on the GPU: what this process can't measure, since it happened in another."""
    facts = dict(done.outcome.facts)
    words = f"ZeroGPU: a GPU was asked for for {work.seconds} s, and used for {took:.1f} s"
    words += f"; memory there grew by {done.growth_gb:.2f} GB."
    return replace(done.outcome, facts={**facts, "notes": (*facts.get("notes", ()), words)})
