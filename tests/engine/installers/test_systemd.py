import pytest

from engine.errors import UsageError
from engine.installers import systemd

EVERYTHING = lambda _file: True  # noqa: E731


@pytest.fixture(autouse=True)
def folder(tmp_path, monkeypatch):
    """The system's folder; systemd runs."""
    monkeypatch.setattr(systemd, "SYSTEM", tmp_path / "system")
    monkeypatch.setattr(systemd, "RUNNING", tmp_path)
    return tmp_path / "system"


@pytest.fixture
def told(program, texts):
    kept = program("systemctl", texts["systemctl"])
    return lambda: [line for line in kept.read_text().splitlines()] if kept.exists() else []


def names(folder):
    return sorted(path.suffix for path in folder.iterdir())


def test_units_are_written_enabled_and_taken_away(folder, told, wanted):
    done = systemd.install(wanted("/a.yaml"), EVERYTHING)
    timer = next(path.name for path in folder.glob("*.timer"))
    assert done.changed and names(folder) == [".service", ".timer"]
    assert told() == ["daemon-reload", f"enable --now {timer}"]
    assert not systemd.install(wanted("/a.yaml"), EVERYTHING).changed
    assert len(told()) == 2, "systemd is told nothing new"
    assert {path.stat().st_mode & 0o777 for path in folder.iterdir()} == {0o644}
    assert systemd.remove(EVERYTHING, own=False).changed
    assert names(folder) == [] and told()[2:] == [f"disable --now {timer}", "daemon-reload"]
    assert not systemd.remove(EVERYTHING, own=False).changed


def test_the_units_of_a_trigger_that_is_no_more_go(folder, told, wanted):
    systemd.install(wanted("/a.yaml", "/b.yaml"), EVERYTHING)
    old = {path.name for path in folder.glob("*-a-*")}
    systemd.install(wanted("/a.yaml", cron="0 4 * * *"), lambda file: file.stem == "a")
    now = {path.name for path in folder.iterdir()}
    assert len(now) == 4 and not old & now


def test_ones_own_units(tmp_path, told, wanted, monkeypatch):
    monkeypatch.setenv("XDG_CONFIG_HOME", str(tmp_path / "config"))
    systemd.install(wanted("/a.yaml", own=True), EVERYTHING)
    assert names(tmp_path / "config" / "systemd" / "user") == [".service", ".timer"]
    assert told()[0] == "--user daemon-reload"
    assert systemd.remove(EVERYTHING, own=True).changed


def test_a_file_that_is_not_ours_is_left_alone(folder, told, wanted):
    systemd.install(wanted("/a.yaml"), EVERYTHING)
    (timer,) = folder.glob("*.timer")
    timer.write_text("[Timer]\n")
    with pytest.raises(UsageError, match="did not write it"):
        systemd.install(wanted("/a.yaml"), EVERYTHING)
    systemd.remove(EVERYTHING, own=False)
    assert [path.name for path in folder.iterdir()] == [timer.name]


def test_where_systemd_does_not_run_the_files_are_enabled(folder, told, wanted, monkeypatch, tmp_path):
    monkeypatch.setattr(systemd, "RUNNING", tmp_path / "none")
    done = systemd.install(wanted("/a.yaml"), EVERYTHING)
    assert [line.split()[0] for line in told()] == ["enable"] and "--now" not in told()[0]
    assert "systemd does not run here" in done.notes[0]
    assert systemd.remove(EVERYTHING, own=False).notes == (), "what is gone needs nothing more"


def test_without_systemctl_the_units_are_written(folder, wanted, monkeypatch, tmp_path):
    monkeypatch.setenv("PATH", str(tmp_path))
    done = systemd.install(wanted("/a.yaml"), EVERYTHING)
    assert names(folder) == [".service", ".timer"] and "no systemctl" in done.notes[0]


def test_what_systemctl_refuses_is_said(program, wanted):
    program("systemctl", "#!/bin/sh\necho 'Access denied' >&2; exit 4")
    with pytest.raises(UsageError, match="daemon-reload: Access denied"):
        systemd.install(wanted("/a.yaml"), EVERYTHING)


def test_a_folder_that_cannot_be_written(tmp_path, told, wanted, monkeypatch):
    (tmp_path / "file").write_text("")
    monkeypatch.setattr(systemd, "SYSTEM", tmp_path / "file" / "system")
    with pytest.raises(UsageError, match="cannot be written") as caught:
        systemd.install(wanted("/a.yaml"), EVERYTHING)
    assert "--user" in caught.value.hint


def test_what_would_be_written_is_shown_file_by_file(folder, wanted):
    shown = systemd.shown(wanted("/a.yaml"))
    assert shown.count(f"# {folder}/opsbook-a-") == 2 and "LoadCredential=key" in shown
    assert not folder.exists()
