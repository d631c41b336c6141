"""What follows the end of a run: its notice is carried out, and whatever becomes of that, the run has ended as it did."""

from __future__ import annotations

from collections.abc import Callable, Coroutine, Mapping
from typing import Any

from engine import template
from engine.errors import Interrupted
from engine.execution.executor import Ending, Executor, State, error_names
from engine.language.names import ERROR
from engine.language.notices import AFTER, Notice
from engine.model import Uses

Drive = Callable[[Coroutine[Any, Any, State]], State]
"""Runs a coroutine of the executor's to its end."""


CONDITIONS: Mapping[str, tuple[str, str]] = {
    "on_success": ("succeeded", 'run.status == "succeeded"'),
    "on_failure": ("failed", 'run.status == "failed"'),
}
"""Notice → the status it is shown for in a plan, and the condition that only a real run can decide."""


def foresee(notice: Notice, executor: Executor, drive: Drive) -> None:
    """Has the dry run of a notice written down."""
    status, condition = CONDITIONS[notice.key]
    error = (
        None
        if status == "succeeded"
        else {part: template.Unknown(f"run.error.{part}", known) for part, known in ERROR["properties"].items()}
    )
    drive(executor.notice(notice.step, status, error, maybe=(condition,)))


def follow(
    ending: Ending,
    notices: Mapping[str, Notice],
    executor: Executor,
    drive: Drive,
    mask: Callable[[Any], Any],
    warn: Callable[[str], None],
) -> tuple[Ending, list[dict[str, Any]]]:
    """The ending, and what became of the notice that follows it.

    A signal that asks to park the run before its notice was carried out does park it: `resume` goes on with the notice.
    """
    found = notices.get(AFTER.get(ending.status, ""))
    if found is None:
        return ending, []
    error = None if ending.error is None else mask(error_names(ending.error))
    try:
        state = drive(executor.notice(found.step, ending.status, error))
    except Interrupted as stopped:
        if not stopped.ends and ending.status != "in_doubt":
            return Ending("interrupted", steps=ending.steps, error=stopped), []
        state = {"status": "failed", "error": error_names(stopped)}
    if state["status"] == "failed":
        warn(f"{found.key}: {state['error']['message']}; how the run itself ended stays as it is")
    assert isinstance(found.step.body, Uses)
    return ending, [{"id": found.key, "uses": found.step.body.name, "status": state["status"], "error": state.get("error")}]
