"""What the server does, for Prometheus. Labels are task, backend and mode: a few dozen values, none of them typed."""

from __future__ import annotations

import threading
from collections import Counter
from collections.abc import Iterator
from contextlib import contextmanager
from functools import cache
from typing import TYPE_CHECKING, Any

from shared.errors import NotReady
from shared.operation.draining import DRAIN, Drain
from shared.operation.seen import Seen
from shared.tasks import Task

if TYPE_CHECKING:
    from shared.receipts import Receipt

LABELS = ("task", "backend", "mode")
_SECONDS = (0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10, 30, 60, 120, 300, 600, 1800)
# Each receipt's figures that are sorted by size: name -> what it is, and where the receipt has it.
_TIMES = {
    "wait": "Seconds that a run waited for an engine to be free",
    "load": "Seconds that a run waited for its model to be loaded",
    "first_output": "Seconds from the start of a run proper to its first output",
    "run": "Seconds of a run, waiting and loading too",
}


class Metrics:
    """The figures of one process; a watcher of the engine's runs."""

    def __init__(self, drain: Drain = DRAIN) -> None:
        import prometheus_client as prometheus

        self.registry = prometheus.CollectorRegistry()
        made: dict[str, Any] = {"registry": self.registry}
        self._runs = prometheus.Counter(
            "playground_runs", "Runs that ended, by how they did", (*LABELS, "outcome"), **made
        )
        self._errors = prometheus.Counter("playground_errors", "Runs that failed, by kind", (*LABELS, "kind"), **made)
        self._times = {
            name: prometheus.Histogram(f"playground_{name}_seconds", words, LABELS, buckets=_SECONDS, **made)
            for name, words in _TIMES.items()
        }
        self._tokens = prometheus.Counter("playground_tokens", "Tokens", (*LABELS, "direction"), **made)
        self._cost = prometheus.Counter("playground_cost_usd", "US dollars that providers charge", LABELS, **made)
        self._unpriced = prometheus.Counter(
            "playground_unpriced_runs", "Hosted runs whose cost isn't known", LABELS, **made
        )
        self._memory = prometheus.Gauge(
            "playground_model_memory_bytes", "The most that the last run's model took", LABELS, **made
        )
        prometheus.Gauge("playground_draining", "1 while nothing new begins", **made).set_function(
            lambda: float(drain.draining)
        )
        prometheus.ProcessCollector(namespace="playground", **made)
        self._lock = threading.Lock()
        self._going: dict[int, Seen] = {}
        self.registry.register(_Going(self))

    @contextmanager
    def __call__(self, seen: Seen) -> Iterator[None]:
        """Count the run while it goes on, and what it took at its end."""
        with self._lock:
            self._going[id(seen)] = seen
        try:
            yield
        finally:
            with self._lock:
                del self._going[id(seen)]
            if not isinstance(seen.error, NotReady):  # a look at a job is no run
                self._count(seen)

    def text(self) -> bytes:
        """All of it in Prometheus' own form."""
        from prometheus_client import generate_latest

        return generate_latest(self.registry)

    def going(self) -> Counter[tuple[str, str]]:
        """How many runs there are now, by task and by whether they wait or work: those that wait are the queue."""
        with self._lock:
            return Counter((str(seen.spec.task), seen.state) for seen in self._going.values())

    def _count(self, seen: Seen) -> None:
        labels = (str(seen.spec.task), seen.variant.backend, str(seen.variant.mode))
        self._runs.labels(*labels, seen.outcome).inc()
        if seen.error is not None or seen.broke:
            self._errors.labels(*labels, seen.outcome).inc()
        if seen.receipt is not None:
            self._measure(seen.receipt, labels)

    def _measure(self, receipt: Receipt, labels: tuple[str, ...]) -> None:
        seconds = receipt.seconds
        times = {
            "wait": seconds.queue,
            "load": seconds.load,
            "first_output": seconds.first_output,
            "run": seconds.total,
        }
        for name, value in times.items():
            if value is not None:
                self._times[name].labels(*labels).observe(value)
        for direction, count in (("input", receipt.input_tokens), ("output", receipt.output_tokens)):
            if count:
                self._tokens.labels(*labels, direction).inc(count)
        if receipt.cost_usd is not None:
            self._cost.labels(*labels).inc(receipt.cost_usd)
        elif receipt.cost_note.startswith("unpriced"):
            self._unpriced.labels(*labels).inc()
        if receipt.memory_gb is not None:
            self._memory.labels(*labels).set(receipt.memory_gb * 2**30)


class _Going:
    """Collects the runs that go on at the moment of asking."""

    def __init__(self, metrics: Metrics) -> None:
        self._metrics = metrics

    def describe(self) -> list[Any]:
        """Nothing is known before it is asked."""
        return []

    def collect(self) -> Iterator[Any]:
        """One figure for each task and state, zeros too, so that a queue is seen to be empty."""
        from prometheus_client.core import GaugeMetricFamily

        counted = self._metrics.going()
        family = GaugeMetricFamily("playground_runs_now", "Runs that wait or work", labels=("task", "state"))
        for task in Task:
            for state in ("waiting", "working"):
                family.add_metric((str(task), state), counted[str(task), state])
        yield family


@cache
def metrics() -> Metrics:
    """The process's own."""
    return Metrics()
