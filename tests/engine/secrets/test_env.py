"""`env:NAME`."""


def test_an_environment_variable(monkeypatch, resolve):
    monkeypatch.setenv("A_KEY", "  0123456789\n")
    secret = resolve("env:A_KEY")
    assert (secret.reveal(), secret.reference, str(secret)) == ("0123456789", "env:A_KEY", "***")


def test_a_variable_that_is_not_set(monkeypatch, refused):
    monkeypatch.delenv("A_KEY", raising=False)
    assert "A_KEY is not set" in refused("env:A_KEY")
