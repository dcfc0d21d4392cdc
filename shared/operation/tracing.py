"""Traces of runs by OpenTelemetry, for a keeper who collects them. The packages are optional."""

from __future__ import annotations

import logging
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

from shared.operation.logs import told
from shared.operation.seen import Seen

logger = logging.getLogger(__name__)
PACKAGES = "opentelemetry-sdk opentelemetry-exporter-otlp-proto-http"
SERVICE = "genai-playgrounds"


class Tracing:
    """A watcher: a span for each run, sent to `<endpoint>/v1/traces` by OTLP over HTTP in a thread of its own.

    Raises `ImportError` where a package is missing. The attributes are what a log may know too.
    """

    def __init__(self, endpoint: str) -> None:
        from opentelemetry.exporter.otlp.proto.http.trace_exporter import OTLPSpanExporter
        from opentelemetry.sdk.resources import OTELResourceDetector, Resource
        from opentelemetry.sdk.trace import TracerProvider
        from opentelemetry.sdk.trace.export import BatchSpanProcessor

        # A provider of its own: packages that trace too don't send what they know of prompts here.
        # How a keeper names their servers (OTEL_SERVICE_NAME, OTEL_RESOURCE_ATTRIBUTES) goes before our own name.
        resource = Resource.create({"service.name": SERVICE}).merge(OTELResourceDetector().detect())
        self._provider = TracerProvider(resource=resource)
        exporter = OTLPSpanExporter(endpoint=f"{endpoint.rstrip('/')}/v1/traces")
        self._provider.add_span_processor(BatchSpanProcessor(exporter))
        self._tracer = self._provider.get_tracer("shared.engine")

    @contextmanager
    def __call__(self, seen: Seen) -> Iterator[None]:
        """The run as a span; a look at a job that was sent before has none."""
        from opentelemetry.trace import StatusCode

        if seen.resumes:
            yield
            return
        name = f"run {seen.spec.task}"
        with self._tracer.start_as_current_span(name, record_exception=False, set_status_on_exception=False) as span:
            try:
                yield
            finally:
                span.set_attributes({f"playground.{key}": value for key, value in told(seen).items()})
                if seen.error is not None or seen.broke:
                    span.set_status(StatusCode.ERROR, seen.outcome)

    def close(self) -> None:
        """Send what is left."""
        self._provider.shutdown()


_TRACING: dict[str, Any] = {}


def tracing(endpoint: str) -> Tracing | None:
    """The process's one for that endpoint; None, with a word in the log, where the packages aren't installed."""
    if endpoint not in _TRACING:
        try:
            _TRACING[endpoint] = Tracing(endpoint)
        except ImportError:
            logger.warning("Traces are wanted, but need more packages. Install them with: pip install %s", PACKAGES)
            _TRACING[endpoint] = None
    found: Tracing | None = _TRACING[endpoint]
    return found
