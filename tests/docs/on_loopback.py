"""The command `opsbook` for the pages' examples: Opsgenie's hosts are an emulator on this machine."""

from __future__ import annotations

import os

from engine.cli import main
from steps.opsgenie.settings import HOSTS

if __name__ == "__main__":
    HOSTS |= dict.fromkeys(HOSTS, os.environ["SERVED"])
    main()
