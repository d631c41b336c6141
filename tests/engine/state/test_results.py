"""What calls answered, kept for resume."""

from __future__ import annotations

import errno
import os
import threading

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from engine.errors import AuditUnwritable
from engine.state.results import Results

values = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats(allow_nan=False, allow_infinity=False) | st.text(),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(), inner, max_size=3),
    max_leaves=6,
)


def put(path, *kept):
    results = Results(path)
    keys = [results.put(value) for value in kept]
    results.sync()
    results.close()
    return keys


def read(path):
    results = Results(path)
    results.close()
    return results


@settings(suppress_health_check=[HealthCheck.too_slow])  # the first text of a process is slow to make
@given(st.lists(values, max_size=4))
def test_a_later_process_reads_what_was_put(tmp_path_factory, kept):
    path = tmp_path_factory.mktemp("r") / "results"
    keys = put(path, *kept)
    later = read(path)
    assert [later.get(key) for key in keys] == kept


def test_what_a_crash_cut_short_is_dropped_and_the_rest_goes_on(tmp_path):
    path = tmp_path / "results"
    one, two = put(path, {"a": 1}, {"b": 2})
    whole = path.read_bytes()
    for cut in range(1, len(whole.splitlines()[1]) + 1):
        path.write_bytes(whole[:-cut])
        (three,) = put(path, "three")
        later = read(path)
        assert (later.get(one), later.get(three), two in later) == ({"a": 1}, "three", False)


def test_a_changed_value_is_not_taken(tmp_path):
    path = tmp_path / "results"
    (key,) = put(path, {"a": 1})
    for changed in (path.read_bytes().replace(b"1}", b"2}"), b"\xff\n", b"\n"):
        path.write_bytes(changed)
        later = read(path)
        assert key not in later
        with pytest.raises(KeyError):
            later.get(key)


@pytest.mark.parametrize("call", ["write", "fdatasync"])
def test_a_failing_disk_poisons_it(tmp_path, monkeypatch, call):
    def fail(*_):
        raise OSError(errno.ENOSPC, "No space left on device")

    results = Results(tmp_path / "results")
    use = {"write": lambda: results.put(1), "fdatasync": results.sync}[call]
    with monkeypatch.context() as failing:
        failing.setattr(os, call, fail)
        with pytest.raises(AuditUnwritable, match="No space"):
            use()
    for later in (lambda: results.put(1), results.sync):
        with pytest.raises(AuditUnwritable):
            later()
    results.close()


def test_a_link_is_refused_and_left_as_it_is(tmp_path):
    (tmp_path / "target").write_text("half a line")
    (tmp_path / "results").symlink_to(tmp_path / "target")
    with pytest.raises(AuditUnwritable, match="cannot be opened"):
        Results(tmp_path / "results")
    assert (tmp_path / "target").read_text() == "half a line"


def test_it_is_private_and_threads_do_not_mix_their_lines(tmp_path):
    path = tmp_path / "results"
    results = Results(path)
    keys = {}
    threads = [threading.Thread(target=lambda n=n: keys.update({n: [results.put([n, i, "x" * 50]) for i in range(20)]})) for n in range(6)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    results.close()
    later = read(path)
    assert all(later.get(key)[:2] == [n, i] for n, made in keys.items() for i, key in enumerate(made))
    assert path.stat().st_mode & 0o777 == 0o600


def test_a_value_of_another_run_is_taken_over(tmp_path):
    (key,) = put(tmp_path / "old", {"a": 1})
    new, old = Results(tmp_path / "new"), read(tmp_path / "old")
    new.take_over(old, key)
    assert new.get(key) == {"a": 1}
    new.close()
    assert read(tmp_path / "new").get(key) == {"a": 1}
