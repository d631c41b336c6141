from datetime import UTC, datetime, timedelta

from engine.config import Config
from engine.contracts import ConnectionStanding, KeyStanding
from engine.doctor import connections

ONE = Config(connections={"o": {}})
GOOD, BAD = KeyStanding("team", "env:T"), KeyStanding("account", "env:A", problem="no such key", hint="look", exit_status=4)


def standing(*keys, days=400):
    return (ConnectionStanding("o", "o", "https://x.example", keys=keys, ends=datetime.now(UTC).date() + timedelta(days=days)),)


def test_none_offline_and_unreadable(looked):
    assert looked(connections) == ["warning"]
    assert looked(connections, ONE, offline=True) == ["ok"]
    assert looked(connections, ("wrong",)) == ["ok"]


def test_keys_and_the_end_of_the_api(looked):
    assert looked(connections, ONE, standing(GOOD)) == ["ok"]
    assert looked(connections, ONE, standing(GOOD, BAD)) == ["problem"]
    assert looked(connections, ONE, standing()) == ["problem"]
    assert looked(connections, ONE, standing(GOOD, days=5)) == ["ok", "warning"]
