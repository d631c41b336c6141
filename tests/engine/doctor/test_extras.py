from engine.config import Config
from engine.doctor import extras


def test_a_keyring_that_nothing_can_ask(looked, monkeypatch):
    used = Config(connections={"o": {"keys": [{"kind": "team", "secret": "keyring:a/b"}]}})
    monkeypatch.setattr(extras, "find_spec", lambda name: None)
    assert looked(extras, used) == ["problem"]
    assert looked(extras) == ["ok"]
