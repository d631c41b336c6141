from engine.doctor import editor


def test_a_runbook_that_names_a_schema(looked, tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    (tmp_path / "runbooks").mkdir()
    (tmp_path / "runbooks" / "a.yaml").write_text("# yaml-language-server: $schema=../runbook.schema.json\n")
    assert looked(editor) == ["warning"]
    (tmp_path / "runbook.schema.json").write_text("{}")
    assert looked(editor) == ["ok"]
    monkeypatch.setattr(editor.shipped, "folder", lambda name: tmp_path / "none")
    assert looked(editor) == ["problem"]
