"""`keyring:SERVICE/USER`: with the library itself, over a backend of the test's."""

import sys

import keyring
import pytest
from keyring.backend import KeyringBackend
from keyring.backends import fail
from keyring.errors import KeyringLocked

from engine import secrets
from engine.errors import KeyProblem
from engine.secrets import keyring as source

KEY = "0123456789-of-the-keyring"


class Kept(KeyringBackend):
    """A keyring in memory; `error` is raised instead of an answer."""

    priority = 1

    def __init__(self, entries=(), error=None):
        self.entries, self.error = dict(entries), error

    def set_password(self, service, username, password):
        self.entries[service, username] = password

    def get_password(self, service, username):
        if self.error:
            raise self.error
        return self.entries.get((service, username))


@pytest.fixture
def backend():
    """Puts a backend in the place of this machine's."""
    before = keyring.get_keyring()
    yield keyring.set_keyring
    keyring.set_keyring(before)


def test_an_entry(backend, resolve):
    backend(Kept({("opsbook", "account"): KEY}))
    secret = resolve("keyring:opsbook/account")
    assert (secret.reveal(), secret.reference) == (KEY, "keyring:opsbook/account")


def test_an_entry_that_is_not_there(backend, refused):
    backend(Kept())
    assert refused("keyring:opsbook/account") == "the keyring has no entry keyring:opsbook/account keyring set opsbook account"


def test_a_machine_without_a_keyring(backend, refused):
    """What the library finds on a server."""
    backend(fail.Keyring())
    said = refused("keyring:opsbook/account")
    assert "no keyring could be asked for keyring:opsbook/account (NoKeyringError)" in said
    assert "use systemd:, file: or cmd:" in said


@pytest.mark.parametrize("error", [KeyringLocked(f"locked, it holds {KEY}"), OSError(KEY), RuntimeError(KEY)], ids=repr)
def test_whatever_a_backend_raises_is_one_error_without_its_words(backend, error):
    backend(Kept(error=error))
    with pytest.raises(KeyProblem) as caught:
        secrets.resolve("keyring:opsbook/account", lambda _: None)
    assert type(error).__name__ in caught.value.message
    assert KEY not in caught.value.message
    assert caught.value.__cause__ is caught.value.__context__ is None


def test_without_the_package(monkeypatch, refused):
    monkeypatch.setitem(sys.modules, "keyring", None)
    assert refused("keyring:opsbook/account") == "keyring:opsbook/account needs the package keyring pip install 'opsbook[keyring]'"


@pytest.mark.parametrize("name", ["account", "opsbook/", "/account", "a/b/c", " /x", "a/ b"])
def test_what_is_no_name(refused, name):
    assert "keyring:SERVICE/USER" in refused(f"keyring:{name}")


def test_the_library_is_imported_when_it_is_asked():
    """It costs start-up time, and most installations do not have it."""
    import subprocess

    code = "import sys, engine.secrets; print([name for name in ('keyring', 'subprocess', 'shlex') if name in sys.modules])"
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout.strip() == "[]"


def test_what_is_stored_is_there(backend, resolve):
    backend(kept := Kept())
    assert not source.holds("opsbook/account")
    source.store("opsbook/account", KEY)
    assert kept.entries == {("opsbook", "account"): KEY}
    assert source.holds("opsbook/account")
    assert resolve("keyring:opsbook/account").reveal() == KEY


def test_a_keyring_that_stays_shut_stores_nothing(backend):
    backend(fail.Keyring())
    for use in (lambda: source.store("opsbook/account", KEY), lambda: source.holds("opsbook/account")):
        with pytest.raises(KeyProblem, match=r"keyring:opsbook/account \(NoKeyringError\)"):
            use()
