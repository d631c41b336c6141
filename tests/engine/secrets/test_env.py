"""`env:NAME`."""

import pytest


def test_an_environment_variable(monkeypatch, resolve):
    monkeypatch.setenv("A_KEY", "  0123456789\n")
    secret = resolve("env:A_KEY")
    assert (secret.reveal(), secret.reference, str(secret)) == ("0123456789", "env:A_KEY", "***")


def test_a_variable_that_is_not_set(monkeypatch, refused):
    monkeypatch.delenv("A_KEY", raising=False)
    assert "A_KEY is not set set A_KEY before the run" in refused("env:A_KEY")


@pytest.mark.parametrize("name", ["70413a06-38d6-4c85-92b8-5ebc900d42e2", "1ABC", "A B", "A=B"])
def test_a_key_in_the_place_of_its_name_is_not_echoed(name, refused):
    said = refused(f"env:{name}")
    assert "never the key itself" in said
    assert name not in said
