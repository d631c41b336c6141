"""What a run's journal remembers of an earlier process: answers, intents without an answer, moments."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any


@dataclass(slots=True)
class Memory:
    """The journal, turned into what a resumed run asks of it.

    Attributes:
        results: by call key, the event of its result or doubt.
        intents: by call key, when the intent was written.
        moments: by key, a moment fixed once.
        told: event and key of everything told once.
    """

    results: dict[str, Mapping[str, Any]] = field(default_factory=dict)
    intents: dict[str, datetime] = field(default_factory=dict)
    moments: dict[str, datetime] = field(default_factory=dict)
    told: set[tuple[str, str]] = field(default_factory=set)

    @classmethod
    def of(cls, events: Iterable[Mapping[str, Any]]) -> Memory:
        """Reads a run's events."""
        memory = cls()
        for event in events:
            memory.learn(event)
        return memory

    def learn(self, event: Mapping[str, Any]) -> None:
        """Takes in one event."""
        name, key = event["event"], event.get("key")
        if key is None:
            return
        if name in ("step.result", "step.doubt"):
            self.results[key] = event
        elif name == "step.intent":
            self.intents[key] = datetime.fromisoformat(event["time"])
        elif name == "moment":
            self.moments[key] = datetime.fromisoformat(event["moment"])
        else:
            self.told.add((name, key))
