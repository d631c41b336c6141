import pytest

from engine.checks import trigger_time


@pytest.mark.parametrize(
    ("trigger", "marks"),
    [
        ('{cron: "0 3 * * *"}', []),
        ('{cron: "0 3 * * *", timezone: America/Argentina/Buenos_Aires, missed: run_once, max_lateness: 2h, jitter: 10m}', []),
        ('{cron: "*/5 0-6,22 L * MON#2"}', []),
        ('{cron: "0 25 * * *"}', ['"0 25 * * *"!']),
        ('{cron: "0 3 * *"}', ['"0 3 * *"!']),
        ('{cron: "30 0 3 * * *"}', ['"30 0 3 * * *"!']),
        ('{cron: "@daily"}', ['"@daily"!']),
        ('{cron: "0 0 30 2 *"}', ['"0 0 30 2 *"!']),
        ("{cron: soon, timezone: Mars/Base}", ["soon!", "Mars/Base!"]),
        ('{cron: "0 3 * * *", timezone: ../../etc/passwd}', ["../../etc/passwd!"]),
        ('{cron: "0 3 * * *", max_lateness: 2h}', ["max_lateness"]),
        ('{cron: "*/10 * * * *", jitter: 10m}', []),
        ('{cron: "*/10 * * * *", jitter: 11m}', ["11m"]),
    ],
)
def test_triggers(marked, trigger, marks):
    assert marked(trigger_time, f"triggers:\n  - {trigger}\n") == marks


@pytest.mark.parametrize(
    ("trigger", "message", "hint"),
    [
        ('{cron: "0 3 * * *", timezone: Europe/Berln}', "no time zone 'Europe/Berln'", "Europe/Berlin"),
        ('{cron: "0 3 * * *", timezone: europe/berlin}', "no time zone", "Europe/Berlin"),
        ('{cron: "@daily"}', "@daily", '"0 0 * * *"'),
        ('{cron: "@reboot"}', "@daily", "five fields"),
        ('{cron: "60 3 * * *"}', "the minute is none", "30 6"),
        ('{cron: "0 3 32 * *"}', "the day of month is none", "30 6"),
    ],
)
def test_what_to_do(subject, trigger, message, hint):
    (finding,) = trigger_time.check(subject(f"triggers:\n  - {trigger}\n"))
    assert message in finding.message and hint in finding.hint


def test_it_is_silenced_where_it_stands(subject):
    from engine import checks

    looked_at = subject('triggers:\n  - {cron: "0 3 * * *", max_lateness: 2h}  # noqa: RB220\n')
    assert checks.findings(looked_at) == []
