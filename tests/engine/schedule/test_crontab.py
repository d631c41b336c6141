"""Our lines between their markers, and every other byte as it was."""

from __future__ import annotations

import os
from datetime import UTC, datetime
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from engine.errors import UsageError
from engine.schedule import crontab, timing
from engine.schedule.command import Command
from engine.schedule.crontab import BEGIN, END, Line, installed, removed

NOW = datetime(2026, 11, 23, 12, tzinfo=UTC)
COMMAND = Command(Path("/srv/run books"), {"OPSBOOK_STATE": "/var/lib/50% full"}, ("/opt/opsbook",), "/etc/own.yaml")


def own(file, trigger="0 3 * * * UTC", text="0 3 * * * opsbook run x --scheduled y"):
    return Line(f"# {file}: {trigger}".encode(), text.encode())


A, B = own("/a/one.yaml"), own("/b/two.yaml", "5 4 * * * UTC #2")
EVERYTHING = lambda _file: True  # noqa: E731
NOTHING = lambda _file: False  # noqa: E731
TEXTS = (
    b"",
    b"\n",
    b"MAILTO=me\n5 4 * * * mine\n",
    b"# no end",
    b"a\r\nb\r\n",
    b"a\r\nb",
    b"\xff\xfe\n\n\n",
    b"# BEGIN something else\n",
    b"# BEGIN opsbook schedules of others\n",
)


@pytest.mark.parametrize("text", TEXTS)
def test_removing_leaves_the_bytes_that_were_there(text):
    with_ours = installed(text, [A, B], EVERYTHING)
    assert installed(with_ours, [A, B], EVERYTHING) == with_ours
    assert with_ours.startswith(text) and with_ours.endswith(END + b"\n")
    assert removed(with_ours, EVERYTHING) == text
    assert removed(text, EVERYTHING) == text


@settings(max_examples=200, deadline=None)
@given(
    st.binary(max_size=60).filter(lambda text: b"opsbook" not in text), st.binary(max_size=40).filter(lambda text: b"opsbook" not in text)
)
def test_whatever_the_user_writes_above_and_below_stays(above, below):
    with_ours = installed(above, [A], EVERYTHING) + below
    again = installed(with_ours, [B], EVERYTHING)
    assert crontab.lines(again) == (B,)
    kept = removed(again, EVERYTHING)
    joint = b"\n" if above and not above.endswith(b"\n") and below else b""
    assert kept == above + joint + below


def test_the_lines_of_other_runbooks_stay():
    both = installed(b"", [A, B], EVERYTHING)
    below_a = lambda file: Path("/a") in file.parents  # noqa: E731
    changed = own("/a/one.yaml", "1 1 * * * UTC")
    assert crontab.lines(installed(both, [changed], below_a)) == (B, changed)
    assert crontab.lines(removed(both, below_a)) == (B,)
    assert installed(both, [], EVERYTHING) == b""


@pytest.mark.parametrize("place", range(5))
@pytest.mark.parametrize("mine", [b"MAILTO=me\n", b"# mine\r\n* * * * * mine\n", b"# /a/path: of mine\n"])
def test_what_somebody_wrote_between_the_markers_moves_above_them(place, mine):
    lines = installed(b"x", [A, B], EVERYTHING).splitlines(keepends=True)
    text = b"".join([*lines[: place + 2], mine, *lines[place + 2 :]])
    assert removed(text, EVERYTHING) == b"x\n" + mine
    again = installed(text, [A, B], EVERYTHING)
    assert again == b"x\n" + mine + installed(b"", [A, B], EVERYTHING)
    assert installed(again, [A, B], EVERYTHING) == again


def test_a_line_that_lost_its_comment_takes_no_other_with_it():
    text = installed(b"", [A, B], EVERYTHING).replace(A.about + b"\n", b"")
    assert removed(text, NOTHING) == installed(b"", [B], EVERYTHING)


@pytest.mark.parametrize(
    "text",
    [
        BEGIN + b"\n# a\nb\n",
        BEGIN + b" here\n" + END + b"\n",
        END + b"\n",
        END + b"\n" + BEGIN + b"\n",
        BEGIN + b"\n" + BEGIN + b"\n" + END + b"\n",
        BEGIN + b"\n" + END + b"\n" + BEGIN + b"\n" + END + b"\n",
    ],
)
def test_broken_markers_are_refused(text):
    for change in (lambda: installed(text, [A], EVERYTHING), lambda: removed(text, EVERYTHING), lambda: crontab.lines(text)):
        with pytest.raises(UsageError, match="marker lines .* in line") as caught:
            change()
        assert "crontab -e" in caught.value.hint


@pytest.fixture(autouse=True)
def machine(monkeypatch):
    """Sets the machine's time zone."""
    from engine.schedule import cron

    def set_to(name):
        monkeypatch.setattr(timing, "machine_zone", lambda: cron.zone(name))

    set_to("UTC")
    return set_to


def told(entry):
    line = crontab.line(entry, COMMAND, NOW)
    fields, _, command = os.fsdecode(line.text).partition(" cd ")
    return fields, command


def test_a_line_is_quoted_for_the_shell_and_for_cron(entry):
    fields, command = told(entry(file="/srv/run books/it's 5%.yaml"))
    assert fields == "0 3 * * *"
    assert command == (
        "'/srv/run books' && OPSBOOK_STATE='/var/lib/50\\% full' /opt/opsbook -q run '/srv/run books/it'\"'\"'s 5\\%.yaml' "
        "--trigger cron --scheduled '0 3 * * * UTC' --config /etc/own.yaml"
    )


@pytest.mark.parametrize(
    ("trigger", "machine_zone", "fields", "asks"),
    [
        ({}, "UTC", "0 3 * * *", False),
        ({}, "Europe/Berlin", "0 * * * *", True),
        ({"timezone": "Europe/Berlin"}, "UTC", "0 * * * *", True),
        ({"timezone": "Europe/Berlin"}, "Europe/Berlin", "0 * * * *", True),
        ({"cron": "30 2 * * *", "timezone": "Europe/Berlin"}, "UTC", "*/30 * * * *", True),
        ({"cron": "30 2 * * *", "timezone": "Pacific/Chatham"}, "UTC", "0,45 * * * *", True),
        ({"timezone": "Asia/Kolkata"}, "Asia/Kolkata", "0 3 * * *", False),
        ({"timezone": "Asia/Kolkata"}, "UTC", "30 * * * *", True),
        ({"cron": "*/10 * * * *", "timezone": "Europe/Berlin"}, "America/New_York", "*/10 * * * *", False),
        ({"cron": "*/10 * * * *", "timezone": "Asia/Kolkata"}, "UTC", "*/10 * * * *", True),
        ({"cron": "* * * * *", "timezone": "Asia/Kolkata"}, "UTC", "* * * * *", False),
        ({"cron": "0 3 * JAN,MAR MON-FRI"}, "UTC", "0 3 * 1,3 1,2,3,4,5", False),
        ({"cron": "0 3 L * *"}, "UTC", "0 * * * *", True),
        ({"cron": "0 3 *,5 * 1"}, "UTC", "0 * * * *", True),
        ({"missed": "run_once"}, "UTC", "*/5 * * * *", True),
        ({"missed": "run_once", "max_lateness": 120.0}, "UTC", "* * * * *", True),
    ],
)
def test_the_times_of_a_line(entry, machine, trigger, machine_zone, fields, asks):
    machine(machine_zone)
    found, command = told(entry(**trigger))
    assert (found, "--if-due" in command) == (fields, asks)


def test_a_delay_of_its_own_moves_the_minutes(entry, monkeypatch):
    monkeypatch.setattr("engine.schedule.entry._share", lambda text: 0.99)
    assert told(entry(jitter=600.0))[0] == "9 * * * *"


@pytest.mark.parametrize("file", ["/srv/a\nb.yaml", "/srv/" + "x" * 1000])
def test_what_no_line_can_say_is_refused(entry, file):
    with pytest.raises(UsageError, match="characters that no line can|bytes that cron takes"):
        told(entry(file=file))


def test_the_machines_zone(tmp_path, monkeypatch):
    from zoneinfo import ZoneInfo, available_timezones

    monkeypatch.undo()
    assert len(available_timezones()) > 400
    monkeypatch.setattr(timing, "LOCALTIME", tmp_path / "none")
    assert timing.machine_zone() is UTC
    found = next((place for place in (Path("/usr/share/zoneinfo/Europe/Berlin"),) if place.exists()), None)
    if found:
        monkeypatch.setattr(timing, "LOCALTIME", found)
        assert timing.machine_zone().utcoffset(NOW) == ZoneInfo("Europe/Berlin").utcoffset(NOW)
