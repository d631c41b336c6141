from engine.doctor import state


def test_private_writable_and_with_room(looked, tmp_path, monkeypatch):
    monkeypatch.setattr(state, "_free", lambda root: 1 << 40)
    assert looked(state) == ["ok"]
    (tmp_path / "state").mkdir()
    (tmp_path / "state").chmod(0o755)
    assert looked(state) == ["warning"]
    monkeypatch.setattr(state.os, "geteuid", lambda: -7)
    assert looked(state) == ["problem"]
    monkeypatch.setattr(state.os, "access", lambda path, how: False)
    monkeypatch.setattr(state, "_free", lambda root: 1)
    assert looked(state) == ["problem", "problem"]
