"""`opsbook connect opsgenie`, against a served emulator: without anybody to ask, and with somebody."""

from __future__ import annotations

import io
import json
import os
import stat
import sys
from pathlib import Path

import click
import keyring
import pytest
from keyring.backend import KeyringBackend

from engine import source
from engine.cli.provided import ProvidedSession
from tests.security.canaries import leaks
from tests.terminal import Terminal

LOOKS_LIKE_A_KEY = "2f6c1d1e-8a4b-4000-8000-0123456789ab"


class Connecting:
    """The command, with the keys of an account in the environment."""

    def __init__(self, command, account, monkeypatch):
        self.command, self.account, self.monkeypatch = command, account, monkeypatch
        self.file = command.folder / "xdg" / "opsbook" / "opsbook.yaml"
        for key in account.emulator.keys:
            monkeypatch.setenv(key.kind.upper(), key.value)

    def __call__(self, *arguments, url=True, no_input=True):
        asked = ["--no-input"] if no_input else []
        where = ["--url", self.account.url] if url else []
        done = self.command("connect", "opsgenie", *asked, *where, *arguments)
        for key in self.account.emulator.keys:
            assert leaks(done.both, key.value) == []
            assert leaks(self.file.read_text() if self.file.exists() else "", key.value) == []
        assert {line.split()[0] for line in self.account.requests} <= {"GET"}
        return done

    @property
    def saved(self):
        return source.load(self.file).value["connections"]


@pytest.fixture
def connecting(command, served, monkeypatch):
    def connecting(**state):
        state.setdefault("keys", [{"kind": kind} for kind in ("account", "integration", "team", "heartbeat")])
        return Connecting(command, served(**state), monkeypatch)

    return connecting


@pytest.mark.parametrize("kind", ["account", "integration", "team", "heartbeat"])
def test_a_key_of_each_kind_is_tried_and_saved(connecting, kind):
    one = connecting()
    team = ["--team", "dba"] if kind == "team" else []
    done = one("--kind", kind, "--key-from", f"env:{kind.upper()}", *team)
    assert done.code == 0, done.both
    entry = {"kind": kind, **({"team": "dba"} if team else {}), "secret": f"env:{kind.upper()}"}
    assert one.saved == {"opsgenie": {"url": one.account.url, "keys": [entry]}}
    assert "works" in done.out


def test_the_plan_and_what_it_lacks_are_said(connecting):
    one = connecting(account={"name": "acme", "plan": "Free"})
    done = one("--kind", "account", "--key-from", "env:ACCOUNT")
    assert "account  acme, plan Free" in done.out
    assert "it does not have the Integrations page of the whole account" in done.out


def test_what_is_saved_works(connecting):
    one = connecting()
    one("--kind", "team", "--team", "dba", "--key-from", "env:TEAM")
    book = one.command.runbook("steps: [{id: all, uses: opsgenie.alert.list}]\n")
    assert one.command("run", book).code == 0
    assert one.account.requests[-1] == "GET /v2/alerts"


def test_a_right_that_was_seen_to_be_missing_is_not_saved(connecting):
    one = connecting(keys=[{"kind": "integration", "rights": ["read", "create_and_update"]}])
    assert one("--kind", "integration", "--key-from", "env:INTEGRATION").code == 0
    assert one.saved["opsgenie"]["keys"][0]["rights"] == ["read", "create_and_update", "delete"]
    book = one.command.runbook("steps: [{uses: opsgenie.user.list}]\n")
    assert one.command("validate", book).code == 1, "what the key cannot do is said before a run"


def test_rights_that_are_said_are_saved_and_held_against_what_is_seen(connecting):
    one = connecting(keys=[{"kind": "account", "rights": ["read"]}])
    done = one("--kind", "account", "--rights", "configuration_access,read", "--key-from", "env:ACCOUNT")
    assert (done.code, one.file.exists()) == (4, False)
    assert "it lacks the right configuration_access" in done.err
    assert one("--kind", "account", "--rights", "read,create_and_update", "--key-from", "env:ACCOUNT").code == 0
    assert one.saved["opsgenie"]["keys"][0]["rights"] == ["read", "create_and_update"]


@pytest.mark.parametrize(
    ("given", "missing"),
    [
        ((), "--region and --kind and --key-from are needed"),
        (("--region", "eu", "--kind", "account"), "--key-from is needed"),
        (("--region", "eu", "--key-from", "env:A"), "--kind is needed"),
        (("--region", "eu", "--kind", "team", "--key-from", "env:A"), "--team is needed"),
        (("--kind", "account", "--key-from", "env:A"), "--region is needed"),
    ],
)
@pytest.mark.parametrize("no_input", [True, False], ids=["no input", "no terminal"])
def test_a_missing_flag_is_named(connecting, given, missing, no_input, monkeypatch):
    monkeypatch.setattr("sys.stdin", Piped(""))
    done = connecting()(*given, url=False, no_input=no_input)
    assert (done.code, missing in done.err) == (2, True), done.both


@pytest.mark.parametrize(
    "arguments",
    [
        [LOOKS_LIKE_A_KEY],
        ["--key-from", LOOKS_LIKE_A_KEY],
        ["--key-from", f"env:{LOOKS_LIKE_A_KEY}"],
        ["--key-from", f"cmd:{LOOKS_LIKE_A_KEY}"],
        ["--key-from", LOOKS_LIKE_A_KEY.replace("-", "")],
        ["--name", "a" + LOOKS_LIKE_A_KEY[1:]],
        ["--team", LOOKS_LIKE_A_KEY],
        ["--rights", LOOKS_LIKE_A_KEY],
        ["--rights", f"read,{LOOKS_LIKE_A_KEY}"],
        ["--region", LOOKS_LIKE_A_KEY],
        ["--kind", LOOKS_LIKE_A_KEY],
        [f"--api-key={LOOKS_LIKE_A_KEY}"],
        ["--api-key", LOOKS_LIKE_A_KEY],
    ],
    ids=lambda arguments: " ".join(arguments)[:24],
)
@pytest.mark.parametrize("flags", [[], ["--json"]], ids=["text", "json"])
def test_a_key_as_an_argument_is_refused_and_never_repeated(connecting, arguments, flags):
    one = connecting()
    done = one("--kind", "account", *arguments, *flags)
    assert done.code == 2, done.both
    assert LOOKS_LIKE_A_KEY[1:] not in done.both
    assert LOOKS_LIKE_A_KEY.replace("-", "")[1:] not in done.both
    assert (one.file.exists(), one.account.requests) == (False, [])


@pytest.mark.parametrize("words", [["connect", LOOKS_LIKE_A_KEY], [LOOKS_LIKE_A_KEY]], ids=["service", "command"])
def test_a_key_in_the_place_of_a_command_is_not_repeated(command, words):
    done = command(*words)
    assert (done.code, LOOKS_LIKE_A_KEY in done.both) == (2, False)


def test_an_item_of_a_store_may_have_an_id_like_a_key(connecting):
    one = connecting()
    shown = Path(one.command.write("show", f"#!/bin/sh\necho {one.account.key('account')}\n"))
    shown.chmod(0o700)
    reference = f"cmd:{shown} {LOOKS_LIKE_A_KEY}"
    assert one("--kind", "account", "--key-from", reference).code == 0
    assert one.saved["opsgenie"]["keys"] == [{"kind": "account", "secret": reference}]


@pytest.mark.parametrize(
    ("kind", "key", "said"),
    [
        ("account", "TEAM", "treats it as a key of kind team, not account"),
        ("integration", "HEARTBEAT", "treats it as a key of kind heartbeat, not integration"),
        ("account", "MALFORMED", "Key format is not valid!"),
        ("account", "NOBODYS", "does not know the key"),
        ("account", "NOT_SET", "the environment variable NOT_SET is not set"),
    ],
)
def test_a_key_that_is_not_what_was_said_is_not_saved(connecting, kind, key, said):
    one = connecting()
    one.monkeypatch.setenv("MALFORMED", "abcdefgh12")
    one.monkeypatch.setenv("NOBODYS", LOOKS_LIKE_A_KEY)
    done = one("--kind", kind, "--key-from", f"env:{key}")
    assert (done.code, one.file.exists()) == (4, False)
    assert said in done.err
    assert "nothing was saved" in done.err


def test_a_service_that_does_not_answer_saves_nothing(connecting):
    one = connecting()
    done = one("--url", "http://127.0.0.1:1", "--kind", "account", "--key-from", "env:ACCOUNT", url=False)
    assert (done.code, one.file.exists()) == (5, False)


def test_keys_are_added_to_a_connection_and_connections_to_a_file(connecting):
    one = connecting()
    one("--kind", "account", "--key-from", "env:ACCOUNT")
    one("--kind", "team", "--team", "dba", "--key-from", "env:TEAM", url=False)
    one("--name", "dba", "--kind", "team", "--team", "dba", "--key-from", "env:TEAM")
    kinds = {name: [key["kind"] for key in found["keys"]] for name, found in one.saved.items()}
    assert kinds == {"opsgenie": ["account", "team"], "dba": ["team"]}


def test_the_same_reference_twice_changes_nothing(connecting):
    one = connecting()
    one("--kind", "account", "--key-from", "env:ACCOUNT")
    before = one.file.read_bytes(), one.file.stat().st_ino
    done = one("--kind", "account", "--key-from", "env:ACCOUNT")
    assert (done.code, "has this key already" in done.out) == (0, True)
    assert (one.file.read_bytes(), one.file.stat().st_ino) == before


@pytest.mark.parametrize(
    ("flags", "said"),
    [
        (("--url", "http://opsgenie.example"), "connections.opsgenie.url: write https:// and a host"),
        (("--url", "https://x.example/v2"), "no user, password or path"),
        (("--url", "https://x.example", "--proxy", "http://ana:s3cr3t@proxy:1"), "connections.opsgenie.proxy: write http:// and a host"),
    ],
)
def test_no_key_goes_where_the_configuration_would_not_send_it(connecting, flags, said):
    done = connecting()(*flags, "--kind", "account", "--key-from", "env:NEVER_READ", url=False)
    assert (done.code, said in done.err, "s3cr3t" in done.both) == (2, True, False), done.both


def test_certificates_are_found_from_everywhere(connecting):
    one = connecting()
    assert one("--kind", "account", "--key-from", "env:ACCOUNT", "--ca-file", "ca.pem", "--no-check").code == 0
    assert one.saved["opsgenie"]["ca_file"] == str(one.command.folder / "ca.pem")


def test_a_connection_elsewhere_is_not_mixed_up(connecting):
    one = connecting()
    one("--kind", "account", "--key-from", "env:ACCOUNT")
    done = one("--region", "eu", "--kind", "account", "--key-from", "env:ACCOUNT", url=False)
    assert (done.code, "has another region" in done.err) == (2, True)


class Piped:
    """Standard input that is no terminal."""

    def __init__(self, text, encoding="utf-8"):
        self.buffer = io.BytesIO(text.encode(encoding))

    def isatty(self):
        return False


def test_a_key_of_standard_input_is_kept_in_a_private_file(connecting, monkeypatch):
    one = connecting()
    monkeypatch.setattr("sys.stdin", Piped(one.account.key("account") + "\n"))
    done = one("--kind", "account", "--key-from", "file:keys/account", "--key-stdin")
    assert done.code == 0, done.both
    kept = one.command.folder / "keys" / "account"
    assert (kept.read_text().strip(), stat.S_IMODE(kept.stat().st_mode)) == (one.account.key("account"), 0o600)
    assert one.saved["opsgenie"]["keys"][0]["secret"] == f"file:{kept}"


def test_a_new_key_takes_the_place_of_the_old_one(connecting, monkeypatch):
    one = connecting()
    kept = Path(one.command.write("account.key", "11111111-0000-4000-8000-000000000000\n"))
    kept.chmod(0o600)
    arguments = ["--kind", "account", "--key-from", f"file:{kept}"]
    one(*arguments, "--no-check")
    before = one.file.read_bytes()
    monkeypatch.setattr("sys.stdin", Piped(one.account.key("account")))
    assert one(*arguments, "--key-stdin").code == 0
    assert (kept.read_text().strip(), one.file.read_bytes()) == (one.account.key("account"), before)


def test_a_key_that_the_configuration_refuses_is_not_kept(connecting, monkeypatch):
    one = connecting()
    kept = Path(one.command.write("account.key", "11111111-0000-4000-8000-000000000000\n"))
    kept.chmod(0o600)
    one("--kind", "account", "--key-from", f"file:{kept}", "--rights", "read", "--no-check")
    before = one.file.read_bytes(), kept.read_bytes()
    monkeypatch.setattr("sys.stdin", Piped(one.account.key("account")))
    done = one("--kind", "account", "--key-from", f"file:{kept}", "--key-stdin")
    assert (done.code, "has this key already, as {kind: account, rights: [read]}" in done.err) == (2, True)
    assert (one.file.read_bytes(), kept.read_bytes()) == before


@pytest.mark.parametrize("given", ["", "short", "two\nlines-of-it", "\xff" * 9])
def test_standard_input_that_holds_no_key(connecting, monkeypatch, given):
    one = connecting()
    monkeypatch.setattr("sys.stdin", Piped(given, "latin-1"))
    done = one("--kind", "account", "--key-from", "file:kept", "--key-stdin")
    assert (done.code, "is no usable key" in done.err, "nothing was saved" in done.err) == (4, True, True)
    assert one.account.requests == []


def test_a_key_that_is_refused_is_not_kept(connecting, monkeypatch):
    one = connecting()
    monkeypatch.setattr("sys.stdin", Piped(LOOKS_LIKE_A_KEY))
    assert one("--kind", "account", "--key-from", "file:kept", "--key-stdin").code == 4
    assert not (one.command.folder / "kept").exists()


def test_a_place_that_nothing_can_be_put_into(connecting, monkeypatch):
    one = connecting()
    monkeypatch.setattr("sys.stdin", Piped(LOOKS_LIKE_A_KEY))
    done = one("--kind", "account", "--key-from", "env:ACCOUNT", "--key-stdin")
    assert (done.code, "no place that opsbook can put a key into" in done.err) == (2, True)


class Kept(KeyringBackend):
    """A keyring in memory."""

    priority = 1

    def __init__(self):
        self.entries = {}

    def set_password(self, service, username, password):
        self.entries[service, username] = password

    def get_password(self, service, username):
        return self.entries.get((service, username))


@pytest.fixture
def kept():
    before, made = keyring.get_keyring(), Kept()
    keyring.set_keyring(made)
    yield made
    keyring.set_keyring(before)


class Shut(Kept):
    """A keyring that nothing can be put into."""

    def set_password(self, service, username, password):
        raise RuntimeError(password)


def test_a_keyring_that_stays_shut_leaves_nothing(connecting, monkeypatch, kept):
    one = connecting()
    keyring.set_keyring(Shut())
    monkeypatch.setattr("sys.stdin", Piped(one.account.key("account")))
    done = one("--kind", "account", "--key-from", "keyring:opsbook/account", "--key-stdin")
    assert (done.code, "(RuntimeError); nothing was saved" in done.err, one.file.exists()) == (4, True, False)


@pytest.mark.parametrize("rights", ["", ","])
def test_rights_that_name_none_are_no_rights(connecting, rights):
    done = connecting()("--kind", "account", "--rights", rights, "--key-from", "env:ACCOUNT")
    assert (done.code, "a key without any right does nothing" in done.err) == (2, True)


def test_a_key_is_kept_in_the_keyring(connecting, monkeypatch, kept):
    one = connecting()
    monkeypatch.setattr("sys.stdin", Piped(one.account.key("account")))
    assert one("--kind", "account", "--key-from", "keyring:opsbook/account", "--key-stdin").code == 0
    assert kept.entries == {("opsbook", "account"): one.account.key("account")}
    assert one("--kind", "account", "--key-from", "keyring:opsbook/account").code == 0


def test_a_reference_that_means_something_elsewhere_is_saved_unchecked(connecting):
    one = connecting()
    done = one("--kind", "account", "--key-from", "systemd:opsgenie", "--no-check")
    assert (done.code, one.account.requests) == (0, [])
    assert "(not checked)" in done.out
    assert one.saved["opsgenie"]["keys"] == [{"kind": "account", "secret": "systemd:opsgenie"}]


def test_the_document(connecting):
    done = connecting()("--kind", "account", "--key-from", "env:ACCOUNT", "--json")
    told = json.loads(done.out)
    assert (told["connection"], told["changed"], told["stored"], told["hidden_by"]) == ("opsgenie", True, False, None)
    assert told["key"] == {"kind": "account", "secret": "env:ACCOUNT"}
    assert told["standing"]["plan"] == "Enterprise"
    assert told["standing"]["keys"][0]["rights"]["configuration_access"] is True


def test_the_projects_file_and_its_own_keys(connecting, monkeypatch):
    one = connecting()
    monkeypatch.setattr("sys.stdin", Piped(one.account.key("account")))
    assert one("--project", "--kind", "account", "--key-from", "file:keys/account", "--key-stdin").code == 0
    saved = source.load(one.command.folder / "opsbook.yaml").value["connections"]["opsgenie"]
    assert saved["keys"] == [{"kind": "account", "secret": "file:keys/account"}], "right on every machine"
    assert one.command("connections").code == 0


def test_a_stronger_file_is_said(connecting):
    one = connecting()
    one("--project", "--kind", "account", "--key-from", "env:ACCOUNT")
    done = one("--user", "--kind", "account", "--key-from", "env:ACCOUNT")
    assert f"But here {one.command.folder / 'opsbook.yaml'} has a connection opsgenie too" in done.out


def test_the_file_that_is_named(connecting):
    one = connecting()
    named = one.command.folder / "named.yaml"
    assert one("--config", named, "--kind", "account", "--key-from", "env:ACCOUNT").code == 0
    assert (named.exists(), one.file.exists()) == (True, False)


def test_a_configuration_that_is_wrong_is_said_and_left(connecting):
    one = connecting()
    one.command.write("xdg/opsbook/opsbook.yaml", "connections: {opsgenie: {regon: eu}}\n")
    done = one("--kind", "account", "--key-from", "env:ACCOUNT")
    assert (done.code, "did you mean region?" in done.err) == (3, True)


# -- with somebody to ask ---------------------------------------------------------------------------------------------


class Person:
    """Answers questions in turn; each answer says the question it belongs to."""

    def __init__(self, *answers):
        self.left = list(answers)

    def answer(self, prompt):
        expected, answer = self.left.pop(0)
        assert expected in prompt, (expected, prompt)
        if isinstance(answer, BaseException):
            raise answer
        return answer


@pytest.fixture
def person(monkeypatch):
    def person(*answers):
        one = Person(*answers)
        monkeypatch.setattr(ProvidedSession, "can_ask", True)
        monkeypatch.setattr(click.termui, "visible_prompt_func", one.answer)
        monkeypatch.setattr(click.termui, "hidden_prompt_func", one.answer)
        return one

    return person


def test_a_newcomer_is_led_to_a_working_connection(connecting, person):
    one = connecting()
    asked = person(
        ("Whose", "user"),
        ("Kind of key", "account"),
        ("Where the key lives", LOOKS_LIKE_A_KEY),
        ("Where the key lives", "file:keys/account"),
        ("The key itself (not shown)", one.account.key("account")),
        ("Rights", "read, writing"),
        ("Rights", "read, configuration_access"),
    )
    done = one(no_input=False)
    assert (done.code, asked.left) == (0, []), done.both
    kept = f"file:{one.command.folder}/keys/account"
    assert one.saved["opsgenie"]["keys"] == [{"kind": "account", "rights": ["read", "configuration_access"], "secret": kept}]
    for said in (
        "Settings > App settings > API key management",
        "by an Owner or Admin",
        "on every plan",
        "keyring:SERVICE/USER",
        "That looks like the key itself",
        "there is no right writing",
        "Trying the key, with reads only",
    ):
        assert said in done.out


def test_the_region_is_asked_for_first(connecting, person):
    one = connecting()
    person(
        ("Whose", "user"), ("Region", "eu"), ("Kind of key", "team"), ("Name of the team", "dba"), ("Where the key lives", "env:NOT_SET")
    )
    done = one(url=False, no_input=False)
    assert (done.code, one.file.exists()) == (4, False)
    assert "Teams > the team > Integrations" in done.out


def test_a_key_that_is_typed_as_the_teams_name_is_not_saved(connecting, person):
    one = connecting()
    person(("Name of the team", LOOKS_LIKE_A_KEY))
    done = one("--kind", "team", "--key-from", "env:TEAM", "--user", no_input=False)
    assert (done.code, "looks like a key" in done.err, one.file.exists()) == (2, True, False)


QUESTIONS = [
    ("Whose", "user"),
    ("Kind of key", "account"),
    ("Where the key lives", "file:keys/account"),
    ("The key itself (not shown)", None),
    ("Rights", "not sure"),
]


@pytest.mark.parametrize("flags", [[], ["--json"]], ids=["text", "json"])
@pytest.mark.parametrize("how", [KeyboardInterrupt, EOFError])
@pytest.mark.parametrize("at", range(len(QUESTIONS)), ids=[question for question, _ in QUESTIONS])
def test_breaking_off_at_a_question_leaves_nothing(connecting, person, at, how, flags):
    one = connecting()
    answers = [(question, answer or one.account.key("account")) for question, answer in QUESTIONS[:at]]
    person(*answers, (QUESTIONS[at][0], how()))
    done = one(*flags, no_input=False)
    assert (done.code, "error: it was broken off; nothing was saved" in done.err) == (130, True), done.both
    assert not flags or json.loads(done.out)["error"]["code"] == "interrupted"
    assert [path for path in one.command.folder.rglob("*") if path.is_file()] == []


def test_breaking_off_while_the_key_is_tried_leaves_nothing(connecting, monkeypatch):
    def interrupted(*_):
        raise KeyboardInterrupt

    one = connecting()
    monkeypatch.setattr("steps.opsgenie.connecting.standing_of", interrupted)
    done = one("--kind", "account", "--key-from", "env:ACCOUNT")
    assert (done.code, "nothing was saved" in done.err, one.file.exists()) == (130, True, False)


def test_a_person_who_mistypes_the_key_is_asked_again(connecting, person):
    one = connecting()
    asked = person(("The key itself", "oops"), ("The key itself", one.account.key("account")), ("Rights", "read"))
    done = one("--kind", "account", "--key-from", "file:keys/account", "--user", no_input=False)
    assert (done.code, asked.left, "shorter than 8 characters" in done.out, "oops" in done.both) == (0, [], True, False)


def test_on_a_terminal_the_key_is_typed_unseen(connecting, tmp_path):
    one = connecting()
    words = ["--url", one.account.url, "--kind", "account", "--key-from", "file:keys/account", "--user", "--rights", "read"]
    own = {"PYTHONPATH": str(Path(__file__).parents[4]), "PYTHONSAFEPATH": "1"}
    terminal = Terminal([sys.executable, "-m", "engine", "connect", "opsgenie", *words], tmp_path, {**os.environ, **own})
    terminal.until("(not shown): ")
    terminal.type(one.account.key("account"))
    assert (terminal.end(), b"Saved: the connection opsgenie" in terminal.shown) == (0, True), terminal.shown.decode()
    assert one.account.key("account").encode() not in terminal.shown
