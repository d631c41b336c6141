"""Durations as people write them."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from engine import duration


@pytest.mark.parametrize(
    ("written", "seconds"),
    [
        ("0s", 0),
        ("90s", 90),
        ("10m", 600),
        ("1h30m", 5400),
        ("7d", 604800),
        ("2w", 1209600),
        ("250ms", 0.25),
        ("1.5h", 5400),
        ("1d2h3m4s5ms", 93784.005),
        ("400d", 34560000),
    ],
)
def test_what_is_a_duration(written, seconds):
    assert duration.seconds(written) == pytest.approx(seconds)


@pytest.mark.parametrize(
    "written",
    ["", "10", "m", "10 m", "-1s", "1h 30m", "1e3s", "PT10M", "10M", "1..5s", ".5s", "٣s", "10m\n", "401d", "1" * 41 + "s", "1h30"],
)
def test_what_is_none(written):
    with pytest.raises(ValueError, match="duration|longer"):
        duration.seconds(written)


@pytest.mark.parametrize(
    ("seconds", "spoken"),
    [
        (0, "0ms"),
        (0.85, "850ms"),
        (0.9999, "1s"),
        (1, "1s"),
        (12.34, "12.3s"),
        (59.99, "1m"),
        (60, "1m"),
        (200, "3m20s"),
        (7500, "2h5m"),
        (7501, "2h5m"),
        (273600, "3d4h"),
        (86400, "1d"),
    ],
)
def test_how_a_length_is_said(seconds, spoken):
    assert duration.spoken(seconds) == spoken


@given(st.integers(0, int(duration.LONGEST)))
def test_what_is_said_is_a_duration_near_the_truth(seconds):
    said = duration.seconds(duration.spoken(seconds))
    assert said <= seconds + 0.5
    assert said >= seconds * 0.95 - 0.5


@given(st.lists(st.tuples(st.integers(0, 10), st.sampled_from(sorted(duration.UNITS))), min_size=1, max_size=5))
def test_parts_add_up(parts):
    written = "".join(f"{amount}{unit}" for amount, unit in parts)
    total = sum(amount * duration.UNITS[unit] for amount, unit in parts)
    assert duration.seconds(written) == pytest.approx(total)
