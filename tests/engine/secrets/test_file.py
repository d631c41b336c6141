"""`file:/path`."""

import errno
import os

import pytest

from engine.errors import KeyProblem
from engine.secrets import file


def test_a_file(tmp_path, resolve):
    path = tmp_path / "key"
    path.write_text("0123456789\n")
    path.chmod(0o600)
    assert resolve(f"file:{path}").reveal() == "0123456789"


@pytest.mark.parametrize("mode", [0o644, 0o604, 0o620, 0o666])
def test_a_file_that_others_may_use_is_refused(tmp_path, mode, refused):
    path = tmp_path / "key"
    path.write_text("0123456789")
    path.chmod(mode)
    assert "chmod 600" in refused(f"file:{path}")


def test_no_file_no_folder_no_pipe_nothing_endless(tmp_path, refused):
    os.mkfifo(tmp_path / "pipe", 0o600)
    large = tmp_path / "large"
    large.write_bytes(b"x" * 65537)
    large.chmod(0o600)
    binary = tmp_path / "binary"
    binary.write_bytes(b"\xff\xfe" * 10)
    binary.chmod(0o600)
    assert refused(f"file:{tmp_path}/absent").endswith("cannot be read: No such file or directory check the path and its owner")
    assert "not a regular file" in refused(f"file:{tmp_path}")
    assert "not a regular file" in refused(f"file:{tmp_path}/pipe")
    assert "larger than" in refused(f"file:{large}")
    assert "not UTF-8" in refused(f"file:{binary}")


def test_nobody_without_a_home(refused):
    """A container's user may be in no list."""
    assert "cannot be read" in refused("file:~nobody-of-this-name/key")


def test_what_is_no_path(refused):
    assert "never the key itself" in refused("file:a\0b")


def test_no_key_is_put_into_a_home_that_nobody_knows(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    assert not file.holds("~nobody-here/key")
    with pytest.raises(KeyProblem, match="no such home folder"):
        file.store("~nobody-here/key", "0123456789")
    assert list(tmp_path.iterdir()) == []


def test_what_is_stored_is_read_back_and_is_of_its_owner_alone(tmp_path, resolve):
    path = tmp_path / "new" / "folder" / "key"
    assert not file.holds(str(path))
    for value in ("0123456789", "another-value-é"):
        file.store(str(path), value)
        assert file.holds(str(path))
        assert path.read_text() == f"{value}\n"
        assert resolve(f"file:{path}").reveal() == value
    assert {found.stat().st_mode & 0o777 for found in (path, path.parent)} == {0o600, 0o700}
    assert [found.name for found in path.parent.iterdir()] == ["key"]


def test_stored_under_home(tmp_path, monkeypatch, resolve):
    monkeypatch.setenv("HOME", str(tmp_path))
    assert not file.holds("~/key")
    file.store("~/key", "0123456789")
    assert file.holds("~/key") and (tmp_path / "key").exists()
    assert resolve("file:~/key").reveal() == "0123456789"


def test_a_link_to_nowhere_holds_the_place(tmp_path):
    (tmp_path / "key").symlink_to(tmp_path / "absent")
    assert file.holds(str(tmp_path / "key"))


def test_what_cannot_be_stored_is_told_without_the_value(tmp_path):
    (tmp_path / "folder").write_text("")
    with pytest.raises(KeyProblem) as caught:
        file.store(f"{tmp_path}/folder/key", "0123456789")
    assert caught.value.message == f"the secret file {tmp_path}/folder/key cannot be written: {os.strerror(errno.EEXIST)}"
    assert caught.value.hint == "check its folder"
    assert caught.value.__cause__ is None


def test_the_largest_file(tmp_path, resolve):
    file.store(str(tmp_path / "key"), "0123456789" + "\n" * (file.LARGEST - 11))
    assert (tmp_path / "key").stat().st_size == file.LARGEST
    assert resolve(f"file:{tmp_path}/key").reveal() == "0123456789"
