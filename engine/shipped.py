"""Files that come with opsbook: in the wheel beside the code, in a checkout beside the package."""

from __future__ import annotations

from pathlib import Path

HERE = Path(__file__).parent


def folder(name: str) -> Path:
    """The folder `schemas` or `runbooks`."""
    installed = HERE / name
    return installed if installed.is_dir() else HERE.parent / name
