"""What is known of a job, and the states it goes through."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any, Literal

# sending:   it is being handed to the provider, whose own name for it isn't known yet
# running:   the provider took it: it waits or works there
# done:      its result lies here
# failed:    the provider refused it, or made nothing of it
# cancelled: the provider was told to stop, and did
# unsure:    whether the provider took it isn't known; it is never sent again by itself
JobState = Literal["sending", "running", "done", "failed", "cancelled", "unsure"]
PENDING: frozenset[JobState] = frozenset({"sending", "running"})


@dataclass(frozen=True)
class JobTold:
    """What became of a job: the provider's own id for it, once there is one, and words for the person."""

    state: JobState
    upstream: str = ""
    note: str = ""


@dataclass(frozen=True, kw_only=True)
class Job:
    """One row of the store. No key is in it.

    `id` can't be guessed; `owner` is who may see it (see `owners.py`), "" for nobody but who has the id. `variant` is a
    `Variant.key`, `upstream` the provider's own id. `request`: its fields but for pictures. `created`, `updated`:
    seconds since 1970. `quoted_usd`: what it was expected to cost, None where no price is known. `receipt` and
    `result` (fields of the output but for its bytes): once it is done. `file`: the name of the result's file.
    """

    id: str
    owner: str
    task: str
    model: str
    name: str
    variant: str
    provider: str
    created: float
    updated: float
    state: JobState = "sending"
    upstream: str = ""
    note: str = ""
    request: Mapping[str, Any] = field(default_factory=dict)
    quoted_usd: float | None = None
    receipt: Mapping[str, Any] = field(default_factory=dict)
    result: Mapping[str, Any] = field(default_factory=dict)
    file: str = ""

    @property
    def pending(self) -> bool:
        """Whether it may still bring something."""
        return self.state in PENDING
