"""What a run came to, as `run --json` prints it."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from engine.errors import OpsbookError
from engine.execution.executor import Ending
from engine.model import Step, Uses
from engine.runs.past import RESUMABLE


@dataclass(slots=True)
class RunResult:
    """A run that has ended, or was parked.

    Attributes:
        document: what `run --json` prints.
        error: what ended it, or None.
    """

    document: dict[str, Any]
    error: OpsbookError | None = None

    @property
    def exit_status(self) -> int:
        """The documented exit code."""
        if self.document["status"] == "succeeded":
            return 0
        return self.error.exit_status if self.error is not None else 1


def advise(run: str, ending: Ending) -> None:
    """How a parked run is gone on with."""
    if ending.error is None:
        return
    if ending.status == "in_doubt":
        look = (ending.error.hint or "Look whether it was done").rstrip(".")
        ending.error.hint = (
            f"{look[:1].upper()}{look[1:]}. Then: opsbook resume {run} --on-doubt skip when it was done, "
            "--on-doubt resend when it was not, or --on-doubt fail to give up."
        )
    elif ending.status in RESUMABLE:
        ending.error.hint = f"opsbook resume {run}"


def error_value(error: OpsbookError | None) -> dict[str, Any] | None:
    """An error as documents show it."""
    if error is None:
        return None
    return {"message": error.message, "code": error.code, "status": getattr(error, "status", None), "hint": error.hint}


def step_value(step: Step, state: Mapping[str, Any]) -> dict[str, Any]:
    """A step as documents show it."""
    uses = step.body.name if isinstance(step.body, Uses) else step.kind
    shown = {key: value for key, value in state.items() if key in ("status", "outputs", "error", "items", "continued")}
    return {"id": step.id, "name": step.name, "uses": uses, **shown}
