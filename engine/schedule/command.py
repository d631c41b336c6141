"""The command that starts a trigger's run from a place where nothing is set: no HOME, no PATH, no terminal."""

from __future__ import annotations

import os
import pwd
import sys
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

from engine.schedule.entry import Entry
from engine.state import folder, settings_folder


@dataclass(frozen=True, slots=True)
class Command:
    """What a run needs of the place from which its schedule was installed.

    Attributes:
        folder: the current folder, where the search for the configuration begins and relative paths lead from.
        variables: what must be set.
        program: opsbook, as absolute words.
        config: the configuration file that was named, absolute; None to look for it as ever.
    """

    folder: Path
    variables: Mapping[str, str]
    program: tuple[str, ...]
    config: str | None

    def words(self, entry: Entry, starter: str, *, if_due: bool) -> tuple[str, ...]:
        """The command line of an entry.

        Args:
            entry: what to run.
            starter: who starts it, for the audit log.
            if_due: whether the starter cannot tell by itself that a moment is due.
        """
        asked = ("--if-due",) if if_due else ()
        chosen = ("--config", self.config) if self.config is not None else ()
        run = ("run", str(entry.file), "--trigger", starter, "--scheduled", entry.trigger.name)
        return (*self.program, "-q", *run, *asked, *chosen)


def command(config: str | None) -> Command:
    """The command as it would find things here; `config` as the command line has it."""
    program, needed = _program()
    given = os.environ.get("OPSBOOK_CONFIG") if config is None else config
    chosen = str(Path(given).expanduser().absolute()) if given else given
    return Command(Path.cwd(), {"OPSBOOK_STATE": str(folder()), **_configuration(), **needed}, program, chosen)


def _program() -> tuple[tuple[str, ...], dict[str, str]]:
    """The program `opsbook`; else the interpreter with the package, and what it needs to find it."""
    beside, called = Path(sys.executable).with_name("opsbook"), Path(sys.argv[0])
    for script in (beside, called):
        if script.name == "opsbook" and script.is_file():
            return (str(script.absolute()),), {}
    root = Path(__file__).parents[2]
    return (sys.executable, "-P", "-m", "engine"), {} if root.name == "site-packages" else {"PYTHONPATH": str(root)}


def _configuration() -> dict[str, str]:
    """Where the user's configuration lies, when the user's name alone does not tell."""
    here = settings_folder()
    return {} if here == _home() / ".config" or not (here / "opsbook").is_dir() else {"XDG_CONFIG_HOME": str(here)}


def _home() -> Path:
    try:
        return Path(pwd.getpwuid(os.getuid()).pw_dir)
    except KeyError:  # a user id without a name, as in containers
        return Path("/nonexistent")
