from engine.config import Config
from engine.doctor import configuration
from engine.errors import Finding


def test_none_wrong_and_open_to_others(looked, tmp_path):
    file = tmp_path / "opsbook.yaml"
    file.write_text("")
    file.chmod(0o600)
    assert looked(configuration) == ["ok"]
    assert looked(configuration, (Finding("RB120", "error", "bad"),)) == ["problem"]
    assert looked(configuration, Config((str(file),))) == ["ok"]
    file.chmod(0o666)
    assert looked(configuration, Config((str(file),))) == ["warning"]
