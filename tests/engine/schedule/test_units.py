"""systemd's units; where systemd-analyze is, by its own judgement too."""

from __future__ import annotations

import re
import shutil
import subprocess
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest

from engine.errors import UsageError
from engine.schedule import units
from engine.schedule.command import Command

NOW = datetime(2026, 11, 23, 12, tzinfo=UTC)
COMMAND = Command(Path("/srv/50% books"), {"OPSBOOK_STATE": "/var/lib/ops book"}, ("/usr/bin/env", "opsbook"), None)
ANALYZE = shutil.which("systemd-analyze")


def made(entry, credentials=(), user="root"):
    return units.units(entry, COMMAND, NOW, credentials, user)


def test_the_service_carries_the_runbook_out_once(entry):
    service, timer = made(entry("30 6 * * 1-5", "Europe/Berlin", file="/srv/it's 5% $x.yaml"), ["opsgenie"])
    lines = service.text.splitlines()
    assert service.name == timer.name.replace(".timer", ".service")
    assert re.fullmatch(r"opsbook-nightly-[0-9a-f]{12}\.service", service.name)
    words = '/usr/bin/env opsbook -q run "/srv/it\'s 5%% $$x.yaml" --trigger systemd --scheduled "30 6 * * 1-5 Europe/Berlin"'
    assert {f"ExecStart={words}", "Type=oneshot", "User=root", "LoadCredential=opsgenie", "WorkingDirectory=/srv/50%% books"} <= set(lines)
    assert 'Environment="OPSBOOK_STATE=/var/lib/ops book"' in lines
    assert {"NoNewPrivileges=yes", "ProtectSystem=full"} <= set(lines)
    assert units.about(service.text) == Path("/srv/it's 5% $x.yaml") == service.file


def test_a_service_of_ones_own_asks_for_nothing_that_only_root_may(entry):
    service, _ = made(entry(), user=None)
    assert "User=" not in service.text and "Protect" not in service.text and "NoNewPrivileges=yes" in service.text


@pytest.mark.parametrize(
    ("trigger", "wanted", "asks"),
    [
        ({}, ["Persistent=false", "AccuracySec=1s"], False),
        ({"missed": "run_once"}, ["Persistent=true", "AccuracySec=1s"], False),
        ({"missed": "run_once", "max_lateness": 60.0}, ["Persistent=true", "AccuracySec=1s"], True),
        ({"jitter": 90.5}, ["Persistent=false", "AccuracySec=1s", "RandomizedDelaySec=90.5s", "FixedRandomDelay=true"], False),
    ],
)
def test_the_timer(entry, trigger, wanted, asks):
    service, timer = made(entry(**trigger))
    (block,) = re.findall(r"\[Timer\]\n(.*?)\n\n", timer.text, re.DOTALL)
    assert block.splitlines() == ["OnCalendar=*-*-* 03:00:00 UTC", *wanted]
    assert ("--if-due" in service.text) is asks


@pytest.mark.parametrize(
    ("cron", "zone", "calendar"),
    [
        ("0 3 * * *", "Asia/Kolkata", ["*-*-* 03:00:00 Asia/Kolkata"]),
        ("*/15 * * * *", "Europe/Berlin", ["*-*-* *:00,15,30,45:00 UTC"]),
        ("0 3 1 * 5", "UTC", ["*-*-01 03:00:00 UTC", "Fri *-*-* 03:00:00 UTC"]),
        ("0 3 1-7 * */7", "UTC", ["Sun *-*-01,02,03,04,05,06,07 03:00:00 UTC"]),
        ("0 3 LW * *", "UTC", ["*-*-* *:00:00 UTC"]),
        ("5 9 * 2 0,7", "UTC", ["Sun *-02-* 09:05:00 UTC"]),
    ],
)
def test_calendars(entry, cron, zone, calendar):
    assert list(units.calendar(entry(cron, zone), NOW)) == calendar


def test_moments_that_a_calendar_lacks_are_listed(entry):
    found = list(units.calendar(entry("30 2 * * *", "Europe/Berlin"), NOW))
    assert found[:2] == ["*-*-* 02:30:00 Europe/Berlin", "2027-03-28 01:00:00 UTC"]
    assert len(found) == 1 + units.YEARS
    assert "2027-10-31 01:00,20,40:00 UTC" in list(units.calendar(entry("*/20 1-4 * * *", "Europe/Berlin"), NOW))


def test_a_name_that_no_unit_can_hold_is_refused(entry):
    with pytest.raises(UsageError, match="unit file"):
        made(entry(file="/srv/a\nb.yaml"))


def test_a_unit_of_somebody_else_is_about_nothing_of_ours():
    assert units.about("[Unit]\nDescription=mine\n") is None


needs_systemd = pytest.mark.skipif(ANALYZE is None, reason="systemd-analyze is not here")


@needs_systemd
def test_systemd_finds_nothing_wrong_with_them(entry, tmp_path):
    (tmp_path / "50% books").mkdir()
    entries = [
        entry("30 2 * * *", "Europe/Berlin", "run_once", 7200.0, 600.0, file="/srv/it's 5% $x.yaml"),
        entry("*/5 8-18 1 * MON-FRI", "America/New_York"),
        entry("0 3 L * *"),
    ]
    paths = []
    for one in entries:
        for unit in units.units(one, COMMAND, NOW, ["opsgenie"], "root"):
            (tmp_path / unit.name).write_text(unit.text)
            paths.append(tmp_path / unit.name)
    done = subprocess.run([ANALYZE, "verify", "--recursive-errors=no", *paths], capture_output=True, text=True, timeout=60)
    assert (done.returncode, [line for line in done.stderr.splitlines() if str(tmp_path) in line or "opsbook-" in line]) == (0, [])


CALENDARS = [
    ("30 2 * * *", "Europe/Berlin"),
    ("0,30 1-3 * * *", "America/New_York"),
    ("*/20 1-2 * * *", "Australia/Lord_Howe"),
    ("45 3 * * *", "Pacific/Chatham"),
    ("15 0 * * *", "America/Havana"),
    ("0 12 13 * 5", "Europe/Dublin"),
]


@needs_systemd
@pytest.mark.parametrize(("cron", "zone"), CALENDARS)
def test_systemd_comes_to_the_same_moments(entry, cron, zone):
    one = entry(cron, zone)
    for since in (datetime(2027, 3, 6, 12, tzinfo=UTC), datetime(2027, 9, 24, 12, tzinfo=UTC)):
        until = since + timedelta(days=45)
        wanted = []
        for moment in one.moments(since):
            if moment.astimezone(UTC) > until:
                break
            wanted.append(moment.astimezone(UTC))
        found = {moment for calendar in units.calendar(one, NOW) for moment in elapses(calendar, since, len(wanted) + 1) if moment <= until}
        assert sorted(found) == wanted


def elapses(calendar, since, count):
    """Moments of a calendar event, as systemd has them."""
    command = [ANALYZE, "calendar", f"--base-time={since:%Y-%m-%d %H:%M:%S} UTC", f"--iterations={count}", calendar]
    done = subprocess.run(command, capture_output=True, text=True, timeout=60, env={"TZ": "UTC", "LC_ALL": "C"}, check=True)
    for stamp in re.findall(r"(?:Next elapse|Iter\. #\d+|Iteration #\d+): \w+ (\d{4}-\d\d-\d\d \d\d:\d\d:\d\d) UTC", done.stdout):
        yield datetime.fromisoformat(stamp).replace(tzinfo=UTC)
