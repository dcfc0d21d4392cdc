"""Who looks on at every run of a server, by its settings."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager

from shared.classroom.desk import class_of
from shared.classroom.watching import class_watchers
from shared.operation.budgeting import Budgeting
from shared.operation.draining import DRAIN
from shared.operation.keeping import Keeping
from shared.operation.logs import logged
from shared.operation.metrics import metrics
from shared.operation.seen import Seen, Watcher
from shared.operation.tracing import tracing
from shared.settings import Settings
from shared.state.database import database_of
from shared.state.history import history_of
from shared.state.ledger import Ledger, Unit


def watchers_of(settings: Settings) -> tuple[Watcher, ...]:
    """The first is outermost: what a later one refuses is still counted and logged; a draining server does neither."""
    found: list[Watcher] = [drained, metrics(), logged]
    if settings.otlp_endpoint and (tracer := tracing(settings.otlp_endpoint)):
        found.append(tracer)
    database = database_of(settings)
    if settings.history:
        found.append(Keeping(history_of(settings), prompts=settings.log_prompts))
    if settings.budget_usd is not None:
        found.append(Budgeting(Ledger(database), caps={Unit.MONEY: settings.budget_usd}))
    if settings.classroom:
        found.extend(class_watchers(class_of(settings)))
    return tuple(found)


@contextmanager
def drained(_: Seen) -> Iterator[None]:
    """The run is waited for when the server ends, and none begins then."""
    with DRAIN.run():
        yield
