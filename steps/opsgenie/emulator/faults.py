"""Faults on demand: what can go wrong between a client and the service, and how it is asked for.

| answer | what the client meets | was the request processed? |
|---|---|---|
| refused | no connection (served: reset at once) | no |
| reset_before | the connection breaks after the request was sent | no |
| closed_before | the connection ends without an answer | no |
| lost | the connection breaks instead of the answer | yes |
| closed | the connection ends instead of the answer | yes |
| truncated | half of the answer's body, then the end | yes |
| headers_only | the answer's headers, then the end | yes |
| slow | the answer comes `seconds` late | yes |
| garbage | bytes that are no text, under a good status | yes |
| bad_json | JSON that breaks off | yes |
| wrong_json | a JSON list where an object should be | yes |
| html | a web page under a good status | yes |
| empty | a good status and no body | yes |
| huge | a body of 16 MiB | yes |
| gzip_bomb | 1 MB that unpacks to 1 GB | yes |
| redirect | 307 to another host | no |
| http_NNN | that status and an error body | no |
| http_NNN_after | the same | yes |
| processed_as_failed | 202, and a request status with `isSuccess: false` | accepted |
| never_processed | 202, and a request status that never comes | accepted |
"""

from __future__ import annotations

import re
from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass
from difflib import get_close_matches
from typing import Any

from engine.errors import UsageError

NAMES = (
    "bad_json",
    "closed",
    "closed_before",
    "empty",
    "garbage",
    "gzip_bomb",
    "headers_only",
    "html",
    "huge",
    "lost",
    "never_processed",
    "processed_as_failed",
    "redirect",
    "refused",
    "reset_before",
    "slow",
    "truncated",
    "wrong_json",
)

METHODS = ("DELETE", "GET", "PATCH", "POST", "PUT")

_HTTP = re.compile(r"http_([345][0-9]{2})(_after)?")
_UNPROCESSED = frozenset({"refused", "reset_before", "closed_before", "redirect"})
_ITEM = re.compile(
    r"(?P<match>[^=]+)=(?P<answer>\w+)(?:\((?P<seconds>[0-9]+(?:\.[0-9]+)?)s?\))?(?:\*(?P<times>[0-9]+))?(?:\+(?P<after>[0-9]+))?"
)


@dataclass(frozen=True, slots=True)
class Fault:
    """One thing that shall go wrong.

    Attributes:
        match: a step's name (`opsgenie.alert.create`), a method and the start of a path (`POST /v2/alerts`), or `*`.
        answer: a name of the table above.
        times: how often.
        after: how many matching requests go well first.
        seconds: how late a `slow` answer comes.
    """

    match: str
    answer: str
    times: int = 1
    after: int = 0
    seconds: float = 30.0

    def __post_init__(self) -> None:
        if self.answer not in NAMES and not _HTTP.fullmatch(self.answer):
            raise UsageError(
                f"There is no fault '{self.answer}'.",
                hint=f"The faults are {', '.join(NAMES)}, http_NNN and http_NNN_after (NNN from 300 to 599).",
            )

    def check_target(self, operations: Collection[str]) -> None:
        """Raises UsageError when no request can ever be meant: a mistyped fault must not look like one that was survived."""
        method, _, path = self.match.partition(" ")
        if self.match in ("*", *operations) or (method in METHODS and path.startswith("/")):
            return
        near = get_close_matches(self.match, operations, 1)
        hint = f"Did you mean {near[0]}?" if near else "Name an operation, a method and the start of a path, or *."
        raise UsageError(f"The fault '{self.match}={self.answer}' is for no operation there is.", hint=hint)

    @property
    def processed(self) -> bool:
        """Whether the service takes the request in all the same."""
        http = _HTTP.fullmatch(self.answer)
        return bool(http[2]) if http else self.answer not in _UNPROCESSED

    @property
    def status(self) -> int | None:
        """Status of an `http_NNN` fault."""
        http = _HTTP.fullmatch(self.answer)
        return int(http[1]) if http else None

    def hits(self, name: str | None, method: str, path: str) -> bool:
        """Whether a request to the operation `name` is meant."""
        wanted_method, _, wanted_path = self.match.partition(" ")
        return self.match in ("*", name) or (bool(wanted_path) and wanted_method == method and path.startswith(wanted_path))


def parse_faults(text: str) -> tuple[Fault, ...]:
    """The faults of a `--faults` value: `opsgenie.alert.create=lost,opsgenie.alert.get=http_503*3,*=slow(20s)+2`.

    `*n` is how often, `+n` how many requests go well first. Raises UsageError.
    """
    return tuple(_parsed(item.strip()) for item in text.split(",") if item.strip())


def _parsed(item: str) -> Fault:
    found = _ITEM.fullmatch(item)
    if not found:
        raise UsageError(f"'{item}' is no fault.", hint="Write OPERATION=FAULT, as in opsgenie.alert.create=lost or *=http_503*3.")
    return Fault(
        found["match"].strip(),
        found["answer"],
        times=int(found["times"] or 1),
        after=int(found["after"] or 0),
        seconds=float(found["seconds"] or 30),
    )


def fault_from(entry: Mapping[str, Any]) -> Fault:
    """The fault an entry of the state file describes. Raises UsageError."""
    return Fault(**entry)


class FaultPlan:
    """The faults still to come. `counts` says how often each has matched; it is part of the emulator's state."""

    def __init__(self, faults: Sequence[Fault]) -> None:
        self.faults = tuple(faults)
        self.counts = [0] * len(self.faults)

    def matching(self, name: str | None, method: str, path: str) -> list[int]:
        """Places of the faults that a request counts towards: each that is not used up."""
        return [
            place
            for place, fault in enumerate(self.faults)
            if fault.hits(name, method, path) and self.counts[place] < fault.after + fault.times
        ]

    def count(self, places: Sequence[int]) -> Fault | None:
        """Counts a request towards these faults; the first of them that is due, or None. One that is not chosen stays due."""
        chosen: Fault | None = None
        for place in places:
            fault, waiting = self.faults[place], self.counts[place] < self.faults[place].after
            if waiting or chosen is None:
                self.counts[place] += 1
            if not waiting and chosen is None:
                chosen = fault
        return chosen
