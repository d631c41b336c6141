"""A secret, the reference it is asked for by, and the name it goes by."""

import pickle
import resource
import threading

import pytest

from engine.errors import KeyProblem
from engine.secret import Credential, Secret, SecretName, key_shaped, no_core_dumps, told, without_keys


class Store:
    """Gives its values in turn, the last for ever; counts how often it was asked."""

    def __init__(self, *values):
        self.values, self.asked = list(values), []

    def __call__(self, reference):
        self.asked.append(reference)
        value = self.values.pop(0) if len(self.values) > 1 else self.values[0]
        if isinstance(value, Exception):
            raise value
        return Secret(value, reference)


@pytest.mark.parametrize(
    ("reference", "shown"),
    [
        ("env:NAME", "env:NAME"),
        ("file:/a folder/key", "file:/a folder/key"),
        ("keyring:a b/c", "keyring:a b/c"),
        ("cmd:pass", "cmd:pass"),
        ("cmd:pass show x", "cmd:pass …"),
        ("cmd:pass\tshow x", "cmd:pass …"),
        ("cmd:'/a b/c' --password hunter2", "cmd:'/a …"),
    ],
)
def test_of_a_command_its_program_alone_is_told(reference, shown):
    assert told(reference) == shown
    assert Secret("0123456789", reference).reference == shown
    assert Credential(reference, Store("0123456789")).reference == shown


def test_a_secret_shows_itself_to_nobody():
    secret = Secret("the-secret-value", "env:X")
    assert {str(secret), repr(secret), f"{secret:>5}", "{}".format(secret)} == {"***"}
    with pytest.raises(TypeError, match="cannot be pickled"):
        pickle.dumps(secret)


def test_a_fingerprint_tells_secrets_apart_under_one_key():
    one, other = Secret("the-secret-value", "env:X"), Secret("another-value", "env:X")
    assert one.fingerprint(b"k") == Secret("the-secret-value", "env:Y").fingerprint(b"k")
    assert len({one.fingerprint(b"k"), one.fingerprint(b"l"), other.fingerprint(b"k")}) == 3
    assert one.fingerprint(b"k") == "48576470e81135b3"


def test_a_name_is_spelt_as_in_a_runbook():
    assert str(SecretName("A_TOKEN")) == "{{ secrets.A_TOKEN }}"


def test_basic_is_a_secret_too():
    made = Secret("open sesame", "env:X").basic("Aladdin")
    assert (str(made), made.reveal(), made.reference) == ("***", "QWxhZGRpbjpvcGVuIHNlc2FtZQ==", "env:X")


def test_a_secret_is_asked_for_late_and_once():
    store = Store("first-value", "second-value")
    credential = Credential("cmd:pass show x", store)
    assert store.asked == []
    assert {credential.secret().reveal() for _ in range(3)} == {"first-value"}
    assert store.asked == ["cmd:pass show x"], "asked as it is written, not as it is told"


def test_a_source_that_failed_is_asked_again():
    credential = Credential("env:X", Store(KeyProblem("shut"), "first-value"))
    with pytest.raises(KeyProblem):
        credential.secret()
    assert credential.secret().reveal() == "first-value"


def test_a_refused_secret_is_asked_for_once_more():
    store = Store("old-value", "old-value", "new-value", "newer-value")
    credential = Credential("env:X", store)
    refused = credential.secret()
    assert not credential.renew(refused), "the same is no reason to send it again"
    refused = credential.secret()
    assert credential.renew(refused)
    assert credential.secret().reveal() == "new-value"
    assert len(store.asked) == 3


def test_who_was_refused_the_same_secret_asks_once_together():
    store = Store("old-value", "new-value", "newer-value")
    credential = Credential("env:X", store)
    refused = credential.secret()
    told, start = [], threading.Barrier(8)

    def renew():
        start.wait()
        told.append(credential.renew(refused))

    threads = [threading.Thread(target=renew) for _ in range(8)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert told == [True] * 8
    assert (len(store.asked), credential.secret().reveal()) == (2, "new-value")


def test_a_secret_of_an_earlier_connection_is_compared_with_the_present_one():
    assert Credential("env:X", Store("new-value")).renew(Secret("old-value", "env:X"))


def test_many_threads_ask_once():
    store, start = Store("the-one-value"), threading.Barrier(8)
    credential = Credential("env:X", store)

    def ask():
        start.wait()
        credential.secret()

    threads = [threading.Thread(target=ask) for _ in range(8)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert store.asked == ["env:X"]


A_KEY = "d92b0c14-7a5e-4f63-9c81-e5f04c7a66b1"


@pytest.mark.parametrize("key", [A_KEY, A_KEY.upper(), A_KEY.replace("-", ""), A_KEY.replace("-", "", 2), "0" * 32])
@pytest.mark.parametrize("around", ["", " ", "'", "=", "-", "_", "é"])
def test_what_looks_like_a_key_is_seen_and_masked_wherever_it_stands(key, around):
    text = f"say{around or ' '}{key}{around}{around and key}"
    assert key_shaped(text)
    assert without_keys(text) == text.replace(key, "***")


@pytest.mark.parametrize(
    "text", ["", "env:NAME", A_KEY[:-1], f"{A_KEY}0", f"f{A_KEY}", f"{A_KEY}z", f"Z{A_KEY}", A_KEY.replace("d", "g"), A_KEY[9:]]
)
def test_what_is_longer_shorter_or_of_other_letters_is_no_key(text):
    assert not key_shaped(text)
    assert without_keys(text) == text


def test_a_process_that_holds_keys_leaves_no_dump_of_itself():
    _, most = resource.getrlimit(resource.RLIMIT_CORE)
    no_core_dumps()
    assert resource.getrlimit(resource.RLIMIT_CORE) == (0, most)
