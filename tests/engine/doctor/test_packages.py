from engine.doctor import packages


def test_ours_alone_and_not(looked, monkeypatch, tmp_path):
    monkeypatch.setattr(packages.metadata, "packages_distributions", lambda: {"engine": ["opsbook"]})
    monkeypatch.setattr(packages.metadata, "requires", lambda name: ['no-extra; extra == "x"'])
    monkeypatch.setattr(packages.sys, "path", [])
    assert looked(packages) == ["ok"]
    monkeypatch.setattr(packages.metadata, "packages_distributions", lambda: {"engine": ["opsbook", "motor"]})
    monkeypatch.setattr(packages.metadata, "requires", lambda name: ["no-such-library>=1"])
    (tmp_path / "steps.py").write_text("")
    monkeypatch.setattr(packages.sys, "path", [str(tmp_path)])
    assert looked(packages) == ["problem", "warning", "problem"]
