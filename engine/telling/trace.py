"""Traces: a span a run, a step, an item and a request, sent to an OpenTelemetry collector over OTLP/HTTP.

On when OTEL_EXPORTER_OTLP_ENDPOINT (or its form for traces) is set, or the configuration has `otel:`; the packages are the extra `otel`.
The audit log's events are their only source, so that they hold no key and no body. A run's trace id is made of its id: a run that
is gone on with continues its trace. Attributes follow OpenTelemetry's semantic conventions for HTTP clients; our own begin with `opsbook.`.
"""

from __future__ import annotations

import hashlib
import os
import threading
from collections.abc import Iterator, Mapping
from datetime import datetime
from typing import TYPE_CHECKING, Any, cast

from engine.contracts import Audience, Listener, Voice
from engine.redaction import one_line

if TYPE_CHECKING:
    from collections.abc import Sequence

    from opentelemetry.sdk.trace import ReadableSpan
    from opentelemetry.sdk.trace.export import SpanExporter, SpanExportResult
    from opentelemetry.trace import Span

ENDPOINTS = ("OTEL_EXPORTER_OTLP_TRACES_ENDPOINT", "OTEL_EXPORTER_OTLP_ENDPOINT")
PATH = "/v1/traces"
"""What OTLP/HTTP adds to a collector's address for traces."""
FLUSH = 2.0
"""Seconds the end of a run may wait for its last spans to be sent."""

Fields = Mapping[str, Any]


def listener(audience: Audience) -> Listener | None:
    """The traces, where they are asked for; without their packages a warning, and None."""
    named = next((name for name in ENDPOINTS if os.environ.get(name)), None)
    endpoint = audience.settings.get("otel", {}).get("endpoint")
    if (named is None and endpoint is None) or _is_switched_off():
        return None
    try:
        import opentelemetry.exporter.otlp.proto.http.trace_exporter
        import opentelemetry.sdk.trace.export  # noqa: F401 - whether they are there
    except ImportError:
        audience.voice.warn(f"{named or 'otel:'} asks for traces; their packages are missing: pip install 'opsbook[otel]'")
        return None
    return Trace(None if named else endpoint.rstrip("/").removesuffix(PATH) + PATH, audience.voice)


def _is_switched_off() -> bool:
    """Whether the standard switches say no."""
    return os.environ.get("OTEL_SDK_DISABLED", "").lower() == "true" or os.environ.get("OTEL_TRACES_EXPORTER") == "none"


class Trace:
    """See engine.contracts.Listener.

    Args:
        endpoint: the collector's URL; None leaves it to the environment.
    """

    def __init__(self, endpoint: str | None, voice: Voice) -> None:
        self._endpoint, self._voice = endpoint, voice
        self._lock = threading.Lock()
        self._run: _Run | None = None

    def __call__(self, event: str, fields: Fields) -> None:
        """Opens and closes spans."""
        with self._lock:
            if event in ("run.started", "run.resumed"):
                self._run = _Run(self._endpoint, event, fields)
            elif self._run is not None:
                self._run.hear(event, fields)

    def flush(self) -> None:
        """Sends what is left, for a short time."""
        with self._lock:
            run, self._run = self._run, None
        if run is not None and not run.sent():
            self._voice.warn("not every trace could be sent to the OpenTelemetry collector; the run itself is not affected")


class _Run:
    """The spans of one run in this process."""

    def __init__(self, endpoint: str | None, event: str, fields: Fields) -> None:
        from opentelemetry.sdk.trace import TracerProvider
        from opentelemetry.sdk.trace.export import BatchSpanProcessor
        from opentelemetry.trace import SpanKind

        self._began = _moment(fields), fields["monotonic"]
        ids: Any = _Ids(fields["run"], first=event == "run.started")
        self._exporter = _Watched(_exporter(endpoint))
        self._provider = TracerProvider(resource=_resource(fields), id_generator=ids, shutdown_on_exit=False)
        self._provider.add_span_processor(BatchSpanProcessor(cast("SpanExporter", self._exporter)))
        self._tracer = self._provider.get_tracer("opsbook", str(fields["engine"]))
        self._kinds = {True: SpanKind.CLIENT, False: SpanKind.INTERNAL}
        self._steps: dict[str, Span] = {}
        self._calls: dict[str, Span] = {}
        self._begun: dict[str, Fields] = {}
        told = {"opsbook.run": fields["run"], "opsbook.runbook": fields["runbook"], "opsbook.trigger": fields["actor"]["trigger"]}
        self._root = self._start(event.replace("run.started", "run").replace("run.resumed", "resume"), ids.parent(), fields, told)

    def hear(self, event: str, fields: Fields) -> None:
        """Takes in one event. What an earlier process began and did not end gets its span once something new is told of it."""
        if event == "step.started":
            self._begun[fields["key"]] = fields
            if not fields.get("again"):
                self._step(fields["key"])
        elif fields.get("again"):
            if event == "step.ended":
                self._forget(fields)
        elif event == "step.intent":
            self._call(fields)
        elif event in ("step.result", "step.doubt"):
            self._answer(event, fields)
        elif event == "step.ended":
            self._end(self._step(fields["key"]), fields)
        elif event == "step.skipped":
            self._above(fields["key"]).add_event("step.skipped", {"opsbook.step": fields["step"]}, self._at(fields))
        elif event in ("run.ended", "run.parked"):
            self._end(self._root, fields)

    def _forget(self, fields: Fields) -> None:
        """What had ended before has no span, unless a retry keeps it of another run."""
        if fields["key"] in self._steps:
            self._end(self._steps[fields["key"]], {**fields, "status": "kept"})
        self._begun.pop(fields["key"], None)

    def sent(self) -> bool:
        """Sends what is left; whether everything was sent within the time there is."""
        for span in (*self._calls.values(), *self._steps.values(), self._root):
            if span.is_recording():
                span.end()
        closing = threading.Thread(target=self._provider.shutdown, daemon=True)
        closing.start()
        closing.join(FLUSH)
        return not (closing.is_alive() or self._exporter.failed)

    def _at(self, fields: Fields) -> int:
        """Nanoseconds since the epoch: the first event's time, and what ran on the machine's own clock since."""
        moment, monotonic = self._began
        return int(moment.timestamp() * 1e9) + int((fields.get("monotonic", monotonic) - monotonic) * 1e9)

    def _start(self, name: str, above: Any, fields: Fields, told: Fields, *, request: bool = False) -> Span:
        from opentelemetry.trace import set_span_in_context

        context = set_span_in_context(above, _nowhere())
        attributes = {key: value for key, value in told.items() if value is not None}
        return self._tracer.start_span(name, context, self._kinds[request], attributes, start_time=self._at(fields))

    def _step(self, key: str) -> Span:
        if key not in self._steps:
            fields = self._begun.get(key, {"step": key})
            told = {f"opsbook.{name}": fields.get(name) for name in ("step", "uses", "item")}
            self._steps[key] = self._start(str(fields["step"]), self._above(key), fields, told)
        return self._steps[key]

    def _above(self, key: str) -> Span:
        """The span of what a step stands in: an item, a loop, a block that is tried again, or the run."""
        above = next((above for above in _around(key) if above in self._begun), None)
        return self._root if above is None else self._step(above)

    def _call(self, fields: Fields) -> None:
        step = fields["key"].rpartition("@")[0].partition("#")[0]
        name = f"{fields['method']} {fields['path']}" if fields.get("method") else fields["action"]
        request = fields.get("method") is not None
        self._calls[fields["key"]] = self._start(name, self._step(step), fields, dict(_request(fields)), request=request)

    def _answer(self, event: str, fields: Fields) -> None:
        span = self._calls.pop(fields["key"], None)
        if span is None:  # asked by an earlier process
            return
        answer = fields.get("answer", {})
        status = answer.get("status") or (fields.get("error") or {}).get("status")
        told = {"http.response.status_code": status, "opsbook.request_id": answer.get("requestId")}
        span.set_attributes({name: value for name, value in told.items() if value is not None})
        outcome = "in_doubt" if event == "step.doubt" else fields["outcome"]
        self._end(
            span, {**fields, "status": outcome, "error": fields.get("error") or {"code": str(status), "message": f"answered {status}"}}
        )

    def _end(self, span: Span, fields: Fields) -> None:
        from opentelemetry.trace import StatusCode

        status, error = fields["status"], fields.get("error")
        span.set_attribute("opsbook.outcome", status)
        if status in ("failed", "in_doubt") and error:
            span.set_attribute("error.type", error["code"])
            span.set_status(StatusCode.ERROR, one_line(error["message"]))
        span.end(self._at(fields))


def _request(fields: Fields) -> Iterator[tuple[str, Any]]:
    """Attributes of a call: where it goes and with which key; the path as a template, since ids are no business of a trace."""
    key = fields.get("key_used", {})
    yield from {"opsbook.action": fields["action"], "opsbook.effect": fields["effect"], "opsbook.step": fields["step"]}.items()
    yield from {"opsbook.item": fields.get("item"), "opsbook.attempt": fields["attempt"]}.items()
    yield from {"opsbook.connection": fields.get("connection"), "opsbook.key.kind": key.get("kind")}.items()
    if fields.get("method"):
        host, _, port = fields["host"].partition(":")
        yield from {"http.request.method": fields["method"], "server.address": host, "url.template": fields["path"]}.items()
        if port.isdecimal():
            yield "server.port", int(port)
        if fields["attempt"] > 1:
            yield "http.request.resend_count", fields["attempt"] - 1


def _around(key: str) -> Iterator[str]:
    """The keys of the steps that a step stands in, the nearest first: `each[ana]/send` in `each[ana]/each` in `each`."""
    place = key.rpartition("/")[0]
    while place:
        above, mark, _ = place.rpartition("[") if place.endswith("]") else place.rpartition("@")
        if mark == "[":
            item = f"{place}/{above.rpartition('/')[2]}"
            yield from [item] if item != key else []
        yield above or place
        place = (above or place).rpartition("/")[0]


class _Ids:
    """Ids of spans by chance; that of a run's trace and of its first span by the run's id. An IdGenerator of OpenTelemetry."""

    def __init__(self, run: str, *, first: bool) -> None:
        from opentelemetry.sdk.trace.id_generator import RandomIdGenerator

        known = hashlib.sha256(f"opsbook/{run}".encode()).digest()
        self._trace, self._first = int.from_bytes(known[:16]), int.from_bytes(known[16:24])
        self._is_first = self._begins = first
        self._chance = RandomIdGenerator()

    def generate_trace_id(self) -> int:
        """The run's."""
        return self._trace

    def generate_span_id(self) -> int:
        """The first span's once, in the process that began the run."""
        begins, self._begins = self._begins, False
        return self._first if begins else self._chance.generate_span_id()

    def is_trace_id_random(self) -> bool:
        """A hash serves a sampler as well as chance."""
        return True

    def parent(self) -> Any:
        """What the process's own span stands in: nothing, or the span of the process that began the run."""
        from opentelemetry.trace import INVALID_SPAN, NonRecordingSpan, SpanContext, TraceFlags

        if self._is_first:
            return INVALID_SPAN
        return NonRecordingSpan(SpanContext(self._trace, self._first, is_remote=True, trace_flags=TraceFlags(TraceFlags.SAMPLED)))


class _Watched:
    """An exporter that remembers whether anything was lost."""

    def __init__(self, exporter: SpanExporter) -> None:
        self._exporter = exporter
        self.failed = False

    def export(self, spans: Sequence[ReadableSpan]) -> SpanExportResult:
        """Sends spans; says how that went."""
        result = self._exporter.export(spans)
        self.failed = self.failed or result.name != "SUCCESS"
        return result

    def shutdown(self) -> None:
        """Ends it."""
        self._exporter.shutdown()

    def force_flush(self, timeout_millis: int = 30000) -> bool:
        """Sends what it holds."""
        return self._exporter.force_flush(timeout_millis)


def _exporter(endpoint: str | None) -> SpanExporter:
    import logging

    from opentelemetry.exporter.otlp.proto.http.trace_exporter import OTLPSpanExporter

    library = logging.getLogger("opentelemetry")  # it tells its troubles to standard error; we tell them once
    library.addHandler(logging.NullHandler())
    library.propagate = False
    return OTLPSpanExporter(endpoint)


def _resource(fields: Fields) -> Any:
    """What sends the spans; the environment may call it otherwise."""
    from opentelemetry.sdk.resources import Resource

    own = {"service.version": str(fields["engine"])}
    named = "OTEL_SERVICE_NAME" in os.environ or "service.name=" in os.environ.get("OTEL_RESOURCE_ATTRIBUTES", "")
    return Resource.create(own if named else {**own, "service.name": "opsbook"})


def _nowhere() -> Any:
    from opentelemetry.context import Context

    return Context()


def _moment(fields: Fields) -> datetime:
    return datetime.fromisoformat(fields["time"])
