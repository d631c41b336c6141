"""`opsbook demo`."""

from __future__ import annotations


def test_an_incident_is_raised_answered_and_closed_without_a_key(command):
    done = command("demo", "--no-input")
    assert done.code == 0, done.both
    assert "(succeeded)" in done.out
    assert not (command.folder / "xdg").exists()


def test_what_goes_wrong_can_be_said(command):
    done = command("demo", "--faults", "opsgenie.alert.create=lost")
    assert (done.code, "(succeeded)" in done.out) == (0, True), done.both
