"""The one entry point that Spaces call: a model id and a request in, events out."""

from __future__ import annotations

import contextlib
import logging
import traceback
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from functools import partial

from shared import machine as machines
from shared.asking import ask, trim
from shared.attempt import Run
from shared.backends import BACKENDS, get_backend
from shared.catalog import Catalog, ModelSpec, Variant
from shared.catalog.custom import resolve
from shared.errors import (
    BackendError,
    Cancelled,
    ContentFiltered,
    InferenceError,
    InvalidRequest,
    NoBackendAvailable,
    UnknownModel,
)
from shared.events import Event, Final, Progress
from shared.honouring import followed
from shared.jobs.desk import Errand, Jobs
from shared.jobs.job import Job
from shared.memory import PeakMemory
from shared.operation.seen import Seen, Watcher, watched
from shared.operation.watchers import watchers_of
from shared.placement import Plan, plan
from shared.pools import Pool, make_pool
from shared.quoting import Quote, quote
from shared.recording import Recorder
from shared.requests import ChatRequest, Request, SpeechRequest
from shared.retries import RetryPolicy, with_retries
from shared.settings import Settings
from shared.state.database import database_of
from shared.streaming import CancelToken, Emit, stream
from shared.tasks import Mode, Task

logger = logging.getLogger(__name__)


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
        pool: Pool | None = None,
        retry: RetryPolicy | None = None,
        jobs: Jobs | None = None,
        watchers: Sequence[Watcher] | None = None,
    ) -> None:
        self.catalog, self.settings = catalog, settings
        self.machine = machine or machines.probe()
        self.pool = pool or make_pool(settings, self.machine)
        self.jobs = jobs or Jobs(settings.data_dir / "jobs", database_of(settings))
        self._retry = retry or RetryPolicy()
        self.watchers = watchers_of(settings) if watchers is None else watchers

    def with_catalog(self, catalog: Catalog | None) -> Engine:
        """The same engine over another list of models (None: this one). Models in memory and jobs are shared."""
        if catalog is None:
            return self
        return Engine(catalog, self.settings, self.machine, self.pool, self._retry, self.jobs, self.watchers)

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
        check = partial(_missing, self.pool, settings or self.settings)
        return plan(spec, self.pool.machine, check, mode=mode, variant=variant)

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
        owner: str = "",
        opened: Callable[[Job], object] | None = None,
    ) -> Iterator[Event]:
        """Run the request and yield its events, ending in one `Final`.

        `mode` or `variant` narrows the choice of engine; a run never leaves it. Closing the iterator stops
        the run and loses what is not yet yielded; pressing `cancel` stops it and still yields a `Final` with
        what came. A job at a provider goes on there when the iterator is closed, and is called off by `cancel`
        only; `owner` (see `Jobs`) is who finds it again, and `opened` is told of it before it is sent. Raises
        `InferenceError`; its `partial` holds what came before the error.
        """
        settings = settings or self.settings
        spec, chosen = self._chosen(model_id, request, mode, variant, settings)
        seen = Seen(spec=spec, variant=chosen.candidates[0], request=request, settings=settings, owner=owner)
        errand = Errand(seen, owner=owner, opened=opened)
        # Of its time: who watches may have settled what the request leaves open.
        work = lambda emit: self._first_that_works(spec, chosen, seen.request, settings, errand, emit)  # noqa: E731
        yield from stream(watched(self.watchers, seen, work), cancel)

    def quote(
        self,
        model_id: str,
        request: Request,
        *,
        mode: Mode | None = None,
        variant: str | None = None,
        settings: Settings | None = None,
    ) -> Quote:
        """What `generate` would cost with the same arguments. Raises as it does before it starts."""
        settings = settings or self.settings
        spec, chosen = self._chosen(model_id, request, mode, variant, settings)
        first = chosen.candidates[0]
        capabilities = get_backend(first.backend).capabilities(first)
        honoured, _ = followed(request, spec, first, self.machine, capabilities)
        return quote(spec, first, honoured, settings, self.jobs.store, self.machine)

    def resume(
        self,
        job_id: str,
        *,
        owner: str | None = None,
        settings: Settings | None = None,
        cancel: CancelToken | None = None,
        wait: bool = True,
    ) -> Iterator[Event]:
        """Go on with a job that was sent before, and yield its events as `generate` does. Sends and pays nothing.

        `owner`: whose job it must be; None where the id alone is enough. `wait`: until it is done; otherwise
        `NotReady` is raised where it isn't. Raises `UnknownJob`, `MissingCredentials` where the key is missing now,
        or another `InferenceError`.
        """
        settings = settings or self.settings
        job = self.jobs.find(job_id, owner)
        if (final := self.jobs.result(job)) is not None:
            yield final
            return
        request = self.jobs.to_resume(job)
        spec = self.find(job.model, settings, request.TASK)
        variant = self.jobs.variant(job, spec)
        get_backend(variant.backend).check(variant, settings)
        seen = Seen(spec=spec, variant=variant, request=request, settings=settings, owner=job.owner, resumes=True)
        errand = Errand(seen, owner=job.owner, job=job, wait=wait)

        def work(emit: Emit) -> Final:
            with self.jobs.following(job):
                return self._attempt(spec, variant, request, settings, Recorder(emit, seen), [], errand)

        yield from stream(watched(self.watchers, seen, work), cancel)

    def _chosen(
        self, model_id: str, request: Request, mode: Mode | None, variant: str | None, settings: Settings
    ) -> tuple[ModelSpec, Plan]:
        """The model, and the ways to run it that can be used. Raises `InferenceError` where there is none."""
        self._validate(request)
        spec = self.find(model_id, settings, request.TASK)
        if spec.task != request.TASK:
            raise InvalidRequest(f"{spec.name} is a model for {spec.task}, not for {request.TASK}. Choose another.")
        chosen = self.plan(spec, mode, variant, settings)
        if not chosen.candidates:
            reasons = [f"{BACKENDS[r.variant.backend].label}: {r.reason}" for r in chosen.refused]
            raise NoBackendAvailable(spec.name, reasons or ["It has no engine of that kind."])
        return spec, chosen

    def _validate(self, request: Request) -> None:
        request.validate()
        longest = max(map(len, request.texts()), default=0)
        most = self.settings.max_speech_chars if isinstance(request, SpeechRequest) else self.settings.max_prompt_chars
        if longest > most:
            raise InvalidRequest(
                f"The text has {longest:,} characters; this server takes {most:,}. Shorten it, or send it in parts."
            )

    def _first_that_works(
        self, spec: ModelSpec, chosen: Plan, request: Request, settings: Settings, errand: Errand, emit: Emit
    ) -> Final:
        """Try the candidates in order. Only local ones follow one another: a fall-back must cost nothing."""
        notes: list[str] = []
        for variant, following in _pairs(chosen.candidates):
            recorder = Recorder(emit, errand.seen)
            errand.seen.variant = variant
            try:
                return self._attempt(spec, variant, request, settings, recorder, notes, errand)
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
        errand: Errand,
    ) -> Final:
        capabilities = get_backend(variant.backend).capabilities(variant)
        honoured, unhonoured = followed(request, spec, variant, self.machine, capabilities)
        run = Run(
            spec=spec,
            variant=variant,
            request=honoured,
            capabilities=capabilities,
            unhonoured=unhonoured,
            notes=[*notes],
        )
        if not capabilities.jobs:
            return self._carried_out(run, settings, recorder)
        with self.jobs.kept(run, settings, errand, recorder) as book:
            return book.closed(self._carried_out(run, settings, recorder, errand.wait))

    def _carried_out(self, run: Run, settings: Settings, recorder: Recorder, wait: bool = True) -> Final:
        variant = run.variant
        try:
            recorder.check()
            with self.pool.lease(variant, settings, recorder) as run.lease:
                return self._run(run, recorder, wait)
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

    def _run(self, run: Run, recorder: Recorder, wait: bool) -> Final:
        assert run.lease is not None
        model = run.lease.model
        run.capabilities = model.capabilities
        if isinstance(run.request, ChatRequest):
            trim(run, model.capabilities.context_length or run.spec.context_length, model.count_tokens)
        recorder.restart()
        with PeakMemory() as memory:
            outcome = with_retries(
                lambda: ask(run, model, recorder, wait), recorder, lambda: recorder.bound, self._retry
            )
        run.peak_gb = round(run.lease.memory_gb + memory.growth_gb, 4)
        return run.final(outcome, recorder)


def _missing(pool: Pool, settings: Settings, variant: Variant) -> str | None:
    try:
        pool.check(variant, settings)
    except BackendError as error:
        return str(error)
    return None


def _pairs(variants: tuple[Variant, ...]) -> Iterator[tuple[Variant, Variant | None]]:
    yield from zip(variants, [*variants[1:], None], strict=True)
