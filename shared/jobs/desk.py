"""The jobs of a server, for the engine and for who sent them."""

from __future__ import annotations

import threading
from collections.abc import Callable, Iterator
from contextlib import closing, contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

from shared.backends import get_backend
from shared.errors import InferenceError, InvalidRequest, UnknownJob, UnknownModel
from shared.events import Final
from shared.jobs.book import Book
from shared.jobs.contents import read_output, read_request
from shared.jobs.job import Job, JobTold
from shared.jobs.owners import Owners
from shared.jobs.store import JobStore
from shared.receipts import Receipt
from shared.state.database import Database
from shared.streaming import Emitter

if TYPE_CHECKING:
    from shared.attempt import Run
    from shared.catalog import ModelSpec, Variant
    from shared.operation.seen import Seen
    from shared.recording import Recorder
    from shared.requests import Request
    from shared.settings import Settings


@dataclass(frozen=True)
class Errand:
    """Who a run is for (`owner`), the `job` that it goes on with, and whether it is to `wait` for that one's end.

    `opened` is told of a new job once it is written down and before it is sent; what it raises keeps it here.
    `seen`: what those who watch the run are told of it.
    """

    seen: Seen
    owner: str = ""
    job: Job | None = None
    wait: bool = True
    opened: Callable[[Job], object] | None = None


class Jobs:
    """`owners` gives browsers the tokens by which they find their own jobs; `store` keeps these."""

    def __init__(self, folder: Path, database: Database | None = None) -> None:
        self.store, self.owners = JobStore(folder, database), Owners(folder, database)
        self._lock = threading.Lock()
        self._followed: set[str] = set()

    def of(self, owner: str, *tasks: str) -> list[Job]:
        """The owner's jobs of those kinds, the newest first."""
        return [job for job in self.store.of(owner) if job.task in tasks]

    def find(self, job_id: str, owner: str | None = None, *tasks: str) -> Job:
        """The job; with an `owner`, only theirs, and with `tasks`, only of those kinds. Raises `UnknownJob`."""
        job = self.store.get(job_id)
        if job is None or (owner is not None and job.owner != owner) or (tasks and job.task not in tasks):
            raise UnknownJob
        return job

    def result(self, job: Job) -> Final | None:
        """The end of a job that is done, as its run told it; None for any other."""
        data = self.store.read(job) if job.state == "done" else None
        if data is None:
            return None
        return Final(read_output(job.task, job.result, data), Receipt.from_dict(job.receipt))

    def to_resume(self, job: Job) -> Request:
        """The request of a job that the provider has. Raises `InvalidRequest` where there is nothing to go on with."""
        if job.state != "running" or not job.upstream:
            words = job.note or "Its result isn't here any more."
            raise InvalidRequest(f"There is nothing to go on with. {words}")
        return read_request(job.task, job.request)

    def variant(self, job: Job, spec: ModelSpec) -> Variant:
        """The way to the model that the job went. Raises `UnknownModel` where the list has it no more."""
        found = next((variant for variant in spec.variants if variant.key == job.variant), None)
        if found is None:
            raise UnknownModel(f"{job.name} isn't listed here any more in the way that this job was sent.")
        return found

    def is_followed(self, job: Job) -> bool:
        """Whether a run of this server is looking after it now."""
        with self._lock:
            return job.id in self._followed

    @contextmanager
    def following(self, job: Job) -> Iterator[None]:
        """Say so for the length of the block."""
        with self._lock:
            self._followed.add(job.id)
        try:
            yield
        finally:
            with self._lock:
                self._followed.discard(job.id)

    @contextmanager
    def kept(self, run: Run, settings: Settings, errand: Errand, recorder: Recorder) -> Iterator[Book]:
        """The run's book, which is told what becomes of the job, errors too."""
        quoted = None if errand.job is not None else _quoted(run, settings)
        book = Book.opened(self.store, run, settings, errand.owner, quoted, errand.job)
        recorder.book = book
        with self.following(book.job):
            try:
                if errand.opened is not None and errand.job is None:
                    errand.opened(book.job)
                yield book
            except InferenceError as error:
                book.broke(error)
                raise

    def call_off(self, job: Job, spec: ModelSpec, settings: Settings) -> Job:
        """Have the provider stop it, where it can: the job's `note` says what came of that. Raises `InferenceError`."""
        self.to_resume(job)
        variant = self.variant(job, spec)
        backend = get_backend(variant.backend)
        backend.check(variant, settings)
        note = _Note(self.store, job)
        with closing(backend.load(variant, settings, note)) as model:
            model.call_off(job.upstream, note)  # type: ignore[attr-defined]
        return note.noted


class _Note(Emitter):
    """Writes down what becomes of a job outside of a run."""

    def __init__(self, store: JobStore, job: Job) -> None:
        super().__init__(lambda event: None)
        self._store, self.noted = store, job

    def job(self, told: JobTold) -> None:
        """Write it down."""
        self.noted = self._store.change(self.noted, state=told.state, note=told.note)


def _quoted(run: Run, settings: Settings) -> float | None:
    ask: Any = getattr(get_backend(run.variant.backend), "quote", None)
    try:
        usd: float | None = ask(run.variant, settings, run.request).usd if ask else None
    except InferenceError:  # the run itself will tell it
        return None
    return usd
