"""What people, services and files may say: text stays text at every sink, data stays within its limits, files stay where they belong."""

from __future__ import annotations

import html
import json
import os
import random
import re
import sys
import time
import unicodedata

import pytest

from engine import redaction, template
from engine.cli.session import Session
from engine.errors import Invalid
from engine.report import html_page
from tests.fuzz.targets import hostile_text

SEED = 20261123
UNFIT = {"Cc", "Cf", "Cs", "Zl", "Zp"}

TEXTS = [
    "{{ 7 * 7 }}", "{{ inputs }}", "{% for x in run %}{{ x }}{% endfor %}", "{# gone #}", "}}{{", "{{ secrets.KEY }}", "${HOME} $(id) `id`",
    "\x1b[2J\x1b]0;title\x07", "\x9b31m", "a\rb", "a\x08\x08b", "\u202etxt.exe", "\u2028\u2029\u0085", "\ufeff\u200b\u200d", "\ud800",
    "<script>alert(1)</script>", "</td><img src=x onerror=alert(1)>", "\" onmouseover=\"alert(1)", "javascript:alert(1)", "<!--", "]]>", "&lt;b&gt;",
    "=cmd|' /C calc'!A0", "@SUM(1)", "ok\n✔ forged  core.log  1ms\n  audit: /tmp/x", "\n::error file=x::forged", "\0", "../../etc/passwd",
    "'; DROP TABLE alerts; --", "%s %n {0.__class__}", "\\u007b\\u007b 1 }}", "{{", "%}", "NaN", "!!python/object:os.system",
]  # fmt: skip
"""As alerts, names and loop keys have been seen to say, or could."""


def unfit(text):
    return {char for char in text if unicodedata.category(char) in UNFIT} - {"\n", "\t"}


@pytest.mark.parametrize("text", TEXTS, ids=range(len(TEXTS)))
def test_a_text_stays_text_from_input_to_service_and_every_sink(command, emulators, text):
    """It is sent letter for letter; it is evaluated nowhere; terminal and page show it without what would command them."""
    path = command.runbook("""
        inputs: {it: {type: array}}
        steps:
          - {id: make, uses: opsgenie.alert.create, with: {message: "it says {{ inputs.it[0] | truncate(100) }}", description: "{{ inputs.it[0] }}"}}
          - {id: read, uses: opsgenie.alert.get, with: {identifier: "{{ steps.make.outputs.alertId }}"}}
          - {id: note, uses: opsgenie.alert.add_note, with: {identifier: "{{ steps.make.outputs.alertId }}", note: "{{ steps.read.outputs.description }}"}}
          - {id: log, uses: core.log, with: {message: "{{ steps.read.outputs.description }}"}}
          - {id: each, for_each: "{{ inputs.it }}", as: one, uses: core.log, with: {message: "{{ one }}"}}
          - {id: bad, uses: core.assert, continue_on_error: true, with: {that: "inputs.it[0] == 'x-x'", message: "{{ steps.read.outputs.description }}"}}
        outputs: {it: {value: "{{ steps.read.outputs.description }}"}}
        """)  # fmt: skip
    given = command.write("in.json", json.dumps([text]))
    done = command("--json", "run", path, "--emulator", "-i", f"it=@{given}", "--report", "report.html")
    if text == "\ud800":
        assert done.code == 3
        assert "half of a character" in done.out
        return
    assert done.code == 0, done.both
    assert json.loads(done.out)["outputs"]["it"] == text
    assert not unfit(done.both)
    alert = emulators[0].alerts()[0]
    assert alert["fields"]["description"] == text
    assert alert["notes"][0]["note"].startswith(text)
    run = json.loads(done.out)["run_id"]
    plain = command("run", path, "--emulator", "-i", f"it=@{given}")
    shown = [plain, command("runs", "show", run), command("audit", "show"), command("plan", path, "--emulator", "-i", f"it=@{given}")]
    for one in shown:
        assert not unfit(one.both)
        assert not re.search(r"^(✔ forged|  audit: /tmp/x|::error)", one.both, re.MULTILINE)
    page = (command.folder / "report.html").read_text()
    assert not unfit(page)
    for mark in ("<script", "<img", 'onmouseover="alert', "<!--"):
        assert mark not in page.lower().replace("<!doctype", "")
    audit = (command.folder / "state" / "runs" / run / "audit.jsonl").read_bytes()
    assert audit.isascii()
    assert all(json.loads(line) for line in audit.splitlines())


def sample(count, seed=SEED):
    chance = random.Random(seed)
    return [hostile_text(chance) for _ in range(count)]


def run_whole():
    """The 20,000 of the figure; the suite takes 500. `python -m tests.security.test_hostile`."""
    count = 20_000
    for text in sample(count):
        keeps(text)
    pages_keep(sample(count))
    print(f"{count} generated values: none evaluated, none unfit for a terminal, none markup in a page")  # noqa: T201
    return 0


def keeps(text):
    """One generated value through every place that shows or passes it on."""
    names = {"inputs": {"it": text}, "vars": {"deep": [{"it": text}]}}
    assert template.text("{{ inputs.it }}").render(names) == text
    assert template.text("{{ vars.deep[0].it }}").render(names) == text
    assert template.text("a {{ inputs.it }} b").render(names) == f"a {text} b"
    assert template.walk({"with": ["{{ inputs.it }}"]}, names) == {"with": [text]}
    assert template.expression("inputs.it == vars.deep[0].it").holds(names) is True
    assert not unfit(redaction.clean(text))
    line = redaction.one_line(text)
    assert not unfit(line)
    assert "\n" not in line
    assert "\t" not in line
    shown = redaction.clean_json(json.dumps({text: text}, ensure_ascii=False, indent=1))
    assert json.loads(shown) == json.loads(json.dumps({text: text}))  # two halves of a pair become one
    assert not unfit(shown)


def test_generated_values_stay_text():
    for text in sample(500):
        keeps(text)


def pages_keep(texts):
    """All in pages of a hundred: every tag is the template's own."""
    tags = re.compile(r"<(/?[a-z!][^\s>]*)", re.IGNORECASE)
    empty = set(tags.findall(html_page.render(document(["x"]))))
    for start in range(0, len(texts), 100):
        page = html_page.render(document(texts[start : start + 100]))
        assert set(tags.findall(page)) <= empty
        assert not unfit(page)
        assert "default-src 'none'" in html.unescape(page)


def test_generated_values_are_text_in_a_page():
    pages_keep(sample(400))


def document(texts):
    error = {"message": texts[0], "code": texts[-1], "status": 400, "hint": texts[0]}
    steps = [
        {"id": "a", "name": text, "uses": text, "status": "failed", "error": {**error, "message": text}, "outputs": {text: text},
         "requests": [{"method": "GET", "url": text, "status": 200, "key": {"kind": text}}], "items": {"total": 1, "failures": [{"item": text, "error": error}]}}
        for text in texts
    ]  # fmt: skip
    return {
        "run_id": "r", "runbook": "b", "description": texts[0], "status": "failed", "started_at": texts[0], "ended_at": None, "trigger": texts[0],
        "outputs": dict.fromkeys(texts, texts), "steps": steps, "audit": {"path": texts[0], "events": 1, "head": "0" * 64}, "error": error,
    }  # fmt: skip


def test_a_session_shows_no_command_to_a_terminal(capsys):
    from engine.errors import StepError

    session = Session()
    texts = [text for text in [*TEXTS, *sample(200)] if text]
    for text in texts:
        session.fail(StepError(text, hint=text))
    err = capsys.readouterr().err
    assert not unfit(err)
    lines = err.splitlines()
    assert len(lines) == 2 * len(texts)
    assert all(line.startswith("error: ") for line in lines[::2])
    assert all(line.startswith("  → ") for line in lines[1::2])


# -- data ------------------------------------------------------------------------------------------------------------

LOG = 'steps:\n  - {uses: core.log, with: {message: "{{ inputs.x | tojson | truncate(50) }}"}}\n'
SLOW = "a" * 40 + "!"

HAZARDS = {
    "pattern": ("{type: string, pattern: '^(a+)+$'}", SLOW, 3),
    "patternProperties": ("{type: object, patternProperties: {'^(a+)+$': {}}, additionalProperties: false}", json.dumps({SLOW: 1}), 3),
    "additionalProperties": (
        "{type: object, patternProperties: {'^(a+)+$': {}}, additionalProperties: {type: string}}",
        json.dumps({SLOW: 1}),
        3,
    ),
    "propertyNames": ("{type: object, propertyNames: {pattern: '^(a+)+$'}}", json.dumps({SLOW: 1}), 3),
    "remote reference": ("{$ref: 'http://127.0.0.1:9/x'}", "1", 3),
    "remote reference in allOf": ("{allOf: [{$ref: 'http://127.0.0.1:9/x'}]}", "1", 3),
    "remote reference in items": ("{type: array, items: [{$ref: 'file:///etc/passwd'}]}", "[1]", 3),
    "remote reference in dependencies": ("{type: object, dependencies: {a: {$ref: 'http://127.0.0.1:9/x'}}}", '{"a": 1}', 3),
    "reference to itself": ("{type: array, items: {anyOf: [{$ref: '#'}]}}", "[[]]", 3),
    "schema 55 deep": ("{items: " * 55 + "{}" + "}" * 55, "x", 0),
    "schema 70 deep": ("{items: " * 70 + "{}" + "}" * 70, "x", 3),
    "branches": (
        "{anyOf: [" + ",".join("{anyOf: [" + ",".join("{type: integer}" for _ in range(40)) + "]}" for _ in range(40)) + "]}",
        "x",
        3,
    ),
    "data 101 deep": ("{type: array}", "[" * 101 + "]" * 101, 3),
    "data 900 deep": ("{type: array}", "[" * 900 + "]" * 900, 3),
    "data 50,000 deep": ("{type: array}", "[" * 50_000 + "]" * 50_000, 3),
    "objects 900 deep": ("{type: object}", '{"a":' * 900 + "1" + "}" * 900, 3),
    "20,000 items that must differ": ("{type: array, uniqueItems: true, maxItems: 5}", json.dumps([{"a": i} for i in range(20_000)]), 3),
    "number of 100,000 digits": ("{type: integer}", "9" * 100_000, 3),
    "infinity by exponent": ("{type: number}", "1e400", 3),
    "not a number": ("{type: number}", "NaN", 3),
    "tiny step": ("{type: number, multipleOf: 1.0e-300}", "1e300", 3),
    "lone surrogate": ("{type: array}", '["\\ud800"]', 3),
    "key twice": ("{type: object}", '{"a": 1, "a": 2}', 3),
}


@pytest.mark.parametrize("name", HAZARDS)
def test_a_hostile_schema_or_value_neither_hangs_nor_breaks(command, name):
    schema, value, code = HAZARDS[name]
    command.write("x.json", value)
    path = command.write("book.yaml", f"apiVersion: runbook/v1\nname: test\ninputs: {{x: {schema}}}\n{LOG}")
    began = time.process_time()
    given = f"x={value}" if len(value) < 100_000 and name != "20,000 items that must differ" else "x=@x.json"
    done = command("--json", "run", path, "-i", given)
    assert time.process_time() - began < 3
    assert done.code == code, done.both[-500:]
    assert "fault" not in done.both
    json.loads(done.out)


@pytest.mark.parametrize(
    ("content", "code"),
    [
        ('"="&cmd', 3), ("a,a\n1,2\n", 3), ("a,\n1,2\n", 3), ("a\n1,2\n", 3), ('a\n"unclosed', 3), ("a\n\"" + "x" * 200_000 + "\"\n", 3),
        (",".join(f"c{number}" for number in range(50_000)) + "\n", 0), ("a\n" + "1\n" * 20_000, 0), ("a\n\0\n", 0), ("", 3), ("a\n" + "\x1b[2J\n", 0),
    ],
    ids=range(11),
)  # fmt: skip
def test_hostile_tables(command, content, code):
    command.write("book.yaml", f"apiVersion: runbook/v1\nname: test\ninputs: {{x: {{type: array}}}}\n{LOG}")
    (command.folder / "x.csv").write_text(content)
    done = command("run", "book.yaml", "-i", "x=@x.csv")
    assert done.code == code, done.both[-500:]
    assert "fault" not in done.both
    assert not unfit(done.both)


@pytest.mark.parametrize("suffix", ["json", "csv", "yaml", "txt"])
def test_files_of_inputs_have_a_limit(command, suffix):
    kind = "string" if suffix == "txt" else "array"
    command.write("book.yaml", f"apiVersion: runbook/v1\nname: test\ninputs: {{x: {{type: {kind}}}}}\n{LOG}")
    with (command.folder / f"x.{suffix}").open("wb") as file:
        file.truncate(17 * 1024 * 1024)  # NUL bytes without disk
    done = command("run", "book.yaml", "-i", f"x=@x.{suffix}")
    assert done.code == 3
    assert "larger than" in done.both


def test_a_slow_expression_in_matches_is_a_match_that_failed(command):
    path = command.runbook("""
        inputs: {x: {type: string}}
        steps: [{id: a, uses: core.log, if: "inputs.x is matches('^(a+)+$')", with: {message: it matches}}]
        """)
    began = time.process_time()
    done = command("run", path, "-i", f"x={SLOW}")
    assert time.process_time() - began < 3
    assert done.code in (0, 1)
    assert "it matches" not in done.both


@pytest.mark.parametrize(
    "body",
    [
        "[" * 900 + "]" * 900,
        '{"data": ' + "[" * 300 + "]" * 300 + "}",
        '{"data": 1e999}',
        '{"data": NaN}',
        '{"a": 1, "a": 2}',
        '{"data": ' + "9" * 5000 + "}",
    ],
)
def test_an_answer_beyond_reason_is_no_answer(project, echoing, body):
    echoing.modes["/v2/alerts"] = lambda _service, _request, _key, headers: (200, headers, body.encode())
    done = project("--json", "run", project.runbook("""
        steps: [{id: read, uses: opsgenie.alert.get, with: {identifier: a-1}}]
        outputs: {it: {value: "{{ steps.read.outputs }}"}}
        """))  # fmt: skip
    assert done.code == 5, done.both
    assert "fault" not in done.both


@pytest.mark.parametrize("text", ["[" * 300 + "]" * 300, '{"a": 1e999}', "9" * 5000, "[" * 50_000])
def test_output_of_a_command_beyond_reason_is_no_data(command, text):
    command.write("x.json", text)
    done = command("run", command.runbook(f"""
        steps: [{{id: cat, uses: core.command, with: {{argv: [cat, "{command.folder / "x.json"}"], parse: json}}}}]
        """))  # fmt: skip
    assert done.code == 1, done.both
    assert "fault" not in done.both


# -- files -----------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    "path",
    ["../x", "a/../../x", "/etc/opsbook-x", "/tmp/../etc/x", "a/\0b", "..", ".", "/", "link/x", "a/link/x", "~/x/../../y", "//etc/x"],
)
def test_core_write_stays_in_its_folder(command, tmp_path, path):
    outside = tmp_path / "outside"
    outside.mkdir()
    command.runbook("""
        inputs: {path: {type: array}}
        steps:
          - {id: a, uses: core.write, with: {path: a/ok.txt, content: x}}
          - {id: link, uses: core.command, with: {argv: [sh, -c, "ln -s OUTSIDE link; ln -s OUTSIDE a/link"]}}
          - {id: b, uses: core.write, with: {path: "{{ inputs.path[0] }}", content: escaped}}
        """.replace("OUTSIDE", str(outside)))  # fmt: skip
    before = {file for file in tmp_path.rglob("*") if "state" not in file.parts}
    done = command("run", "book.yaml", "-i", f"path={json.dumps([path])}")
    after = {file for file in tmp_path.rglob("*") if "state" not in file.parts}
    assert after == before
    if path.startswith("~"):
        return  # `~` is a name like any other; what matters is that nothing left the folder
    assert done.code in (1, 3), done.both


@pytest.mark.parametrize("kind", ["link to a file", "link to a device", "pipe", "folder"])
def test_core_write_never_writes_through_what_is_there(command, tmp_path, kind):
    """The name is given to a new file; what had it is not opened."""
    target = tmp_path / "target"
    target.write_text("untouched")
    made = {"link to a file": f"ln -s {target} x", "link to a device": "ln -s /dev/full x", "pipe": "mkfifo x", "folder": "mkdir x"}[kind]
    done = command("run", command.runbook(f"""
        steps:
          - {{id: make, uses: core.command, with: {{argv: [sh, -c, "{made}"]}}}}
          - {{id: write, uses: core.write, with: {{path: x, content: new}}}}
        """))  # fmt: skip
    assert target.read_text() == "untouched"
    written = next((tmp_path / "state" / "runs").iterdir()) / "output" / "x"
    assert done.code == (1 if kind == "folder" else 0), done.both
    assert kind == "folder" or (written.read_text() == "new" and not written.is_symlink() and written.stat().st_mode & 0o777 == 0o600)


@pytest.mark.parametrize("what", ["pipe", "device", "folder", "link to a pipe", "closed"])
@pytest.mark.parametrize("where", ["runbook", "inputs file", "input", "emulator state", "configuration"])
def test_what_is_no_regular_file_is_never_waited_for(command, where, what):
    book = command.runbook("steps: [{uses: core.log, with: {message: a}}]\n")
    odd = command.folder / "odd.yaml"
    if what == "pipe":
        os.mkfifo(odd)
    elif what == "device":
        odd.symlink_to("/dev/zero")
    elif what == "folder":
        odd.mkdir()
    elif what == "link to a pipe":
        os.mkfifo(command.folder / "pipe")
        odd.symlink_to(command.folder / "pipe")
    else:
        odd.symlink_to(odd)
    flags = {
        "runbook": ["run", odd], "inputs file": ["run", book, "--inputs-file", odd], "input": ["run", book, "-i", f"x=@{odd}"],
        "emulator state": ["run", book, "--emulator-state", odd], "configuration": ["--config", odd, "run", book],
    }[where]  # fmt: skip
    began = time.process_time()
    done = command(*flags)
    assert time.process_time() - began < 2
    assert done.code == 3, done.both
    assert "fault" not in done.both


@pytest.mark.parametrize("name", ["../../x", "/etc/x", "a\0b", "..", "\x1b[2J", "x" * 5000, "{{ run.id }}", ""])
def test_names_of_groups_and_runs_leave_no_folder(command, tmp_path, name):
    path = command.runbook("""
        inputs: {x: {type: array}}
        concurrency: {group: "{{ inputs.x[0] }}"}
        steps: [{uses: core.log, with: {message: a}}]
        """)
    done = command("run", path, "-i", f"x={json.dumps([name])}")
    assert done.code == 0, done.both
    assert len(list((tmp_path / "state" / "locks").iterdir())) == 1
    for verb in (["runs", "show"], ["resume"], ["audit", "show", "--run"]):
        assert command(*verb, name or "..").code == 2


def test_an_input_may_come_from_anywhere_its_user_names(command, tmp_path):
    """Who types the command line may read the file anyway; a runbook has no way to name one."""
    elsewhere = tmp_path / "elsewhere.json"
    elsewhere.write_text('["from elsewhere"]')
    command.write("deep/book.yaml", f"apiVersion: runbook/v1\nname: test\ninputs: {{x: {{type: array}}}}\n{LOG}")
    assert command("run", "deep/book.yaml", "-i", f"x=@deep/../{elsewhere.name}").code == 0
    command.write("deep/book.yaml", f"apiVersion: runbook/v1\nname: test\ninputs: {{x: {{type: string, default: '@{elsewhere}'}}}}\n{LOG}")
    done = command("run", "deep/book.yaml")
    assert done.code == 0
    assert "from elsewhere" not in done.both


def test_a_limit_is_a_finding():
    from engine import source

    with pytest.raises(Invalid):
        source.read("x: " + "9" * 5000, "x.yaml")


if __name__ == "__main__":
    sys.exit(run_whole())
