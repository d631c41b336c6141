"""References to files: none leaves the folders it is confined to, by whatever name."""

from __future__ import annotations

import os
import socket
from contextlib import ExitStack
from pathlib import Path
from types import SimpleNamespace

import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st

from engine.errors import StepError
from steps import confined


@pytest.fixture
def project(tmp_path):
    """A project with a file in a folder, and a secret beside the project."""
    (tmp_path / "outside").mkdir()
    (tmp_path / "outside/secret.txt").write_text("outside")
    (tmp_path / "project/logs").mkdir(parents=True)
    (tmp_path / "project/logs/db.txt").write_text("inside")
    return tmp_path / "project"


def read(path, *folders):
    return confined.read(*confined.place(str(path), folders, "read", "hint"), 100)


def test_a_file_is_found_by_either_name(project):
    assert read("logs/db.txt", project) == read(project / "logs/db.txt", Path("/nowhere"), project) == b"inside"
    assert read("./logs//db.txt", project) == b"inside"
    assert confined.read(project, ("logs", "db.txt"), 3) == b"ins"


@pytest.mark.parametrize(
    "path", ["../outside/secret.txt", "logs/../../outside/secret.txt", "..", ".", "/etc/passwd", "/", "a\0b", "//etc/passwd"]
)
def test_no_name_leads_out(project, path):
    with pytest.raises(StepError, match="may not be read") as caught:
        read(path, project)
    assert (caught.value.code, caught.value.hint) == ("path_refused", "hint")


def test_a_folder_whose_name_only_begins_like_an_allowed_one_is_another(project):
    (project.parent / "project-2").mkdir()
    (project.parent / "project-2/a").write_text("x")
    with pytest.raises(StepError, match="outside"):
        read(project.parent / "project-2/a", project)


@pytest.mark.parametrize("link", ["file", "folder", "inside", "dangling"])
def test_no_link_is_followed(project, link):
    target = {"file": "../outside/secret.txt", "folder": "../outside", "inside": "logs/db.txt", "dangling": "nowhere"}[link]
    (project / "link").symlink_to(target)
    with pytest.raises(OSError):  # noqa: PT011 - ELOOP or ENOTDIR, as the system has it
        read("link/secret.txt" if link == "folder" else "link", project)


def test_the_allowed_folder_itself_may_be_reached_by_a_link(project):
    (project.parent / "here").symlink_to(project)
    assert read("logs/db.txt", project.parent / "here") == b"inside"


@pytest.mark.parametrize("kind", ["folder", "pipe", "device"])
def test_only_regular_files_have_a_content(project, kind):
    make = {"folder": os.mkdir, "pipe": os.mkfifo, "device": lambda path: os.mknod(path, 0o20600, os.makedev(1, 3))}[kind]
    try:
        make(project / "it")
    except PermissionError:
        pytest.skip("only root makes devices")
    assert read("it", project) is None


def test_a_socket_is_no_file(project):
    with socket.socket(socket.AF_UNIX) as one:
        one.bind(str(project / "s"))
        with pytest.raises(OSError):  # noqa: PT011 - ENXIO
            read("s", project)


def test_folders_are_made_only_when_asked(project):
    with ExitStack() as opened, pytest.raises(FileNotFoundError):
        confined.descend(project, ["new"], opened, make=False)
    with ExitStack() as opened:
        confined.descend(project, ["new", "newer"], opened, make=True)
    assert (project / "new/newer").stat().st_mode & 0o777 == 0o700


def test_what_the_configuration_allows_is_spelt_without_detours():
    context = SimpleNamespace(settings={"write": {"allow": ["/srv/project/../reports", "/data"]}})
    assert confined.allowed(context) == [Path("/srv/reports"), Path("/data")]
    assert confined.allowed(SimpleNamespace(settings={})) == []


NAMES = st.lists(st.sampled_from(["..", ".", "a", "b ", "…", "/", "", "~", "%2e%2e", "logs", "\0"]), min_size=1, max_size=6)


@settings(max_examples=200, deadline=None)
@given(NAMES, st.booleans())
@example(["a", "..", "..", "x"], True)
def test_whatever_is_let_through_lies_inside(names, absolute):
    folder = Path("/srv/project")
    path = "/".join(names)
    try:
        held, way = confined.place(f"{folder}/{path}" if absolute else path, [folder], "read", "hint")
    except StepError:
        return
    assert way
    assert Path(os.path.normpath(held.joinpath(*way))).is_relative_to(folder)
    assert ".." not in way
