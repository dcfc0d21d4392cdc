"""Jobs at providers for `gradio_client`, HTTP and MCP: `/jobs` lists a caller's, `/job` looks at one."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import gradio as gr

from shared.engine import Engine
from shared.errors import InferenceError, NotReady, UnknownJob
from shared.events import Final
from shared.jobs.contents import read_request
from shared.jobs.job import Job
from shared.requests import Request
from shared.tasks import Task

Shown = Callable[[Final, Request], dict[str, Any]]  # what a caller gets of a job that is done


def jobs_of(engine: Engine, *tasks: Task) -> Callable[..., dict[str, Any]]:
    """The endpoint that lists those of the tasks."""

    def jobs(owner_token: str = "") -> dict[str, Any]:
        """The jobs that were sent with this token, newest first. Without one, a new token to send jobs with.

        Args:
            owner_token: what an earlier call gave; it is the only way to find the jobs again.
        """
        owner = engine.jobs.owners.owner(owner_token)
        token = owner_token if owner else engine.jobs.owners.new()
        return {"owner_token": token, "jobs": [_told(job) for job in engine.jobs.of(owner, *tasks)]}

    return jobs


def job_of(engine: Engine, shown: Shown, *tasks: Task) -> Callable[..., dict[str, Any]]:
    """The endpoint that looks at one. `shown` says what of its output a caller gets."""

    def job(job_id: str, owner_token: str) -> dict[str, Any]:
        """One look at a job at a provider: how far it is, and what it made once it is done. Nothing is paid again.

        Args:
            job_id: an `id` from /jobs.
            owner_token: the token that it was sent with.
        """
        try:
            owner = engine.jobs.owners.owner(owner_token)
            if not owner:
                raise UnknownJob
            found = engine.jobs.find(job_id, owner, *tasks)
            try:
                *_, final = engine.resume(job_id, owner=owner, wait=False)
            except NotReady as still:
                return {**_told(found), "progress": still.progress}
            assert isinstance(final, Final)
            made = shown(final, read_request(found.task, found.request))
            return {**_told(engine.jobs.find(job_id, owner)), **made}
        except InferenceError as error:
            raise gr.Error(str(error), print_exception=False) from None

    return job


def _told(job: Job) -> dict[str, Any]:
    return {
        "id": job.id,
        "model": job.model,
        "state": job.state,
        "note": job.note,
        "request": dict(job.request),
        "quoted_usd": job.quoted_usd,
        "created": job.created,
    }
