import pytest

from engine.contracts import ConnectionStanding
from engine.doctor import clock


@pytest.mark.parametrize(("ahead", "status"), [(0.5, "ok"), (-60.0, "warning"), (600.0, "problem"), (None, "ok")])
def test_how_far_it_is_off(looked, ahead, status):
    assert looked(clock, standings=(ConnectionStanding("o", "o", "https://x.example", ahead=ahead),)) == [status]
