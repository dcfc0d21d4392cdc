"""The one entry point that Spaces call: a model id and a request in, events out."""

from __future__ import annotations

import contextlib
import logging
import secrets
import traceback
from collections.abc import Callable, Iterator
from dataclasses import dataclass, replace
from functools import partial
from math import ceil
from typing import Any

from shared import machine as machines
from shared.backends import BACKENDS, get_backend
from shared.backends.base import Capabilities, LoadedModel, Outcome
from shared.catalog import Catalog, ModelSpec, Variant
from shared.catalog.custom import resolve
from shared.errors import (
    BackendError,
    Cancelled,
    ContentFiltered,
    ContextOverflow,
    InferenceError,
    InvalidRequest,
    NoBackendAvailable,
    UnknownModel,
)
from shared.events import Event, Final, Progress
from shared.memory import PeakMemory
from shared.placement import Plan, plan
from shared.pool import ModelPool
from shared.recording import Recorder, Run
from shared.requests import ChatRequest, Request, SpeechRequest
from shared.retries import RetryPolicy, with_retries
from shared.settings import Settings
from shared.streaming import CancelToken, Emit, stream
from shared.tasks import Mode, Task
from shared.trimming import estimate_tokens, fit, without_pictures

logger = logging.getLogger(__name__)
_LISTS = frozenset({"stop", "speakers", "shots"})  # fields of requests that are empty, not None, where nothing is set


@dataclass(frozen=True)
class Choice:
    """One row of the model list: a way to run a model, and why it can't run here (None: it can)."""

    spec: ModelSpec
    variant: Variant
    reason: str | None


class Engine:
    """Routes a request to an engine. Safe to share between threads; one a process is enough."""

    def __init__(
        self,
        catalog: Catalog,
        settings: Settings,
        machine: machines.Machine | None = None,
        pool: ModelPool | None = None,
        retry: RetryPolicy | None = None,
    ) -> None:
        self.catalog, self.settings = catalog, settings
        self.machine = machine or machines.probe()
        self.pool = pool or ModelPool(settings, self.machine)
        self._retry = retry or RetryPolicy()

    def with_catalog(self, catalog: Catalog | None) -> Engine:
        """The same engine over another list of models (None: this one). Models in memory are shared."""
        if catalog is None:
            return self
        return Engine(catalog, self.settings, self.machine, self.pool, self._retry)

    def find(self, model_id: str, settings: Settings | None = None, task: Task = Task.CHAT) -> ModelSpec:
        """The model by a catalogue id, a Hub id, a path or `provider:model`. Raises `UnknownModel`.

        `task`: what a model that is in no catalogue is wanted for.
        """
        with contextlib.suppress(UnknownModel):
            return self.catalog.get(model_id)
        return resolve(model_id, settings or self.settings, task) or self.catalog.get(model_id)

    def plan(
        self, spec: ModelSpec, mode: Mode | None = None, variant: str | None = None, settings: Settings | None = None
    ) -> Plan:
        """Which of the model's variants can run here, and why the others can't."""
        return plan(spec, self.machine, partial(_missing, settings or self.settings), mode=mode, variant=variant)

    def choices(self, task: Task, settings: Settings | None = None) -> list[Choice]:
        """Every way to run every model of the task, with the reason where it can't run here."""
        return [choice for spec in self.catalog.for_task(task) for choice in self.choices_for(spec, settings)]

    def choices_for(self, spec: ModelSpec, settings: Settings | None = None) -> list[Choice]:
        """Every way to run one model, in the catalogue's order."""
        refused = {r.variant.key: r.reason for r in self.plan(spec, settings=settings).refused}
        return [Choice(spec, v, refused.get(v.key)) for v in spec.variants]

    def generate(
        self,
        model_id: str,
        request: Request,
        *,
        mode: Mode | None = None,
        variant: str | None = None,
        settings: Settings | None = None,
        cancel: CancelToken | None = None,
    ) -> Iterator[Event]:
        """Run the request and yield its events, ending in one `Final`.

        `mode` or `variant` narrows the choice of engine; a run never leaves it. Closing the iterator stops
        the run and loses what is not yet yielded; pressing `cancel` stops it and still yields a `Final` with
        what came. Raises `InferenceError`; its `partial` holds what came before the error.
        """
        settings = settings or self.settings
        self._validate(request)
        spec = self.find(model_id, settings, request.TASK)
        if spec.task != request.TASK:
            raise InvalidRequest(f"{spec.name} is a model for {spec.task}, not for {request.TASK}. Choose another.")
        chosen = self.plan(spec, mode, variant, settings)
        if not chosen.candidates:
            reasons = [f"{BACKENDS[r.variant.backend].label}: {r.reason}" for r in chosen.refused]
            raise NoBackendAvailable(spec.name, reasons or ["It has no engine of that kind."])
        yield from stream(partial(self._first_that_works, spec, chosen, request, settings), cancel)

    def _validate(self, request: Request) -> None:
        request.validate()
        longest = max(map(len, request.texts()), default=0)
        most = self.settings.max_speech_chars if isinstance(request, SpeechRequest) else self.settings.max_prompt_chars
        if longest > most:
            raise InvalidRequest(
                f"The text has {longest:,} characters; this server takes {most:,}. Shorten it, or send it in parts."
            )

    def _first_that_works(
        self, spec: ModelSpec, chosen: Plan, request: Request, settings: Settings, emit: Emit
    ) -> Final:
        """Try the candidates in order. Only local ones follow one another: a fall-back must cost nothing."""
        notes: list[str] = []
        for variant, following in _pairs(chosen.candidates):
            recorder = Recorder(emit)
            try:
                return self._attempt(spec, variant, request, settings, recorder, notes)
            except BackendError as error:
                stay = recorder.began or isinstance(error, ContentFiltered)
                if stay or following is None or Mode.HOSTED in {variant.mode, following.mode}:
                    raise
                engines = BACKENDS[variant.backend].label, BACKENDS[following.backend].label
                notes.append(f"{engines[0]} failed ({error}); ran on {engines[1]} instead.")
                with contextlib.suppress(Cancelled):  # the next attempt sees it, and ends with a receipt
                    emit(Progress(notes[-1]))
        raise AssertionError("unreachable")

    def _attempt(
        self,
        spec: ModelSpec,
        variant: Variant,
        request: Request,
        settings: Settings,
        recorder: Recorder,
        notes: list[str],
    ) -> Final:
        capabilities = get_backend(variant.backend).capabilities(variant)
        honoured, unhonoured = _honour(_with_defaults(request, spec, capabilities), request, variant, capabilities)
        run = Run(
            spec=spec,
            variant=variant,
            request=honoured,
            capabilities=capabilities,
            unhonoured=unhonoured,
            notes=[*notes],
        )
        try:
            recorder.check()
            with self.pool.lease(variant, settings, recorder) as run.lease:
                return self._run(run, recorder)
        except Cancelled:
            return run.final(recorder.outcome("stopped", run.request), recorder)
        except InferenceError as error:
            if recorder.began:
                error.partial = run.final(recorder.outcome("cut", run.request), recorder)
            raise
        except Exception as error:
            logger.error("%s failed\n%s", variant.backend, settings.without_keys(traceback.format_exc()))
            unforeseen = BackendError(
                f"{BACKENDS[variant.backend].label} failed in a way that was not foreseen ({type(error).__name__}). "
                "Try again; if it fails again, choose another engine, and tell the server's keeper to look in its log."
            )
            if recorder.began:
                unforeseen.partial = run.final(recorder.outcome("cut", run.request), recorder)
            raise unforeseen from None  # its words may hold a key or a prompt

    def _run(self, run: Run, recorder: Recorder) -> Final:
        assert run.lease is not None
        model = run.lease.model
        run.capabilities = model.capabilities
        if isinstance(run.request, ChatRequest):
            _trim(run, model.capabilities.context_length or run.spec.context_length, model.count_tokens)
        recorder.restart()
        with PeakMemory() as memory:
            outcome = with_retries(lambda: _ask(run, model, recorder), recorder, lambda: recorder.began, self._retry)
        run.peak_gb = round(run.lease.memory_gb + memory.growth_gb, 4)
        return run.final(outcome, recorder)


def _trim(run: Run, limit: int | None, count: Callable[[Any], int | None]) -> None:
    run.request, dropped = fit(run.request, limit, count)  # type: ignore[arg-type]
    if dropped:
        run.notes.append(f"The {dropped} oldest messages were left out to fit the model's context.")


def _ask(run: Run, model: LoadedModel, recorder: Recorder) -> Outcome:
    """Run it. Where the provider alone knew how much the model reads, trim by what it says, and ask once more."""
    try:
        return model.run(run.request, recorder)
    except ContextOverflow as told:
        if not isinstance(run.request, ChatRequest) or run.request.overflow != "trim":
            raise
        share = told.needed / max(1, estimate_tokens(run.request))
        _trim(run, told.limit, lambda request: ceil(estimate_tokens(request) * share))
        return model.run(run.request, recorder)


def _missing(settings: Settings, variant: Variant) -> str | None:
    try:
        get_backend(variant.backend).check(variant, settings)
    except BackendError as error:
        return str(error)
    return None


def _pairs(variants: tuple[Variant, ...]) -> Iterator[tuple[Variant, Variant | None]]:
    yield from zip(variants, [*variants[1:], None], strict=True)


def _with_defaults(request: Request, spec: ModelSpec, capabilities: Capabilities) -> Request:
    """The model's own defaults where the person set nothing, and a seed, so that the run can be repeated."""
    own = {name: value for name, value in spec.defaults.items() if name not in request.derived}
    unset = {name: value for name, value in own.items() if getattr(request, name, None) is None}
    unset = {name: value for name, value in unset.items() if name in capabilities.parameters}
    if request.seed is None and capabilities.seed != "none":
        unset["seed"] = secrets.randbelow(2**31)
    request = replace(request, **unset)
    return replace(request, **request.implied(capabilities.parameters))


def _honour(
    request: Request, asked: Request, variant: Variant, capabilities: Capabilities
) -> tuple[Request, dict[str, str]]:
    """The request without what the engine can't follow, and the reason for each setting so dropped."""
    label = BACKENDS[variant.backend].label
    for name, deed in asked.ESSENTIAL.items():
        if getattr(asked, name) not in (None, ()) and (why := capabilities.reason(name, label)):
            raise InvalidRequest(f"This engine can't {deed}: {why} Choose another engine, or leave that out.")
    reasons = {name: capabilities.reason(name, label) for name in asked.settings()}
    dropped = {name: reason for name, reason in reasons.items() if reason is not None}
    dropped = {**asked.idle(), **dropped}
    blank: dict[str, Any] = {name: () if name in _LISTS else None for name in dropped}
    if isinstance(request, ChatRequest) and not capabilities.images:
        blank["messages"], left_out = without_pictures(request.messages)
        dropped |= {"pictures": left_out} if left_out else {}
    return replace(request, **blank), dropped
