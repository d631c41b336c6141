"""The values a runbook keeps for its next run: one private file a runbook, replaced whole, under a lock."""

from __future__ import annotations

import json
import os
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path
from typing import Any

from engine.errors import AuditUnwritable, StepError
from engine.system import disk

MOST_VALUE = 64 * 1024
"""Bytes of one value as JSON."""
MOST_FILE = 1024 * 1024
"""Bytes of all values of one runbook."""


@dataclass(frozen=True, slots=True)
class Values:
    """See engine.contracts.Values.

    Attributes:
        path: the file; None where nothing is kept, as in the plan of a run on the emulator.
        mask: hides every known secret in a value.
    """

    path: Path | None
    mask: Callable[[Any], Any]

    def get(self, name: str) -> Mapping[str, Any] | None:
        """`{value, set_at}`, or None when nothing was kept under the name. Raises StepError, AuditUnwritable."""
        found: Mapping[str, Any] | None = _read(self.path).get(name) if self.path else None
        return found

    def set(self, name: str, value: Any, at: datetime) -> str:
        """Keeps a value under a name; `set_at` of it. Raises StepError, AuditUnwritable."""
        assert self.path is not None, "a plan keeps nothing"
        kept = {"value": self._checked(name, value), "set_at": at.isoformat(timespec="milliseconds")}
        try:
            disk.make_folder(self.path.parent)
            lock = disk.lock(self.path.with_suffix(".lock"), wait=True)
            assert lock is not None, "a lock that is waited for is got"
            try:
                disk.replace(self.path, _whole({**_read(self.path), name: kept}))
            finally:
                os.close(lock)
        except OSError as error:
            raise AuditUnwritable(f"{self.path} cannot be written: {error.strerror}", hint="check the state folder") from None
        return str(kept["set_at"])

    def _checked(self, name: str, value: Any) -> Any:
        try:
            text = json.dumps(value, allow_nan=False)
            masked = json.dumps(self.mask(value))
        except (ValueError, TypeError, RecursionError):
            raise _trouble(f"the value for {name} is no JSON", "keep text, numbers, lists and mappings of finite depth") from None
        if masked != text:
            raise _trouble(f"the value for {name} holds a key of the configuration; it was not kept", "keep no secrets", code="secret")
        if len(text) > MOST_VALUE:
            raise _trouble(f"the value for {name} has {len(text)} bytes, {MOST_VALUE} are allowed", "keep less: an id, a moment, a count")
        return value


def _read(path: Path) -> dict[str, Any]:
    """What a file holds; nothing when there is none. Raises StepError, AuditUnwritable."""
    try:
        file = os.open(path, os.O_RDONLY | os.O_NOFOLLOW | os.O_CLOEXEC | os.O_NONBLOCK)
        with os.fdopen(file, "rb") as content:
            values = json.loads(content.read(2 * MOST_FILE))
        if isinstance(values, dict) and all(isinstance(one, dict) and {"value", "set_at"} <= one.keys() for one in values.values()):
            return values
    except FileNotFoundError:
        return {}
    except OSError as error:
        raise AuditUnwritable(f"{path} cannot be read: {error.strerror}", hint="check the state folder") from None
    except (ValueError, RecursionError):
        pass
    raise _trouble(f"{path} is damaged", "move it away: the runbook then begins as if nothing had been kept")


def _whole(values: Mapping[str, Any]) -> bytes:
    content = json.dumps(values, indent=1, sort_keys=True).encode()
    if len(content) > MOST_FILE:
        raise _trouble(f"all values together have {len(content)} bytes, {MOST_FILE} are allowed", "keep fewer values, or smaller ones")
    return content


def _trouble(message: str, hint: str, code: str = "values") -> StepError:
    return StepError(message, code=code, again="never", hint=hint)
