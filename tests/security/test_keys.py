"""Keys: revoked and rotated in mid-run, refused where they may not stand, in no argument, environment or core dump."""

from __future__ import annotations

import copy
import json
import os
import pickle
import resource
from pathlib import Path

import pytest

from engine import secrets
from engine.errors import KeyProblem
from engine.redaction import Redactor
from engine.secret import Secret
from tests.security.canaries import KEY, ROTATED, leaks, left

READS = """
    steps:
      - {id: first, uses: opsgenie.alert.get, with: {identifier: a-1}}
      - {id: second, uses: opsgenie.alert.get, with: {identifier: a-1}}
      - {id: third, uses: opsgenie.alert.add_note, with: {identifier: a-1, note: "{{ steps.second.outputs.message }}"}}
    outputs: {all: {value: "{{ steps }}"}}
"""


@pytest.fixture
def key_file(project, echoing):
    """A key in a file, named by the configuration."""
    path = project.folder / "the.key"
    path.write_text(KEY + "\n")
    path.chmod(0o600)
    project.write("opsbook.yaml", f"""\
        connections:
          opsgenie: {{url: "{echoing.url}", keys: [{{kind: integration, secret: "file:{path}"}}]}}
        """)  # fmt: skip
    return path


def rotate_before(echoing, number, path):
    """From the request of this number on, the service takes the new key only; the file holds it by then."""

    def rotate():
        if len(echoing.asked) == number:
            echoing.accepts = ROTATED
            path.write_text(ROTATED + "\n")

    echoing.on_request = rotate


@pytest.mark.parametrize("number", [1, 2, 3])
def test_a_rotated_key_is_asked_for_once_more(project, echoing, key_file, number):
    rotate_before(echoing, number, key_file)
    done = project("--json", "run", project.runbook(READS.replace("{{ steps }}", "{{ steps.second.outputs }}")))
    assert done.code == 0, done.both
    assert echoing.keys[: number + 1] == [KEY] * number + [ROTATED]
    assert set(echoing.keys[number:]) == {ROTATED}
    for key in (KEY, ROTATED):
        assert leaks(done.out, key) == leaks(done.err, key) == []
        assert {name for name, text in left(project.folder).items() if leaks(text, key)} == set()


def test_a_revoked_key_is_tried_once_and_named_by_its_reference(project, echoing, key_file):
    echoing.on_request = lambda: setattr(echoing, "accepts", ROTATED) if len(echoing.asked) == 2 else None
    done = project("run", project.runbook(READS.replace("{{ steps }}", "x")))
    assert done.code == 4, done.both
    assert echoing.keys == [KEY, KEY]
    assert f"file:{key_file}" in done.both
    assert leaks(done.both) == []


def test_a_key_file_that_goes_away_in_mid_run_sends_nothing_more(project, echoing, key_file):
    def revoke():
        if len(echoing.asked) == 2:
            echoing.accepts = ROTATED
            key_file.unlink()

    echoing.on_request = revoke
    done = project("run", project.runbook(READS.replace("{{ steps }}", "x")))
    assert done.code == 4, done.both
    assert len(echoing.asked) == 2
    assert leaks(done.both) == []


def test_the_other_region_is_never_tried(project, monkeypatch):
    """A key the one region does not know is not sent to the other: the hint names the setting instead."""
    from steps.exchange import Response
    from steps.transport import HttpTransport

    hosts = []

    def refuse(_self, request, *, timeout):
        assert timeout > 0
        hosts.append(request.url.split("/")[2])
        return Response(401, {}, b'{"message": "Key is not known", "took": 0.1, "requestId": "r"}')

    monkeypatch.setattr(HttpTransport, "send", refuse)
    for region, host in (("us", "api.opsgenie.com"), ("eu", "api.eu.opsgenie.com")):
        hosts.clear()
        project.write(
            "opsbook.yaml", f"connections: {{opsgenie: {{region: {region}, keys: [{{kind: integration, secret: 'env:CANARY'}}]}}}}"
        )
        done = project("run", project.runbook(READS.replace("{{ steps }}", "x")))
        assert done.code == 4, done.both
        assert set(hosts) == {host}
        assert "connections.opsgenie.region" in done.both


LITERALS = [
    'secret: "0b77e1a9-33cc-4d1e-8f20-9a6b5c4d3e2f"',
    "secret: GenieKey 0b77e1a9-33cc-4d1e-8f20-9a6b5c4d3e2f",
    "secret: {value: 0b77e1a9-33cc-4d1e-8f20-9a6b5c4d3e2f}",
    "secret: [0b77e1a9-33cc-4d1e-8f20-9a6b5c4d3e2f]",
    "secret: 'plain:0b77e1a9-33cc-4d1e-8f20-9a6b5c4d3e2f",
    "secret: &0b77e1a9-33cc-4d1e-8f20-9a6b5c4d3e2f x",
    "secret: *0b77e1a9-33cc-4d1e-8f20-9a6b5c4d3e2f",
    "secret: !0b77e1a9-33cc-4d1e-8f20-9a6b5c4d3e2f x",
    'secret: "\\q0b77e1a9-33cc-4d1e-8f20-9a6b5c4d3e2f"',
    "secret: literal:0b77e1a9-33cc-4d1e-8f20-9a6b5c4d3e2f",
]


@pytest.mark.parametrize("line", LITERALS)
@pytest.mark.parametrize("flags", [(), ("--json",)], ids=str)
def test_a_literal_key_in_the_configuration_is_refused_without_echo(project, echoing, line, flags):
    project.write("opsbook.yaml", f"connections:\n  opsgenie:\n    keys:\n      - kind: integration\n        {line}\n")
    done = project(*flags, "run", project.runbook(READS.replace("{{ steps }}", "x")))
    assert done.code in (3, 4), done.both
    assert "9a6b5c4d3e2f" not in done.both
    assert echoing.asked == []


BOOKS = {
    "value": "vars: {password: {it}}",
    "token": "vars: {x: '{it}'}",
    "unknown key": "vars: {}\n{it}: 1",
    "unclosed quote": 'vars: {x: "{it}',
    "duplicate": "vars: {x: {it}, x: {it}}",
    "step": "steps:\n  - {uses: '{it}'}",
    "field": "steps:\n  - {uses: core.log, with: {message: a, '{it}': b}}",
    "bad type": "timeout: {it}",
    "template": "vars: {x: \"{{ '{it}' | nosuchfilter }}\"}",
    "expression": "steps:\n  - {uses: core.log, if: \"'{it}' ==\", with: {message: a}}",
    "default": "inputs: {token: {type: integer, default: '{it}'}}",
    "tab": "vars:\n\tx: {it}",
}


@pytest.mark.parametrize("secret", ["ghp_0123456789abcdefghijABCDEFGHIJ456789", "GenieKey 0b77e1a9-33cc-4d1e-8f20-9a6b5c4d3e2f"])
@pytest.mark.parametrize("name", BOOKS)
@pytest.mark.parametrize(
    "verb",
    [("validate",), ("--json", "validate"), ("run",), ("plan",), ("validate", "--format", "sarif"), ("validate", "--format", "github")],
)
def test_a_literal_key_in_a_runbook_is_refused_without_echo(project, secret, name, verb):
    text = BOOKS[name].replace("{it}", secret)
    steps = "" if "steps:" in text else "steps:\n  - {uses: core.log, with: {message: a}}\n"
    path = project.write("book.yaml", f"apiVersion: runbook/v1\nname: test\n{steps}{text}\n")
    done = project(verb[0], *verb[1:], path) if verb[0] != "--json" else project(*verb, path)
    assert done.code in (1, 3), done.both
    assert secret.split()[-1] not in done.both


@pytest.mark.parametrize("where", ["input", "file", "runbook"])
def test_a_key_of_the_configuration_is_refused_in_inputs_and_runbook(project, echoing, where):
    """Both are kept with the run as they are."""
    default = KEY if where == "runbook" else "x"
    path = project.runbook(
        f"\n    inputs: {{it: {{type: string, default: '{default}'}}}}" + READS.replace("{{ steps }}", "{{ inputs.it }}")
    )
    given = {
        "input": ["-i", f"it=before {KEY} after"],
        "file": ["--inputs-file", project.write("in.json", json.dumps({"it": KEY}))],
        "runbook": [],
    }
    done = project("run", path, *given[where])
    assert done.code == 3, done.both
    assert ("the runbook holds a key" if where == "runbook" else "inputs.it holds a key") in done.both
    assert echoing.asked == []
    assert leaks(done.both) == []
    assert {name for name, text in left(project.folder / "state").items() if leaks(text)} == set()


@pytest.mark.parametrize("value", ["", "kurz", "1234567", "  1234567  ", "with\nnewline-in-it", "with\0nul-in-it", "with\x1bescape"])
def test_values_that_are_no_keys_are_refused_without_echo(tmp_path, value):
    path = tmp_path / "key"
    path.write_text(value)
    path.chmod(0o600)
    with pytest.raises(KeyProblem) as raised:
        secrets.resolve(f"file:{path}", Redactor().learn)
    assert not value.strip() or value.strip() not in raised.value.message


def test_files_that_are_no_keys_are_refused(tmp_path):
    def refused(path):
        with pytest.raises(KeyProblem) as raised:
            secrets.resolve(f"file:{path}", Redactor().learn)
        assert "kept-secret" not in repr(raised.value) + repr(raised.value.__cause__) + repr(raised.value.__context__)

    for mode in (0o644, 0o604, 0o660, 0o602, 0o606, 0o666):
        path = tmp_path / f"mode{mode:o}"
        path.write_text("kept-secret")
        path.chmod(mode)
        refused(path)
    big, pipe, latin, link = tmp_path / "big", tmp_path / "pipe", tmp_path / "latin", tmp_path / "link"
    big.write_text("kept-secret" * 10_000)
    latin.write_bytes(b"kept-secret-\xff\xfe")
    for path in (big, latin):
        path.chmod(0o600)
    os.mkfifo(pipe, 0o600)
    link.symlink_to(tmp_path / "mode644")
    for path in (big, pipe, latin, link, tmp_path, tmp_path / "absent", "/dev/zero", "/dev/tty", ""):
        refused(path)


def test_a_link_to_a_private_file_is_followed(tmp_path):
    """Container platforms mount keys as links."""
    kept, link = tmp_path / "kept", tmp_path / "link"
    kept.write_text(KEY + "\n")
    kept.chmod(0o440)
    link.symlink_to(kept)
    assert secrets.resolve(f"file:{link}", Redactor().learn).reveal() == KEY


def test_a_secret_shows_itself_to_nobody():
    secret = Secret(KEY, "env:X")
    shown = [
        str(secret),
        repr(secret),
        f"{secret}",
        f"{secret!s:>60}",
        "%s" % secret,
        json.dumps({"k": secret}, default=str),
        repr([secret]),
    ]  # noqa: UP031
    assert all(KEY not in text for text in shown)
    for copied in (pickle.dumps, copy.copy, copy.deepcopy, json.dumps):
        with pytest.raises(TypeError) as raised:
            copied(secret)
        assert KEY not in str(raised.value)
    assert not hasattr(secret, "__dict__")


def test_children_see_no_key_and_no_core_dump_is_left(project, echoing, monkeypatch):
    before = resource.getrlimit(resource.RLIMIT_CORE)
    done = project("--json", "run", project.runbook("""
        steps:
          - {id: read, uses: opsgenie.alert.get, with: {identifier: a-1}}
          - {id: child, uses: core.command, with: {argv: [sh, -c, "tr '\\\\0' '\\\\n' < /proc/self/environ; ulimit -c; tr '\\\\0' ' ' < /proc/$PPID/cmdline"]}}
        outputs: {seen: {value: "{{ steps.child.outputs.data }}"}}
        """))  # fmt: skip
    assert done.code == 0, done.both
    seen = json.loads(done.out)["outputs"]["seen"]
    assert "CANARY" not in seen
    assert "***" not in seen  # what is not there need not be hidden
    assert "\n0\n" in seen
    assert resource.getrlimit(resource.RLIMIT_CORE)[0] == 0
    resource.setrlimit(resource.RLIMIT_CORE, before)


def test_secrets_are_revealed_in_few_places():
    """The wire, a program's environment, what hides them, what tells an old one from a new one, and a keyring they are put into."""
    root = Path(secrets.__file__).parents[2]
    found = {
        str(path.relative_to(root))
        for part in ("engine", "steps")
        for path in (root / part).rglob("*.py")
        if ".reveal()" in path.read_text()
    }
    known = {
        "engine/system/process.py",
        "engine/redaction.py",
        "engine/secret.py",
        "steps/opsgenie/emulator/incoming.py",
        "steps/transport.py",
    }
    assert found - {"engine/cli/setup.py"} == known


def test_no_option_takes_a_key():
    """A command line can be read by every user of the machine."""
    import click

    from engine.cli.group import root

    def options(command):
        for param in command.params:
            yield from (name for name in param.opts if isinstance(param, click.Option))
        if isinstance(command, click.Group):
            for name in command.list_commands(None):
                yield from options(command.get_command(None, name))

    names = set(options(root))
    assert len(names) > 15
    assert {name for name in names if any(word in name for word in ("secret", "token", "password", "api"))} == set()


@pytest.mark.parametrize("verb", ["run", "plan"])
def test_a_key_that_an_answer_tells_is_known_at_once(project, echoing, verb):
    """A new integration's key: in no file, output, note or log, wherever else the answer or a later one repeats it."""
    made = {"id": "i-1", "name": "cron", "apiKey": ROTATED, "link": f"https://x.example/?apiKey={ROTATED}"}
    echoing.modes["/v2/integrations"] = lambda *_: (201, {}, {"data": made, "result": "Created", "took": 0.1, "requestId": "r"})
    echoing.modes["/v2/alerts/a-2"] = lambda *_: (
        200,
        {},
        {"data": {"id": "a-2", "message": f"new key {ROTATED}"}, "took": 0.1, "requestId": "r"},
    )
    done = project("--json", "-v", verb, project.runbook("""
        steps:
          - {id: made, uses: opsgenie.request, with: {method: GET, path: /v2/integrations/i-1}}
          - {id: again, uses: opsgenie.alert.get, with: {identifier: a-2}}
          - {id: log, uses: core.log, with: {message: "{{ steps.made.outputs.data }} {{ steps.again.outputs.message }}"}}
          - {id: note, uses: opsgenie.alert.add_note, with: {identifier: a-1, note: "{{ steps.made.outputs.data.link }}"}}
          - {id: file, uses: core.write, with: {path: made.json, json: "{{ steps.made.outputs }}"}}
        outputs: {all: {value: "{{ steps.made.outputs }}"}}
        """))  # fmt: skip
    assert done.code == 0, done.both
    assert leaks(done.both, ROTATED) == []
    assert {name for name, text in left(project.folder).items() if leaks(text, ROTATED)} == set()
    assert not any(leaks(body, ROTATED) for _, _, body in echoing.asked)
    if verb == "run":
        outputs = json.loads(done.out)["outputs"]["all"]
        assert outputs["data"] == {"id": "i-1", "name": "cron", "apiKey": "***", "link": "https://x.example/?apiKey=***"}
