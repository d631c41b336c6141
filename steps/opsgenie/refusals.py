"""What an answer says of the key it was asked with, and what a person does about it.

Statuses and words are the service's own, as it was seen to answer; a key of another region is answered like one that is mistyped.
"""

from __future__ import annotations

from enum import Enum

from engine.contracts import Reply
from steps.operation import Operation
from steps.opsgenie.answers import said
from steps.opsgenie.keys import Key, origin
from steps.opsgenie.kinds import KINDS
from steps.opsgenie.settings import HOSTS


class Verdict(Enum):
    """What an answer says of the key it was asked with."""

    GOOD = "good"
    ABSENT = "what was asked for is not there"
    FORMAT = "the key's form is not known here"
    UNKNOWN = "no such key"
    ACCOUNT = "the key is an account's"
    TEAM = "the key is a team's"
    NO_READ = "no right to read"
    NO_CONFIGURATION = "no right to configure"
    PLAN = "not in the account's plan"
    OTHER = "refused"
    LATER = "too many requests, or the service is down"


_WORDS = {
    "api key from an api integration": Verdict.ACCOUNT,
    "team api key": Verdict.TEAM,
    "configuration access": Verdict.NO_CONFIGURATION,
    "read access": Verdict.NO_READ,
}


def verdict(reply: Reply) -> Verdict:  # noqa: PLR0911 - one line a kind of answer
    """Sorts an answer by its status and, where one status means several things, by its words."""
    status, words = reply.status or 0, said(reply).lower()
    if status < 400:
        return Verdict.GOOD
    if status == 429 or status >= 500:
        return Verdict.LATER
    if status == 402 or "account plan" in words:
        return Verdict.PLAN
    if status == 404:
        return Verdict.ABSENT
    if status == 401:
        return Verdict.UNKNOWN
    if "key format" in words:
        return Verdict.FORMAT
    return next((found for part, found in _WORDS.items() if part in words), Verdict.OTHER)


def remedy(judged: Verdict, operation: Operation, key: Key, connection: str, region: str | None) -> str:
    """What to do about an answer that a key was refused with."""
    kinds = operation.keys or tuple(KINDS)
    if judged is Verdict.FORMAT:
        return f"{on_form(region)} Check {key.told} and connections.{connection}.region."
    if judged is Verdict.UNKNOWN:
        where = f", or that connections.{connection}.region is where the account lives" if region else ""
        return f"{GONE} ({KINDS[key.kind].menu}). Check that {key.told} holds the key that is there now{where}."
    if judged is Verdict.PLAN:
        return f"The account's plan does not include this. {KINDS['integration'].plans.capitalize()}."
    if judged in (Verdict.ACCOUNT, Verdict.TEAM):
        return f"A key of kind {key.kind} may not make this call: give connections.{connection} one that may. {origin(kinds)}"
    return (
        f"The call needs the right {' and '.join(operation.rights)} and a key of kind {' or '.join(kinds)}. "
        f"Rights are granted under {KINDS[key.kind].narrow}."
    )


GONE = "It was revoked or regenerated, or its integration is switched off: look where it was made"


def on_form(region: str | None) -> str:
    """Where a key of an unknown form belongs is for a person to say: the other region is never tried with it."""
    other = ", ".join(one for one in HOSTS if one != region)
    why = (
        f"Either part of the key is missing, or it belongs to an account in another region ({other})" if region else "Part of it is missing"
    )
    return f"{why}. A key is only ever sent to the region it is configured for, so nothing was tried elsewhere."
