"""Adding to a configuration file: the right value, and every byte that was there."""

from __future__ import annotations

import os
import stat
import threading

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from engine import config, source
from engine.project import PROVIDERS, connection_schema
from engine.catalog import Catalog
from engine.config.edit import adding
from engine.errors import Invalid, UsageError

SCHEMA = connection_schema(Catalog(PROVIDERS))
KEY = {"kind": "team", "team": "dba", "secret": "env:DBA_KEY"}
OTHER = {"kind": "account", "rights": ["read"], "secret": "env:ACCOUNT_KEY"}
ANY = '{kind: integration, secret: "env:OLD"}'


def add_key(*what):
    with adding(*what) as changes:
        return changes


STYLES = {
    "empty": "",
    "comments only": "# ours\n# still ours\n",
    "no connections": '# head\nhttp: {allow: ["https://x.example"]}   # why\n\n# tail\n',
    "no final newline": "http: {allow: []}",
    "block": f"connections:\n  web:\n    region: eu\n    keys:\n      - {ANY}   # old\n      # - {{kind: heartbeat}}\n    # note on web\nhttp: {{allow: []}}\n",
    "unindented list": f"connections:\n  web:\n    keys:\n    - {ANY}\n    # note\n    region: eu\n",
    "block items": "connections:\n  web:\n    keys:\n      - kind: integration\n        secret: env:OLD  # old\n        # deeper\n\nwrite: {allow: []}\n",
    "wide": f"connections:\n        web:\n                region: eu\n                keys:\n                        - {ANY}\n",
    "flow": f"connections: {{web: {{region: eu, keys: [{ANY}]}}}}\n",
    "flow of several lines": f"connections: {{\n  web: {{region: eu, keys: [\n    {ANY}, # old\n  ]}}, # web\n}}\n",
    "flow root": f"{{connections: {{web: {{keys: [{ANY}]}}}}}}\n",
    "empty flow": "connections: {}\n",
    "empty keys": "connections:\n  web: {keys: []}\n",
    "no keys": "connections:\n  web:\n    region: eu  # there\n\n  other:\n    region: us\n",
    "crlf": f"connections:\r\n  web:\r\n    keys:\r\n      - {ANY}\r\n# end\r\n",
    "byte order mark": "\ufeffhttp: {allow: []}\n",
    "document marks": "---\nhttp: {allow: []}\n...\n",
    "quoted names": f'"connections":\n  "web": {{"keys": [{ANY}]}}\n',
    "last is a list": "write:\n  allow:\n    - /srv/reports   # here\n    # and there\n",
}


def settings_of(text, name):
    value = config.checked(text.encode(), "x", SCHEMA) or {}
    return value.get("connections", {}).get(name)


def is_insertion(old, new):
    """Whether the new text is the old one with one piece put in, apart from a last line break."""
    for end in ("", "\n"):
        before = os.path.commonprefix([old + end, new])
        after = len(old + end) - len(before)
        if new.startswith(before) and (after == 0 or new.endswith((old + end)[len(before) :])):
            return True
    return False


@pytest.fixture
def file(tmp_path):
    return tmp_path / "opsbook.yaml"


@pytest.mark.parametrize("name", ["web", "dba"])
@pytest.mark.parametrize("style", STYLES)
def test_a_key_is_added_and_nothing_else_changes(file, style, name):
    text = STYLES[style]
    file.write_bytes(text.encode())
    before = (config.checked(text.encode(), file, SCHEMA) or {}).copy()
    present = settings_of(text, name)
    assert add_key(file, name, {"region": "eu"}, KEY, SCHEMA) is True
    new = file.read_bytes().decode()
    after = config.checked(new.encode(), file, SCHEMA)
    assert is_insertion(text, new), new
    assert after["connections"][name]["keys"] == [*(present or {}).get("keys", ()), KEY]
    assert {part: value for part, value in after["connections"][name].items() if part != "keys"} == {
        part: value for part, value in (present or {"region": "eu"}).items() if part != "keys"
    }
    others = {other: value for other, value in after["connections"].items() if other != name}
    assert others == {other: value for other, value in before.get("connections", {}).items() if other != name}
    assert {part: value for part, value in after.items() if part != "connections"} == {
        part: value for part, value in before.items() if part != "connections"
    }
    assert ("\r\n" in new) == ("\r\n" in text)
    assert "\n" not in new.replace("\r\n", "") or "\r\n" not in text


@pytest.mark.parametrize("style", STYLES)
def test_the_same_key_twice_changes_nothing(file, style):
    file.write_bytes(STYLES[style].encode())
    add_key(file, "web", {"region": "eu"}, KEY, SCHEMA)
    before, made = file.read_bytes(), file.stat().st_ino
    assert add_key(file, "web", {"region": "eu"}, KEY, SCHEMA) is False
    assert (file.read_bytes(), file.stat().st_ino) == (before, made)


def test_what_is_written_reads_well(file):
    add_key(file, "opsgenie", {"region": "eu"}, KEY, SCHEMA)
    add_key(file, "opsgenie", {}, OTHER, SCHEMA)
    add_key(file, "web", {"url": "http://localhost:8080"}, KEY, SCHEMA)
    assert (
        file.read_text()
        == """\
connections:
  opsgenie:
    region: eu
    keys:
      - {kind: team, team: dba, secret: "env:DBA_KEY"}
      - {kind: account, rights: [read], secret: "env:ACCOUNT_KEY"}
  web:
    url: "http://localhost:8080"
    keys:
      - {kind: team, team: dba, secret: "env:DBA_KEY"}
"""
    )


def test_comments_stay_with_what_they_are_about(file):
    file.write_text(STYLES["block"])
    add_key(file, "dba", {"region": "eu"}, KEY, SCHEMA)
    add_key(file, "web", {}, KEY, SCHEMA)
    assert (
        file.read_text()
        == f"""\
connections:
  web:
    region: eu
    keys:
      - {ANY}   # old
      - {{kind: team, team: dba, secret: "env:DBA_KEY"}}
      # - {{kind: heartbeat}}
    # note on web
  dba:
    region: eu
    keys:
      - {{kind: team, team: dba, secret: "env:DBA_KEY"}}
http: {{allow: []}}
"""
    )


@settings(deadline=None, max_examples=60)
@given(
    name=st.from_regex(r"[a-z][a-z0-9_-]{0,20}", fullmatch=True),
    team=st.text(st.characters(exclude_categories=("Cc", "Cs", "Cf", "Zl", "Zp", "Co", "Cn")), min_size=1, max_size=20),
    reference=st.text(st.characters(exclude_categories=("Cc", "Cs", "Cf", "Zl", "Zp", "Zs", "Co", "Cn")), min_size=1, max_size=20),
    style=st.sampled_from(sorted(STYLES)),
)
def test_any_name_team_and_reference_read_back_as_they_are(tmp_path_factory, name, team, reference, style):
    file = tmp_path_factory.mktemp("any") / "opsbook.yaml"
    file.write_bytes(STYLES[style].encode())
    key = {"kind": "team", "team": team, "secret": f"file:/{reference}"}
    add_key(file, name, {"region": "us"}, key, SCHEMA)
    assert source.load(file).value["connections"][name]["keys"][-1] == key


def test_the_same_reference_as_another_key_is_refused(file):
    add_key(file, "web", {"region": "eu"}, KEY, SCHEMA)
    before = file.read_bytes()
    with pytest.raises(UsageError) as caught:
        add_key(file, "web", {"region": "eu"}, {**OTHER, "secret": KEY["secret"]}, SCHEMA)
    assert "has this key already, as {kind: team, team: dba}" in caught.value.message
    assert file.read_bytes() == before


@pytest.mark.parametrize(
    "text",
    [
        "connections:\n  web: &a\n    region: eu\n    keys: []\n  other: *a\n",
        'connections:\n  base: &k {keys: [{kind: team, secret: "env:A"}]}\n  web: *k\n',
    ],
)
def test_what_cannot_be_added_to_safely_is_left_as_it_is(file, text):
    file.write_text(text)
    with pytest.raises(UsageError) as caught:
        add_key(file, "web", {"region": "eu"}, KEY, SCHEMA)
    assert "add it yourself: {connections: {web: " in caught.value.hint
    assert file.read_text() == text
    assert os.listdir(file.parent) == [file.name]


def test_a_file_that_is_wrong_is_not_touched(file):
    file.write_text("connections: {web: {regon: eu}}\n")
    with pytest.raises(Invalid):
        add_key(file, "dba", {"region": "eu"}, KEY, SCHEMA)
    assert file.read_text() == "connections: {web: {regon: eu}}\n"


def test_mode_and_links_are_kept(tmp_path, file):
    real = tmp_path / "dotfiles" / "opsbook.yaml"
    real.parent.mkdir()
    real.write_text("# mine\n")
    real.chmod(0o640)
    file.symlink_to(real)
    add_key(file, "web", {"region": "eu"}, KEY, SCHEMA)
    assert file.is_symlink()
    assert stat.S_IMODE(real.stat().st_mode) == 0o640
    assert real.read_text().startswith("# mine\nconnections:\n")


def test_a_folder_that_takes_no_file(tmp_path):
    (tmp_path / "file").write_text("")
    with pytest.raises(UsageError) as caught:
        add_key(tmp_path / "file" / "opsbook.yaml", "web", {}, KEY, SCHEMA)
    assert "cannot be written" in caught.value.message


def test_a_write_that_fails_leaves_the_old_file(file, monkeypatch):
    file.write_text("# mine\n")

    def full(*_given):
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(os, "fsync", full)
    with pytest.raises(UsageError) as caught:
        add_key(file, "web", {"region": "eu"}, KEY, SCHEMA)
    assert "No space left on device" in caught.value.message
    assert file.read_text() == "# mine\n"
    assert os.listdir(file.parent) == [file.name]


def test_ctrl_c_in_the_midst_leaves_the_old_file(file, monkeypatch):
    file.write_text("# mine\n")

    def interrupted(*_given):
        raise KeyboardInterrupt

    monkeypatch.setattr(os, "fsync", interrupted)
    with pytest.raises(KeyboardInterrupt):
        add_key(file, "web", {"region": "eu"}, KEY, SCHEMA)
    assert (file.read_text(), os.listdir(file.parent)) == ("# mine\n", [file.name])


def test_keys_added_at_the_same_time_are_all_there(file):
    keys = [{**KEY, "secret": f"env:KEY_{number}"} for number in range(8)]
    threads = [threading.Thread(target=add_key, args=(file, "web", {"region": "eu"}, key, SCHEMA)) for key in keys]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    found = source.load(file).value["connections"]["web"]["keys"]
    assert sorted(key["secret"] for key in found) == [key["secret"] for key in keys]


def test_what_speaks_against_it_is_said_before_and_what_fails_meanwhile_leaves_the_file(file):
    add_key(file, "web", {"region": "eu"}, KEY, SCHEMA)
    before = file.read_bytes()
    with pytest.raises(UsageError, match="has this key already"), adding(file, "web", {}, {**KEY, "team": "ops"}, SCHEMA):
        pytest.fail("it was gone into")
    with pytest.raises(ZeroDivisionError), adding(file, "web", {}, OTHER, SCHEMA) as changes:
        assert (changes, file.read_bytes()) == (True, before)
        raise ZeroDivisionError
    assert file.read_bytes() == before


def test_a_folder_that_cannot_be_written_is_said_before(file, monkeypatch):
    monkeypatch.setattr(os, "access", lambda *_: False)
    with pytest.raises(UsageError, match="Permission denied"), adding(file, "web", {"region": "eu"}, KEY, SCHEMA):
        pytest.fail("it was gone into")
