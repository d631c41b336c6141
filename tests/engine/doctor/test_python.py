from engine.doctor import python


def test_its_age(looked, monkeypatch):
    assert looked(python) == ["ok"]
    monkeypatch.setattr(python.sys, "version_info", (3, 10, 1))
    assert looked(python) == ["problem"]
