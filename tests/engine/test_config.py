"""The configuration: which file wins, and that no key ever stands in one."""

import re
from pathlib import Path

import pytest

from engine import config, project, secrets
from engine.catalog import Catalog
from engine.errors import Invalid, UsageError

SCHEMA = project.connection_schema(Catalog(project.PROVIDERS))
REGION = "connections: {{opsgenie: {{region: {}}}}}\n"


@pytest.fixture
def places(tmp_path, monkeypatch):
    """Folders for each place a configuration may lie; this process stands two folders below the nearest."""
    for name in ("project/a/b", "home/opsbook", "etc"):
        (tmp_path / name).mkdir(parents=True)
    monkeypatch.chdir(tmp_path / "project/a/b")
    monkeypatch.setenv("XDG_CONFIG_HOME", str(tmp_path / "home"))
    monkeypatch.delenv("OPSBOOK_CONFIG", raising=False)
    monkeypatch.setattr(config, "MACHINE_WIDE", tmp_path / "etc/opsbook.yaml")
    return tmp_path


def region(given=None):
    return config.load(given, SCHEMA).connections.get("opsgenie", {}).get("region")


def test_the_nearest_wins_over_the_users_over_the_machines(places):
    assert config.load(None, SCHEMA).connections == {}
    for place, name in (
        ("etc/opsbook.yaml", "us"),
        ("home/opsbook/opsbook.yaml", "eu"),
        ("project/opsbook.yaml", "us"),
        ("project/a/opsbook.yaml", "eu"),
    ):
        (places / place).write_text(REGION.format(name))
        assert region() == name


def test_only_the_nearest_of_a_project_is_read(places):
    (places / "project/opsbook.yaml").write_text(REGION.format("us"))
    (places / "project/a/opsbook.yaml").write_text("http: {allow: ['https://x.example']}")
    assert region() is None


def test_connections_add_up_by_name_and_other_settings_by_key(places):
    (places / "etc/opsbook.yaml").write_text(
        "connections: {opsgenie: {region: us}, old: {region: us}}\nhttp: {allow: ['https://a.example']}\nwrite: {allow: [/srv]}"
    )
    (places / "project/opsbook.yaml").write_text("connections: {opsgenie: {region: eu}}\nhttp: {allow: ['https://b.example']}")
    found = config.load(None, SCHEMA)
    assert found.connections == {"opsgenie": {"region": "eu"}, "old": {"region": "us"}}
    assert found.settings == {"http": {"allow": ["https://b.example"]}, "write": {"allow": ["/srv"]}, "project": str(places / "project")}
    assert found.files == (str(places / "project/opsbook.yaml"), str(places / "etc/opsbook.yaml"))


def test_a_flag_wins_over_the_environment_and_each_reads_one_file(places, monkeypatch):
    (places / "project/opsbook.yaml").write_text("connections: {extra: {region: us}}")
    (places / "one.yaml").write_text(REGION.format("us"))
    (places / "two.yaml").write_text(REGION.format("eu"))
    monkeypatch.setenv("OPSBOOK_CONFIG", str(places / "one.yaml"))
    assert region() == "us"
    assert region(str(places / "two.yaml")) == "eu"
    assert set(config.load(None, SCHEMA).connections) == {"opsgenie"}


def test_no_configuration_may_be_asked_for(places, monkeypatch):
    (places / "project/opsbook.yaml").write_text(REGION.format("us"))
    monkeypatch.setenv("OPSBOOK_CONFIG", str(places / "absent.yaml"))
    assert config.load("", SCHEMA).connections == {}


def test_a_file_that_was_named_must_be_there(places):
    with pytest.raises(Invalid, match="cannot read"):
        config.load(str(places / "absent.yaml"), SCHEMA)


@pytest.mark.parametrize("text", ["", "# nothing yet\n", "{}"])
def test_an_empty_file_says_nothing(places, text):
    (places / "project/opsbook.yaml").write_text(text)
    assert config.load(None, SCHEMA).connections == {}


KEY = "4ce1ab72-0000-4c11-b22a-1f6c2f3e9d10"


@pytest.mark.parametrize(
    "text",
    [
        f"connections: {{opsgenie: {{keys: [{{kind: team, secret: {KEY}}}]}}}}",
        f"connections: {{opsgenie: {{keys: [{{kind: team, key: {KEY}}}]}}}}",
        f"connections: {{opsgenie: {{api_key: {KEY}}}}}",
        f"connections: {{opsgenie: {{keys: {KEY}}}}}",
        f"connections: {{opsgenie: {{keys: [{{kind: {KEY}, secret: 'env:X'}}]}}}}",
        f"connections: {{opsgenie: {{keys: [{{kind: team, secret: '{KEY}}}]}}}}",
        f"connections: {{opsgenie: {{region: {KEY}}}}}",
        f"opsgenie_key: {KEY}",
        f"connections: {{opsgenie: {{url: 'https://{KEY}@api.example.com'}}}}",
        KEY,
    ],
)
def test_a_literal_key_is_refused_and_never_echoed(places, command, text):
    path = command.write("opsbook.yaml", text)
    with pytest.raises(Invalid) as caught:
        config.load(path, SCHEMA)
    assert KEY not in repr(caught.value.findings)
    assert caught.value.findings[0].place is not None
    done = command("run", command.runbook("steps: [{uses: core.log, with: {message: a}}]"))
    assert (done.code, KEY in done.both) == (3, False)


def test_paths_in_a_file_are_meant_beside_it(places, monkeypatch):
    text = "connections: {o: {ca_file: ca.pem, keys: [{kind: team, secret: 'file:keys/team'}]}}\nwrite: {allow: [reports, /srv, ~/out]}"
    (places / "project/opsbook.yaml").write_text(text)
    monkeypatch.setenv("HOME", "/home/ana")
    for given, folder in ((None, places / "project"), ("../../opsbook.yaml", places / "project/a/b/../..")):
        found = config.load(given, SCHEMA)
        assert found.connections["o"]["ca_file"] == f"{folder}/ca.pem"
        assert found.connections["o"]["keys"][0]["secret"] == f"file:{folder}/keys/team"
        assert found.settings["write"]["allow"] == [f"{folder}/reports", "/srv", "/home/ana/out"]


def test_the_project_is_the_folder_of_its_file_and_never_the_users_own(places):
    (places / "home/opsbook/opsbook.yaml").write_text("{}")
    here = str(places / "project/a/b")
    assert [config.load(given, SCHEMA).settings["project"] for given in (None, "")] == [here, here]
    (places / "one.yaml").write_text("{}")
    assert config.load(str(places / "one.yaml"), SCHEMA).settings["project"] == str(places)
    (places / "project/opsbook.yaml").write_text("{}")
    assert config.load(None, SCHEMA).settings["project"] == config.load("", SCHEMA).settings["project"] == str(places / "project")


def test_neither_the_root_nor_a_home_is_a_project_by_itself(places, monkeypatch):
    monkeypatch.setenv("HOME", str(places / "project"))
    assert [config.load("", SCHEMA, folder).settings for folder in ("/", str(places), str(places / "project"))] == [{}] * 3
    (places / "project/opsbook.yaml").write_text("{}")
    assert config.load(None, SCHEMA).settings == {"project": str(places / "project")}


@pytest.mark.parametrize("flags", [(), ("--json",), ("--color", "always")], ids=str)
def test_the_names_in_a_file_are_shown_as_plain_text_of_one_line(command, flags):
    """They are quoted in findings: a name can neither drive a terminal nor look like a line of ours."""
    command.write("opsbook.yaml", '"a\\e]0;x\\a\\n/etc/x:9:9: error forged\\u202e": 1\n')
    done = command(*flags, "run", command.runbook("steps: [{uses: core.log, with: {message: a}}]"))
    assert done.code == 3
    shown = done.both.replace("\x1b[", "")  # our own colours
    assert not {"\x1b", "\x07", "\u202e"} & set(shown)
    assert not any(line.startswith("/etc/x") for line in shown.splitlines())


def test_a_misspelt_setting_gets_advice(places):
    (places / "project/opsbook.yaml").write_text("connectoins: {}")
    with pytest.raises(Invalid) as caught:
        config.load(None, SCHEMA)
    assert caught.value.findings[0].hint == "did you mean connections?"


@pytest.mark.parametrize("url", ["http://api.opsgenie.com", "ftp://127.0.0.1", "https://user:pass@x.example", "https://x.example/path"])
def test_only_https_or_this_machine(places, url):
    (places / "project/opsbook.yaml").write_text(f"connections: {{opsgenie: {{url: '{url}'}}}}")
    with pytest.raises(Invalid):
        config.load(None, SCHEMA)


def refusal(places, text):
    (places / "project/opsbook.yaml").write_text(text)
    with pytest.raises(Invalid) as caught:
        config.load(None, SCHEMA)
    (finding,) = caught.value.findings
    return finding


def test_a_url_that_cannot_be_is_refused_in_words(places):
    finding = refusal(places, "connections: {opsgenie: {url: 'http://api.opsgenie.com'}}")
    assert "write https:// and a host" in finding.message
    assert "^" not in finding.message


def test_a_connections_name_is_refused_at_its_key(places):
    finding = refusal(places, "connections:\n  good: {}\n  Bad Name: {}\n")
    assert (finding.place.line, finding.place.column) == (3, 3)


SECRET = "connections: {{opsgenie: {{keys: [{{kind: team, secret: '{}'}}]}}}}"


def test_a_source_of_secrets_that_is_not_there_is_said_at_its_place(places):
    finding = refusal(places, SECRET.format("vault:x/y"))
    assert "there is no such source of secrets" in finding.message
    assert (finding.place.line, finding.source, finding.hint) == (1, None, f"write {secrets.forms()}")


@pytest.mark.parametrize("source", sorted(secrets.SOURCES))
def test_every_source_of_secrets_can_be_named(places, source):
    form = secrets.SOURCES[source].FORM
    (places / "project/opsbook.yaml").write_text(SECRET.format(form) + f"\nsecrets: {{A_TOKEN: '{form}'}}\n")
    found = config.load(None, SCHEMA)
    assert found.connections["opsgenie"]["keys"][0]["secret"] == found.secrets["A_TOKEN"] == form


@pytest.mark.parametrize("source", [source for source in secrets.SOURCES if source != "file"])
def test_a_name_that_a_source_does_not_know_is_said_with_what_to_write(places, source):
    finding = refusal(places, SECRET.format(f"{source}: "))
    assert finding.hint == f"write {secrets.SOURCES[source].FORM}"


def test_secrets_add_up_by_name(places):
    (places / "etc/opsbook.yaml").write_text("secrets: {A: 'env:ONE', B: 'file:/run/b'}")
    (places / "project/opsbook.yaml").write_text("secrets: {A: 'env:TWO', C: 'file:c.key'}")
    found = config.load(None, SCHEMA)
    assert found.secrets == {"A": "env:TWO", "B": "file:/run/b", "C": f"file:{places}/project/c.key"}
    assert "secrets" not in found.settings


@pytest.mark.parametrize("text", ["secrets: {TOKEN: KEY}", "secrets: {TOKEN: 'env:KEY'}", "secrets: {TOKEN: [KEY]}", "secrets: KEY"])
def test_a_literal_secret_is_refused_and_never_echoed(places, text):
    found = refusal(places, text.replace("KEY", KEY))
    assert KEY not in repr(found)


def test_a_secret_is_named_like_a_name(places):
    finding = refusal(places, "secrets:\n  my-token: 'env:X'\n")
    assert (finding.place.line, finding.place.column) == (2, 3)
    assert "a letter first" in finding.message


@pytest.mark.parametrize(("written", "found"), [("k.txt", "{}/k.txt"), ("/run/k", "/run/k"), ("~/k", "~/k")])
def test_a_secret_file_lies_beside_the_configuration(places, written, found):
    (places / "project/opsbook.yaml").write_text(SECRET.format(f"file:{written}"))
    key = config.load(None, SCHEMA).connections["opsgenie"]["keys"][0]
    assert key == {"kind": "team", "secret": "file:" + found.format(places / "project")}


def test_sinks_of_the_audit_log_add_up_and_begin_at_their_configuration(places):
    (places / "etc/opsbook.yaml").write_text("audit: {segment: 1MiB, sinks: [{syslog: local, required: true}]}")
    (places / "project/opsbook.yaml").write_text("audit: {segment: 2MiB, sinks: [{file: copy.jsonl}, {file: /srv/audit}, {file: ~/audit}]}")
    here = [{"file": str(places / "project/copy.jsonl")}, {"file": "/srv/audit"}, {"file": str(Path("~/audit").expanduser())}]
    found = config.load(None, SCHEMA).settings
    assert found["audit"] == {"segment": "2MiB", "sinks": [{"syslog": "local", "required": True}, *here]}
    (places / "project/opsbook.yaml").write_text("audit: {}")
    assert config.load(None, SCHEMA).settings["audit"] == {"segment": "1MiB", "sinks": [{"syslog": "local", "required": True}]}


@pytest.mark.parametrize(
    "text", ["audit: {segment: 64}", "audit: {off: true}", "runs: {keep: -1}", "runs: {older_than: soon}", "runs: {all: 1}"]
)
def test_settings_of_the_audit_log_are_checked(places, text):
    (places / "project/opsbook.yaml").write_text(text)
    with pytest.raises(Invalid):
        config.load(None, SCHEMA)


def test_a_home_that_nobody_knows(places):
    with pytest.raises(UsageError, match="no such home folder"):
        config.load("~nobody-here/opsbook.yaml", SCHEMA)
