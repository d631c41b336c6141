"""Traces: what a collector gets of a run, and that a run never waits for one. The collector is a small server of the test's own."""

import hashlib
import http.server
import json
import os
import socket
import subprocess
import sys
import threading
import time
from pathlib import Path

import pytest

from engine.telling import trace

pytest.importorskip("opentelemetry.exporter.otlp.proto.http")
ROOT = Path(__file__).parents[3]


class Collector(http.server.ThreadingHTTPServer):
    """Takes traces in as a collector does, and keeps their spans."""

    daemon_threads = True

    def __init__(self):
        super().__init__(("127.0.0.1", 0), Take)
        self.spans, self.paths, self.resources, self.raw = [], [], [], b""

    @property
    def url(self):
        return f"http://127.0.0.1:{self.server_address[1]}"

    def named(self, name):
        (found,) = [span for span in self.spans if span.name == name]
        return found


class Take(http.server.BaseHTTPRequestHandler):
    def do_POST(self):
        from opentelemetry.proto.collector.trace.v1.trace_service_pb2 import ExportTraceServiceRequest

        body = self.rfile.read(int(self.headers["Content-Length"]))
        request = ExportTraceServiceRequest.FromString(body)
        self.server.raw += body
        self.server.paths.append(self.path)
        for part in request.resource_spans:
            self.server.resources.append(attributes(part.resource))
            self.server.spans += [span for scope in part.scope_spans for span in scope.spans]
        self.send_response(200)
        self.send_header("Content-Length", "0")
        self.end_headers()

    def log_message(self, *_):
        pass


@pytest.fixture
def collector():
    server = Collector()
    thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.01})
    thread.start()
    yield server
    server.shutdown()
    thread.join()
    server.server_close()


@pytest.fixture
def run(command, fake, monkeypatch, collector):
    monkeypatch.setenv("OTEL_EXPORTER_OTLP_ENDPOINT", collector.url)

    def run(text, *more, code=0):
        done = command("--json", "run", command.runbook(text), "--emulator", *more)
        assert done.code == code, done.both
        return json.loads(done.out)

    return run


def attributes(told):
    return {pair.key: getattr(pair.value, pair.value.WhichOneof("value")) for pair in told.attributes}


def test_a_run_its_steps_and_its_requests_are_spans_inside_each_other(run, collector):
    document = run(
        "steps: [{id: a, uses: opsgenie.alert.create, with: {message: hello-body}}, {id: b, uses: core.log, with: {message: x}}]"
    )
    root, step, request = collector.named("run"), collector.named("a"), collector.named("POST /v2/alerts")
    assert root.parent_span_id == b"" and step.parent_span_id == root.span_id and request.parent_span_id == step.span_id
    assert collector.named("b").parent_span_id == root.span_id
    assert (
        attributes(root).items() >= {"opsbook.run": document["run_id"], "opsbook.runbook": "test", "opsbook.outcome": "succeeded"}.items()
    )
    assert (
        attributes(step).items() >= {"opsbook.step": "a", "opsbook.uses": "opsgenie.alert.create", "opsbook.outcome": "succeeded"}.items()
    )
    assert attributes(request).items() >= {
        "http.request.method": "POST", "server.address": "emulator.invalid", "url.template": "/v2/alerts", "http.response.status_code": 202,
        "opsbook.connection": "opsgenie", "opsbook.key.kind": "integration", "opsbook.attempt": 1, "opsbook.effect": "write",
    }.items()  # fmt: skip
    assert len(attributes(request)["opsbook.request_id"]) == 36
    assert request.kind == 3 and root.start_time_unix_nano <= step.start_time_unix_nano <= request.start_time_unix_nano
    assert request.end_time_unix_nano <= step.end_time_unix_nano <= root.end_time_unix_nano
    assert set(collector.paths) == {"/v1/traces"} and collector.resources[0]["service.name"] == "opsbook"
    assert b"hello-body" not in collector.raw, "bodies are no business of a trace"


def test_the_trace_is_known_by_the_run(run, collector):
    document = run("steps: [{uses: fake.say}]")
    expected = hashlib.sha256(f"opsbook/{document['run_id']}".encode()).digest()[:16]
    assert {span.trace_id for span in collector.spans} == {expected}


def test_items_of_a_loop_are_spans_of_their_own(run, collector):
    run("steps: [{id: each, for_each: [a, b], key: '{{ item }}', max_parallel: 2, block: [{id: send, uses: fake.write}]}]")
    (loop,) = [span for span in collector.spans if span.name == "each" and "opsbook.item" not in attributes(span)]
    items = {attributes(span)["opsbook.item"]: span for span in collector.spans if span.name == "each" and span is not loop}
    sends = {attributes(span)["opsbook.item"]: span for span in collector.spans if span.name == "send"}
    assert items.keys() == sends.keys() == {"a", "b"}
    assert all(span.parent_span_id == loop.span_id for span in items.values())
    assert all(sends[name].parent_span_id == items[name].span_id for name in items)


def test_what_failed_says_why_and_what_was_skipped_is_an_event(run, collector):
    run("steps: [{id: s, if: 1 > 2, uses: fake.say}, {id: f, uses: fake.fail, with: {message: no room, code: full}}]", code=1)
    failed, root = collector.named("f"), collector.named("run")
    assert (failed.status.code, failed.status.message, attributes(failed)["error.type"]) == (2, "no room", "full")
    assert root.status.code == 2
    assert [(event.name, attributes(event)) for event in root.events] == [("step.skipped", {"opsbook.step": "s"})]


def test_attempts_at_a_request_are_told_apart(run, collector):
    text = "steps: [{id: a, uses: opsgenie.alert.get, with: {identifier: x}, retry: {attempts: 2, if: error.status == 404}}]"
    run(text, code=1)
    requests = [attributes(span) for span in collector.spans if span.name.startswith("GET")]
    assert [told["opsbook.attempt"] for told in requests] == [1, 2]
    assert [told.get("http.request.resend_count") for told in requests] == [None, 1]
    assert {told["http.response.status_code"] for told in requests} == {404}


def test_a_run_that_is_gone_on_with_continues_its_trace(command, run, collector):
    document = run("steps: [{id: a, uses: fake.write}, {id: each, for_each: [1], uses: fake.doubt}]", code=7)
    first = list(collector.spans)
    collector.spans.clear()
    command("resume", document["run_id"])
    root = next(span for span in first if span.name == "run")
    again = collector.named("resume")
    assert again.trace_id == root.trace_id and again.parent_span_id == root.span_id and again.span_id != root.span_id
    assert "a" not in {span.name for span in collector.spans}, "what was done before is not done again, and not told again"
    assert attributes(again)["opsbook.outcome"] == "in_doubt"


def test_the_configuration_may_name_the_collector_and_the_environment_is_stronger(command, fake, monkeypatch, collector):
    command.write("opsbook.yaml", f"otel: {{endpoint: '{collector.url}/'}}")
    book = command.runbook("steps: [{uses: fake.say}]")
    assert command("run", book, "--emulator").code == 0
    assert set(collector.paths) == {"/v1/traces"}
    monkeypatch.setenv("OTEL_EXPORTER_OTLP_TRACES_ENDPOINT", f"{collector.url}/own")
    assert command("run", book, "--emulator").code == 0
    assert collector.paths[-1] == "/own"


@pytest.mark.parametrize(("name", "value"), [("OTEL_SDK_DISABLED", "true"), ("OTEL_TRACES_EXPORTER", "none")])
def test_the_standard_switches_turn_it_off(run, collector, monkeypatch, name, value):
    monkeypatch.setenv(name, value)
    run("steps: [{uses: fake.say}]")
    assert collector.paths == []


def test_a_service_may_be_called_otherwise(run, collector, monkeypatch):
    monkeypatch.setenv("OTEL_SERVICE_NAME", "night-shift")
    run("steps: [{uses: fake.say}]")
    assert collector.resources[0]["service.name"] == "night-shift"


def test_missing_packages_are_said_once_and_fail_nothing(command, fake, monkeypatch):
    monkeypatch.setenv("OTEL_EXPORTER_OTLP_ENDPOINT", "http://127.0.0.1:1")
    for name in [name for name in sys.modules if name.startswith("opentelemetry")]:
        monkeypatch.delitem(sys.modules, name)
    monkeypatch.setitem(sys.modules, "opentelemetry", None)
    done = command("-q", "run", command.runbook("steps: [{uses: fake.say}]"), "--emulator")
    assert (done.code, done.out) == (0, "")
    assert done.err == "warning: OTEL_EXPORTER_OTLP_ENDPOINT asks for traces; their packages are missing: pip install 'opsbook[otel]'\n"


def test_a_collector_that_is_down_fails_nothing(run, command, monkeypatch):
    monkeypatch.setenv("OTEL_EXPORTER_OTLP_ENDPOINT", "http://127.0.0.1:1")
    monkeypatch.setenv("OTEL_EXPORTER_OTLP_TIMEOUT", "0.3")
    monkeypatch.setattr(trace, "FLUSH", 0.1)
    before = set(threading.enumerate())
    done = command("run", command.runbook("steps: [{uses: fake.say}]"), "--emulator")
    assert (done.code, done.err.count("\n")) == (0, 1)
    assert done.err.startswith("warning: not every trace could be sent")
    for left in set(threading.enumerate()) - before:  # a process would end here; another test's random numbers must not meet its retries
        left.join(10)
        assert not left.is_alive()


def test_a_collector_that_never_answers_holds_a_run_up_for_no_longer_than_the_flush(command):
    book = command.runbook("steps: [{uses: core.log, with: {message: hello}}]")
    with socket.create_server(("127.0.0.1", 0)) as silent:
        environment = {**os.environ, "OTEL_EXPORTER_OTLP_ENDPOINT": f"http://127.0.0.1:{silent.getsockname()[1]}", "PYTHONPATH": str(ROOT)}
        began = time.monotonic()
        done = subprocess.run(
            [sys.executable, "-m", "engine", "run", book], env=environment, capture_output=True, text=True, timeout=60, check=False
        )
    assert done.returncode == 0 and "not every trace" in done.stderr
    assert time.monotonic() - began < trace.FLUSH + 8, "start-up on a busy machine, and the flush"
