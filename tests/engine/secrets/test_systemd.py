"""`systemd:NAME`."""

import pytest


@pytest.fixture
def credentials(tmp_path, monkeypatch):
    """The folder systemd gives a service: its files are of the service alone."""
    folder = tmp_path / "credentials"
    folder.mkdir(mode=0o700)
    monkeypatch.setenv("CREDENTIALS_DIRECTORY", str(folder))
    return folder


def kept(path, text, mode=0o400):
    path.write_text(text)
    path.chmod(mode)


def test_a_credential(credentials, resolve):
    kept(credentials / "opsgenie.key", "0123456789\n")
    secret = resolve("systemd:opsgenie.key")
    assert (secret.reveal(), secret.reference) == ("0123456789", "systemd:opsgenie.key")


def test_the_mode_systemd_gives_where_rights_are_by_list(credentials, resolve):
    kept(credentials / "key", "0123456789", 0o440)
    assert resolve("systemd:key").reveal() == "0123456789"


def test_a_credential_that_others_may_read_is_refused(credentials, refused):
    kept(credentials / "key", "0123456789", 0o644)
    assert "open to other users" in refused("systemd:key")


def test_outside_of_a_service(monkeypatch, refused):
    monkeypatch.delenv("CREDENTIALS_DIRECTORY", raising=False)
    said = refused("systemd:opsgenie.key")
    assert "only in a service that systemd started" in said
    assert "LoadCredential=opsgenie.key:/path" in said


def test_a_service_without_the_credential(credentials, refused):
    said = refused("systemd:opsgenie.key")
    assert "started without the credential opsgenie.key" in said
    assert "LoadCredential=opsgenie.key:/path" in said


@pytest.mark.parametrize("name", ["../the.key", "..", ".", "a/b", "/etc/shadow", "a b", ""])
def test_a_name_cannot_leave_the_folder(credentials, refused, name):
    kept(credentials.parent / "the.key", "0123456789")
    assert "write cmd:PROGRAM" in refused(f"systemd:{name}")


def test_names_that_only_look_like_ways_out(credentials, resolve):
    kept(credentials / "..key", "0123456789")
    assert resolve("systemd:..key").reveal() == "0123456789"
