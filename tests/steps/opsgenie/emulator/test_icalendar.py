from __future__ import annotations

from datetime import UTC, datetime

from steps.opsgenie.emulator.icalendar import calendar
from steps.opsgenie.emulator.rota import Period

START, END = datetime(2026, 3, 2, 9, tzinfo=UTC), datetime(2026, 3, 3, 9, tzinfo=UTC)


def test_each_period_is_an_event():
    text = calendar("nights", [("ana", Period(START, END, {}, "default"))], START)
    assert text.startswith("BEGIN:VCALENDAR\r\nVERSION:2.0\r\n")
    assert text.endswith("END:VCALENDAR\r\n")
    assert "DTSTART:20260302T090000Z\r\nDTEND:20260303T090000Z\r\nSUMMARY:ana\r\n" in text
    assert text.count("BEGIN:VEVENT") == text.count("END:VEVENT") == 1


def test_a_name_ends_no_line():
    assert "X-WR-CALNAME:a\\;b\\,c\\\\d\\ne\r\n" in calendar("a;b,c\\d\r\ne", [], START)
