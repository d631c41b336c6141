"""A key that a service echoes, in every spelling and at every place of an answer, reaches no sink."""

from __future__ import annotations

import json
import logging
import traceback

import pytest

from engine.cli.session import Session
from engine.redaction import Redactor
from engine.secret import Secret
from tests.engine.test_redaction import ENCODINGS
from tests.security.canaries import KEY, leaks, left, spelt

BOOK = """
    steps:
      - {id: read, uses: opsgenie.alert.get, with: {identifier: a-1}}
      - {id: log, uses: core.log, with: {message: "{{ steps.read.outputs.description }} {{ steps.read.outputs.details }}"}}
      - id: set
        uses: core.set
        with: {again: "{{ steps.read.outputs.tags }}", said: "{{ steps.read.outputs.message }}"}
      - {id: file, uses: core.write, with: {path: answer.json, json: "{{ steps.read.outputs }}"}}
      - {id: note, uses: opsgenie.alert.add_note, with: {identifier: a-1, note: "{{ steps.read.outputs.message }}"}}
      - {id: web, uses: core.http, with: {method: GET, url: "URL/v2/alerts/a-1", query: {q: "{{ steps.read.outputs.alias }}"}}}
      - id: each
        for_each: "{{ steps.read.outputs.tags }}"
        key: "{{ loop.index }}"
        as: tag
        uses: core.log
        with: {message: "{{ tag }}"}
    outputs:
      whole: {value: "{{ steps.read.outputs }}"}
      text: {value: "{{ steps.read.outputs.description }}"}
      note: {value: "{{ steps.note.outputs }}"}
      web: {value: "{{ steps.web.outputs }}"}
"""

FAILING = {
    "refused": (422, {"message": "Bad: {all}", "errors": {"alias": "{all}", "{key}": "x"}, "took": 0.1, "requestId": "{key}"}),
    "key": (401, {"message": "Key {key} is not known: {all}"}),
    "forbidden": (403, {"message": "GenieKey {key} may not: {all}"}),
    "gone": (404, {"message": "{all}"}),
    "limit": (429, {"message": "{all}"}),
    "fault": (500, {"message": "{all}"}),
    "redirect": (302, {"message": "{all}"}),
    "not JSON": (200, b"{all}"),
    "not an object": (200, b'["{key}"]'),
}


def filled(part, key):
    """The part of an answer with the key put in."""
    text = json.dumps(part) if not isinstance(part, bytes) else part.decode()
    everything = "\n".join(spelt(key).values())
    inner = json.dumps(everything)[1:-1] if not isinstance(part, bytes) else everything
    made = text.replace("{key}", key).replace("{all}", inner)
    return made.encode()


def answering(status, part):
    return lambda _service, _request, key, headers: (status, headers, filled(part, key))


@pytest.fixture
def book(project, echoing):
    def book(text=BOOK):
        return project.runbook(text.replace("URL", echoing.url))

    return book


def nothing_leaks(project, *told):
    """No spelling of the key in what was printed, nor in any file that the run left."""
    found = {f"printed {number}": leaks(text) for number, text in enumerate(told)}
    found |= {name: leaks(text) for name, text in left(project.folder).items()}
    assert {name: names for name, names in found.items() if names} == {}


def test_there_are_spellings_enough():
    assert len(spelt(KEY)) >= 25


def test_the_matrix_would_see_a_leak(project, echoing, book, monkeypatch):
    """With the filter off, every spelling is found: the tests below can fail."""
    monkeypatch.setattr(Redactor, "text", lambda _self, text: text)
    monkeypatch.setattr(Redactor, "value", lambda _self, value: value)
    done = project("--json", "run", book())
    assert done.code == 0, done.both
    seen = set(leaks(done.out))
    assert seen >= set(ENCODINGS) - {"quoted_printable", "quoted_printable_folded"}
    files = left(project.folder)
    for part in ("results.jsonl", "answer.json"):
        assert leaks(next(text for name, text in files.items() if name.endswith(part)))


@pytest.mark.parametrize("flags", [(), ("-v",), ("--json",), ("--color", "always")], ids=str)
def test_terminal_audit_results_and_files(project, echoing, book, flags):
    done = project(*flags, "run", book(), "--report", "report.html")
    assert done.code == 0, done.both
    run = next((project.folder / "state" / "runs").iterdir()).name
    shown = (
        project("runs", "show", run),
        project("--json", "runs", "show", run),
        project("audit", "show"),
        project("--json", "audit", "show"),
    )
    nothing_leaks(project, done.out, done.err, *[text for one in shown for text in (one.out, one.err)])
    assert "***" in done.both
    sent = [body for method, _, body in echoing.asked if method == "POST"]
    assert sent
    assert not any(leaks(body) for body in sent)
    assert not any(leaks(path) for _, path, _ in echoing.asked)
    assert set(echoing.keys) == {KEY, ""}  # core.http sends none


def test_json_report(project, book):
    assert project("run", book(), "--report", "report.json").code == 0
    nothing_leaks(project)
    assert json.loads((project.folder / "report.json").read_text())["outputs"]["whole"]["message"] == "Authorization: GenieKey ***"


@pytest.mark.parametrize("flags", [(), ("--json",)], ids=str)
def test_plan(project, book, flags):
    done = project(*flags, "plan", book())
    assert done.code == 0, done.both
    assert "***" in done.both
    nothing_leaks(project, done.out, done.err)


@pytest.mark.parametrize("flags", [(), ("--json",), ("-q",)], ids=str)
@pytest.mark.parametrize("name", FAILING)
def test_errors(project, echoing, book, name, flags):
    echoing.modes["/v2/alerts"] = answering(*FAILING[name])
    path = book("""
        steps:
          - id: read
            uses: opsgenie.alert.get
            with: {identifier: a-1}
            continue_on_error: true
          - uses: core.log
            with: {message: "{{ steps.read.error.message }}"}
          - {id: write, uses: opsgenie.alert.create, with: {message: "{{ steps.read.error.message | truncate(100) }}"}}
        finally:
          - {uses: core.write, with: {path: error.json, json: "{{ steps.read.error }}"}}
        """)
    done = project(*flags, "run", path, "--report", "report.html")
    assert done.code in (1, 4, 5, 7), done.both
    nothing_leaks(project, done.out, done.err, project("runs", "show", done.out and _run(project)).both)


def _run(project):
    return next((project.folder / "state" / "runs").iterdir()).name


def test_pages(project, echoing, book):
    """The address of the next page holds the key; it is asked for as it is, and told nowhere."""

    def page(service, request, key, headers):
        last = "offset" in request.path
        links = {} if last else {"paging": {"next": f"{service.url}/v2/alerts?apiKey={key}&offset=1"}}
        return 200, headers, filled({"data": [{"id": "a-1", "message": "{all}"}], **links, "took": 0.1, "requestId": "r"}, key)

    echoing.modes["/v2/alerts"] = page
    done = project("run", book("""
        steps:
          - {id: all, uses: opsgenie.alert.list}
        outputs: {all: {value: "{{ steps.all.outputs }}"}}
        """))  # fmt: skip
    assert done.code == 0, done.both
    assert len(echoing.asked) == 2
    nothing_leaks(project, done.out, done.err, project("--json", "audit", "show").out)


def test_a_next_page_on_another_host_is_not_asked_for(project, echoing, book):
    echoing.modes["/v2/alerts"] = lambda _service, _request, key, headers: (
        200, headers, {"data": [], "paging": {"next": f"http://127.0.0.1:1/v2/alerts?apiKey={key}"}, "took": 0.1, "requestId": "r"},
    )  # fmt: skip
    done = project("run", book("steps:\n      - {id: all, uses: opsgenie.alert.list}\n"))
    assert done.code == 1
    assert "another host" in done.both
    nothing_leaks(project, done.out, done.err)


def test_a_command_that_prints_the_key(project, book, tmp_path):
    """A program that the author runs may read the key's file; its output is masked as an answer is."""
    (tmp_path / "the.key").write_text(KEY)
    done = project("--json", "run", book(f"""
        steps:
          - {{id: read, uses: opsgenie.alert.get, with: {{identifier: a-1}}}}
          - {{id: cat, uses: core.command, with: {{argv: [cat, "{tmp_path / "the.key"}"]}}}}
          - {{id: bad, uses: core.command, continue_on_error: true, with: {{argv: [sh, -c, "cat '{tmp_path / "the.key"}' >&2; exit 3"]}}}}
        outputs: {{said: {{value: "{{{{ steps.cat.outputs }}}} {{{{ steps.bad.error.message }}}}"}}}}
        """))  # fmt: skip
    assert done.code == 0, done.both
    assert done.out.count("***") >= 2
    nothing_leaks(project, done.out, done.err)


def test_a_fault_of_our_own_shows_no_value(project, fake, book, monkeypatch):
    """An exception whose text is the key: what is told is where it happened."""

    def fault(given, context):
        raise ZeroDivisionError(f"GenieKey {KEY}")

    made = fake.steps()
    made["fake.boom"]._perform = fault
    monkeypatch.setattr(fake, "steps", lambda: made)
    done = project("run", book("""
        steps:
          - {id: read, uses: opsgenie.alert.get, with: {identifier: a-1}}
          - {id: boom, uses: fake.boom}
        """))  # fmt: skip
    assert done.code == 1
    assert "opsbook itself has a fault: ZeroDivisionError" in done.err
    nothing_leaks(project, done.out, done.err)


def test_the_session_is_the_last_filter(capsys):
    """Whatever is handed to it, by whatever way, once it knows the keys."""
    from engine.errors import KeyProblem

    session = Session()
    session.redactor = Redactor()
    session.redactor.learn(Secret(KEY, "env:CANARY"))
    everything = "\n".join(spelt(KEY).values())
    for quiet in (False, True):
        session.quiet = quiet
        session.say(everything)
        session.fail(KeyProblem(everything, hint=everything))
    session.json = True
    session.print_json({everything: [everything]})
    session.fail(KeyProblem(everything, hint=everything))
    told = capsys.readouterr()
    assert leaks(told.out) == leaks(told.err) == []
    assert "***" in told.out
    assert "***" in told.err


def test_libraries_log_nothing(project, book, caplog):
    """Not even at DEBUG: they would log addresses and headers."""
    with caplog.at_level(logging.DEBUG):
        assert project("run", book()).code == 0
    assert [record.name for record in caplog.records if record.name.startswith(("httpx", "httpcore", "structlog"))] == []


def walk(error):
    """An error and every error that hangs on it."""
    seen = []
    while error is not None and error not in seen:
        seen.append(error)
        error = error.__cause__ or error.__context__
    return seen


@pytest.mark.parametrize("key", ["kéy-that-is-not-ascii", f"{KEY}\n{KEY}", "a key with\0 in it", "key\ud800-lone-surrogate"])
def test_an_error_of_the_wire_holds_no_header(echoing, key):
    from engine.errors import StepError
    from steps.exchange import Request
    from steps.transport import HttpTransport

    request = Request("GET", echoing.url + "/v2/alerts", {"Authorization": Secret(key, "env:X")}, None, "GenieKey ")
    transport = HttpTransport()
    with pytest.raises(StepError) as raised:
        transport.send(request, timeout=1)
    for error in walk(raised.value):
        assert key not in repr(error) + str(vars(error)) + str(error.args)
    assert key not in "".join(traceback.format_exception(raised.value))
