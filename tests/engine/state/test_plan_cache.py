"""What was found clean is not checked again, as long as all that the verdict rests on stays the same."""

import os

import pytest

from engine import app, checks
from engine.state import plan_cache
from engine.errors import Invalid
from engine.state.plan_cache import PlanCache
from engine.redaction import Redactor
from engine.secret import Secret

CLEAN = "apiVersion: runbook/v1\nname: hello\nsteps:\n  - uses: core.log\n    with: {message: hello}\n"
UNCLEAN = CLEAN + "vars: {unused: 1}\n"


@pytest.fixture
def code(tmp_path):
    folder = tmp_path / "code"
    (folder / "below").mkdir(parents=True)
    (folder / "below" / "a.py").write_text("A = 1\n")
    return folder


@pytest.fixture
def cache(tmp_path, code):
    return PlanCache(tmp_path / "cache", [code])


def keep(cache, key, value):
    cache.put(key, value)
    cache.keep(lambda value: value)


def test_what_is_kept_is_given_back(cache):
    value = {"a": [1, 2.5, None, True, "é\u2028"]}
    assert cache.get(cache.key(b"x")) is None
    keep(cache, cache.key(b"x"), value)
    assert cache.get(cache.key(b"x")) == value
    assert cache.get(cache.key(b"y")) is None


def test_facts_are_told_apart(cache):
    assert len({cache.key(b"ab", b"c"), cache.key(b"a", b"bc"), cache.key(b"abc"), cache.key(b"abc", b"")}) == 4


@pytest.mark.parametrize("spoil", [b"", b"x", b"\n{}", b"\xff\n1"])
def test_a_damaged_entry_is_as_good_as_none(cache, tmp_path, spoil):
    key = cache.key(b"x")
    keep(cache, key, {"a": 1})
    (tmp_path / "cache" / key).write_bytes(spoil)
    assert cache.get(key) is None


def test_a_changed_value_is_not_believed(cache, tmp_path):
    key = cache.key(b"x")
    keep(cache, key, {"a": 1})
    entry = tmp_path / "cache" / key
    entry.write_bytes(entry.read_bytes().replace(b"1}", b"2}"))
    assert cache.get(key) is None


def test_other_code_knows_nothing(cache, code, tmp_path):
    keep(cache, cache.key(b"x"), 1)
    os.utime(code / "below" / "a.py", (1, 1))
    after = PlanCache(tmp_path / "cache", [code])
    assert after.get(after.key(b"x")) is None


def test_entries_are_private_and_few(cache, tmp_path, monkeypatch):
    monkeypatch.setattr(plan_cache, "MOST", 3)
    for number in range(6):
        key = cache.key(b"%d" % number)
        keep(cache, key, number)
        os.utime(tmp_path / "cache" / key, (number + 1, number + 1))
    assert [cache.get(cache.key(b"%d" % number)) for number in range(6)] == [None, None, None, 3, 4, 5]
    assert {path.stat().st_mode & 0o777 for path in (tmp_path / "cache").iterdir()} == {0o600}


def test_a_folder_that_cannot_be_used_is_no_error(code, tmp_path):
    (tmp_path / "file").write_text("")
    cache = PlanCache(tmp_path / "file" / "cache", [code])
    keep(cache, cache.key(b"x"), 1)
    assert cache.get(cache.key(b"x")) is None


def test_nothing_is_written_before_the_keys_are_known_and_nothing_that_holds_one(cache, tmp_path):
    redactor = Redactor()
    cache.put(cache.key(b"x"), {"team": "0a1b2c3d-0000"})
    cache.put(cache.key(b"y"), {"team": "dba"})
    assert not (tmp_path / "cache").exists()
    redactor.learn(Secret("0a1b2c3d-0000", "env:K"))
    cache.keep(redactor.value)
    assert [cache.get(cache.key(name)) for name in (b"x", b"y")] == [None, {"team": "dba"}]
    cache.keep(lambda value: value)
    assert cache.get(cache.key(b"x")) is None


@pytest.fixture
def runbook(tmp_path, monkeypatch):
    monkeypatch.setenv("OPSBOOK_STATE", str(tmp_path / "state"))
    monkeypatch.chdir(tmp_path)
    seen = []
    monkeypatch.setattr(checks, "findings", lambda subject, real=checks.findings: seen.append(subject) or real(subject))
    path = tmp_path / "hello.yaml"
    path.write_text(CLEAN)
    return path, seen


def check(path, **options):
    """Reads it, and runs it to the end when that is possible."""
    one = app.App(app.Options(config="", **options))
    checked = one.check(str(path), (), None)
    one.begin(checked)
    return checked.runbook


def test_an_unchanged_runbook_is_checked_once_and_reads_the_same(runbook):
    path, seen = runbook
    assert check(path) == check(path)
    assert len(seen) == 1


def test_a_change_is_seen(runbook):
    path, seen = runbook
    check(path)
    path.write_text(CLEAN + "description: other\n")
    assert check(path).description == "other"
    check(path, connection="other")
    assert len(seen) == 3


def test_only_what_is_clean_is_kept(runbook):
    path, seen = runbook
    path.write_text(UNCLEAN)
    check(path), check(path)
    assert len(seen) == 2
    path.write_text(CLEAN.replace("message", "massage"))
    for _ in range(2):
        with pytest.raises(Invalid):
            check(path)
