from engine.doctor import schedule


def test_what_can_start_runs(looked, tmp_path, monkeypatch):
    monkeypatch.setattr(schedule, "PROCESSES", tmp_path)
    monkeypatch.setattr(schedule, "SYSTEMD", tmp_path / "none")
    assert looked(schedule) == ["warning"]
    (tmp_path / "7").mkdir()
    (tmp_path / "7" / "comm").write_text("cron\n")
    assert looked(schedule) == ["ok"]
