"""What a run writes down of its job as it goes on: before it is sent, when the provider took it, and at its end."""

from __future__ import annotations

import secrets
import time
from dataclasses import replace
from typing import TYPE_CHECKING

from shared.backends import BACKENDS
from shared.errors import InferenceError, NotReady
from shared.events import Final
from shared.jobs.contents import written_output, written_request
from shared.jobs.job import Job, JobTold
from shared.jobs.store import JobStore

if TYPE_CHECKING:
    from shared.attempt import Run
    from shared.settings import Settings


class Book:
    """One run's entry. `job` is as it stands in the store."""

    def __init__(self, store: JobStore, run: Run, job: Job, settings: Settings, *, whole: bool) -> None:
        self._store, self._run, self._settings = store, run, settings
        self._whole = whole  # watched from its beginning to its end
        self.job = job

    @classmethod
    def opened(
        cls, store: JobStore, run: Run, settings: Settings, owner: str, quoted_usd: float | None, job: Job | None
    ) -> Book:
        """For a run that is to be sent, or that goes on with `job`."""
        if job is not None:
            began = time.strftime("%d %B %Y, %H:%M UTC", time.gmtime(job.created))
            run.notes.append(f"Sent on {began} and picked up again later; the times are those of the last part.")
            return cls(store, run, job, settings, whole=False)
        now = time.time()
        new = Job(
            id=secrets.token_urlsafe(18),
            owner=owner,
            task=run.spec.task,
            model=run.spec.id,
            name=run.spec.name,
            variant=run.variant.key,
            provider=BACKENDS[run.variant.backend].label,
            created=now,
            updated=now,
            request=written_request(run.request),
            quoted_usd=quoted_usd,
        )
        store.add(new)
        return cls(store, run, new, settings, whole=True)

    @property
    def sent(self) -> bool:
        """Whether it may have reached the provider: then it is never sent again."""
        return self.job.state != "sending"

    def told(self, told: JobTold) -> None:
        """Write down what became of it. Returns once it is on the disk."""
        note = self._settings.without_keys(told.note)
        self.job = self._store.change(
            self.job, state=told.state, upstream=told.upstream or self.job.upstream, note=note or self.job.note
        )
        if note and note not in self._run.notes:
            self._run.notes.append(note)

    def closed(self, final: Final) -> Final:
        """The run ended in this. What a person stopped before it was sent is forgotten."""
        if getattr(final.output, "finish_reason", "stop") == "stopped":
            if not self.sent:
                self._store.forget(self.job.id)
            return final
        if self._whole:
            seconds = {"job_seconds": round(time.time() - self.job.created, 1)}
            final = replace(final, receipt=replace(final.receipt, extra={**final.receipt.extra, **seconds}))
        facts, data, suffix = written_output(self.job.task, final.output)
        name = self._store.write(self.job, data, suffix)
        self.job = self._store.change(
            self.job, state="done", note="", receipt=final.receipt.to_dict(), result=facts, file=name
        )
        return final

    def broke(self, error: InferenceError) -> None:
        """The run ended in an error. One that came before the provider took the job is its end."""
        if isinstance(error, NotReady):
            return
        state = self.job.state
        if state == "sending":
            state = "failed"
        elif state == "running" and not self.job.upstream:
            state = "unsure"  # a provider that works without a queue: there is nothing to go on with
        self.job = self._store.change(self.job, state=state, note=self._settings.without_keys(str(error)))
