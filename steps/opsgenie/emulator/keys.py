"""The emulator's keys: who calls, and what the key may do."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from uuid import UUID

from steps.operation import KeyKind, Operation, rights_for
from steps.opsgenie.emulator.problems import ApiError
from steps.opsgenie.emulator.stable import stable_uuid
from steps.opsgenie.settings import RIGHTS

_WANTED = {"read": "read", "create_and_update": "write", "delete": "delete", "configuration_access": "configuration"}


@dataclass(frozen=True, slots=True)
class EmulatorKey:
    """A key the emulator knows.

    Attributes:
        kind: account, integration, team or heartbeat.
        value: what a client sends; made by the emulator and the secret of nobody.
        rights: of `read`, `create_and_update`, `delete`, `configuration_access`.
        team: name of the team a team key belongs to; None for a team key whose team is not there yet, which sees what it made.
    """

    kind: KeyKind
    value: str
    rights: tuple[str, ...] = RIGHTS
    team: str | None = None

    @property
    def integration(self) -> str:
        """Id of the integration the key belongs to."""
        return stable_uuid("integration", self.value)


def made_key(kind: KeyKind, number: int = 0, rights: Sequence[str] = RIGHTS, team: str | None = None) -> EmulatorKey:
    """The emulator's own key of a kind; always the same value."""
    return EmulatorKey(kind, stable_uuid("key", kind, number), tuple(rights), team)


def default_keys(team: str | None) -> tuple[EmulatorKey, ...]:
    """One key of each kind that may be used for alerts, with every right."""
    return (made_key("account"), made_key("integration"), made_key("team", team=team))


def authenticated(keys: Sequence[EmulatorKey], header: str | None) -> EmulatorKey:
    """The key an `Authorization` header names.

    Raises ApiError: 422 when the value is not UUID-shaped (observed), 401 when no such key is known (observed) or when the header is
    missing or of another scheme (unconfirmed).
    """
    scheme, _, value = (header or "").partition(" ")
    if scheme != "GenieKey":
        raise ApiError(401, "Could not authenticate")
    if not _uuid_shaped(value):
        raise ApiError(422, "Key format is not valid!")
    for key in keys:
        if key.value == value:
            return key
    raise ApiError(401, "Could not authenticate")


def told(keys: Sequence[EmulatorKey], header: str | None) -> str:
    """What an `Authorization` header holds, for the log: the kind of a known key, or why it is none."""
    scheme, _, value = (header or "").partition(" ")
    if scheme != "GenieKey":
        return "no key"
    known = next((key.kind for key in keys if key.value == value), None)
    return known or ("unknown key" if _uuid_shaped(value) else "malformed key")


def authorize(key: EmulatorKey, row: Operation) -> None:
    """Raises ApiError (403) when the key's kind or rights do not cover the operation; wording as observed, configuration's in part."""
    if key.kind not in row.keys:
        raise _wrong_kind(key.kind)
    for right in rights_for(key.kind, row.rights):
        if right not in key.rights:
            raise ApiError(403, f"API Key is not granted with {_WANTED[right]} access.", code=40301)


def _wrong_kind(kind: str) -> ApiError:
    if kind == "account":
        return ApiError(403, "To perform this action, use an API key from an API integration.", code=40301)
    if kind == "team":
        return ApiError(403, "Team API Keys are not authorized to perform this action.")
    return ApiError(403, "This API key is not authorized to perform this action.", code=40301)


def _uuid_shaped(value: str) -> bool:
    try:
        return str(UUID(value)) == value.lower()
    except ValueError:
        return False
