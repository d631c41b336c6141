"""How a line of the log is spelt: one file a form."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Protocol

from engine.telling.lines import journald, json_object, people


class Form(Protocol):
    """One form; a module of this folder."""

    def line(self, record: Mapping[str, Any]) -> str:
        """One line without its line feed, fit for a terminal.

        A record has `time`, `level`, `event`, `message`, `run`, `runbook`, `step`, `item`, and what else the event tells.
        """


FORMS: dict[str, Form] = {"journald": journald, "json": json_object, "people": people}
