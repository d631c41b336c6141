def test_the_pages_are_fresh(generate):
    assert generate.stale(generate.fresh()) == [], "run python docs/generate.py"


def test_it_writes_what_is_missing_and_deletes_what_is_too_many(generate, tmp_path, monkeypatch):
    monkeypatch.setattr(generate, "CHECKS", tmp_path / "checks")
    monkeypatch.setattr(generate, "STEPS", tmp_path / "steps")
    monkeypatch.setattr("sys.argv", ["generate.py"])
    assert generate.main() == 0
    (tmp_path / "checks" / "RB999.md").write_text("gone")
    (tmp_path / "checks" / "RB201.md").write_text("stale")
    assert [path.name for path in generate.stale(generate.fresh())] == ["RB201.md", "RB999.md"]
    monkeypatch.setattr("sys.argv", ["generate.py", "--check"])
    assert generate.main() == 1
    monkeypatch.setattr("sys.argv", ["generate.py"])
    assert generate.main() == 0
    assert generate.stale(generate.fresh()) == []
