"""What can be put around a step, listed from the outside in: a loop polls, a poll retries."""

from __future__ import annotations

from engine.contracts import Modifier
from engine.modifiers import for_each, retry, until

MODIFIERS: dict[str, Modifier] = {
    "for_each": for_each,
    "until": until,
    "retry": retry,
}
