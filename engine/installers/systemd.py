"""systemd's units: files in its folder, enabled by `systemctl` where that is there."""

from __future__ import annotations

import getpass
import secrets
import shutil
from collections.abc import Callable, Iterator, Sequence
from pathlib import Path

from engine.errors import UsageError
from engine.schedule import program, units
from engine.schedule.wanted import Done, Wanted
from engine.state import settings_folder

SYSTEM, RUNNING = Path("/etc/systemd/system"), Path("/run/systemd/system")


def shown(wanted: Wanted) -> str:
    """Every file behind a line with its name, as `systemctl cat` shows them."""
    return "\n".join(f"# {_folder(wanted.own) / unit.name}\n{unit.text}" for unit in _units(wanted))


def install(wanted: Wanted, replaces: Callable[[Path], bool]) -> Done:
    """Writes the units, and enables and starts the timers; those that are there already are left alone."""
    files = {_folder(wanted.own) / unit.name: unit.text for unit in _units(wanted)}
    _refuse_foreign(files)
    gone = [path for path in _ours(wanted.own, replaces) if path not in files]
    fresh = {path: text for path, text in files.items() if not path.exists() or path.read_text(encoding="utf-8") != text}
    if not fresh and not gone:
        return Done(False, tuple(map(str, files)))
    _take_away(gone, wanted.own)
    for path, text in fresh.items():
        _write(path, text)
    timers = [path.name for path in files if path.suffix == ".timer"]
    note = _systemctl(wanted.own, ["daemon-reload"], ["enable", "--now", *timers] if timers else [])
    return Done(True, tuple(map(str, files)), (note,) if note else ())


def remove(goes: Callable[[Path], bool], own: bool) -> Done:
    """Stops and disables the timers, and deletes the units."""
    gone = list(_ours(own, goes))
    _take_away(gone, own)
    if gone:
        _systemctl(own, ["daemon-reload"])
    return Done(bool(gone), tuple(map(str, gone)))


def _units(wanted: Wanted) -> list[units.Unit]:
    user = None if wanted.own else getpass.getuser()
    made = (units.units(entry, wanted.command, wanted.now, wanted.credentials(entry), user) for entry in wanted.entries)
    return [unit for both in made for unit in both]


def _folder(own: bool) -> Path:
    if not own:
        return SYSTEM
    return settings_folder() / "systemd" / "user"


def _ours(own: bool, wanted: Callable[[Path], bool]) -> Iterator[Path]:
    """Files that we wrote about some runbooks."""
    for path in sorted(_folder(own).glob("opsbook-*")):
        about = units.about(path.read_text(encoding="utf-8", errors="replace")) if path.is_file() else None
        if about is not None and wanted(about):
            yield path


def _refuse_foreign(files: dict[Path, str]) -> None:
    for path in files:
        if path.exists() and units.about(path.read_text(encoding="utf-8", errors="replace")) is None:
            raise UsageError(f"{path} is there, and opsbook did not write it; nothing was changed", hint="move it away")


def _write(path: Path, text: str) -> None:
    new = path.with_name(f".{path.name}.{secrets.token_hex(4)}")
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        new.write_text(text, encoding="utf-8")
        new.chmod(0o644)
        new.replace(path)
    except OSError as error:
        raise UsageError(f"{path} cannot be written: {error.strerror}", hint="as root, or with --user") from error


def _take_away(paths: Sequence[Path], own: bool) -> None:
    timers = [path.name for path in paths if path.suffix == ".timer"]
    if timers:
        _systemctl(own, ["disable", "--now", *timers])
    for path in paths:
        try:
            path.unlink()
        except OSError as error:
            raise UsageError(f"{path} cannot be deleted: {error.strerror}", hint="as root, or with --user") from error


def _systemctl(own: bool, *commands: list[str]) -> str | None:
    """Tells systemd; where it does not run, only what can be told to its files. Returns what new timers still need. Raises UsageError."""
    found, runs = shutil.which("systemctl"), RUNNING.is_dir()
    if found is None:
        return "there is no systemctl here; on the machine itself: systemctl daemon-reload, and systemctl enable --now the timers"
    for command in filter(None, commands):
        if runs or command != ["daemon-reload"]:
            told = command if runs else [word for word in command if word != "--now"]
            _call([found, *(["--user"] if own else []), *told], {} if runs else {"SYSTEMD_OFFLINE": "1"})
    return None if runs else "systemd does not run here: the timers start when it does"


def _call(words: list[str], environment: dict[str, str]) -> None:
    status, _, told = program.call(words, environment=environment)
    if status:
        raise UsageError(f"{' '.join(words[1:])}: {told.splitlines()[-1]}", hint="the units are written")
