from engine.doctor import locale


def test_another_encoding_is_a_warning(looked, monkeypatch):
    monkeypatch.setattr(locale.sys, "getfilesystemencoding", lambda: "ascii")
    assert "warning" in looked(locale)
