"""Users as a path or a body names them: by id or username."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from steps.opsgenie.emulator.call import Call
from steps.opsgenie.emulator.problems import missing
from steps.opsgenie.emulator.store import Entity, Store


def wanted_user(call: Call) -> Entity:
    """The user that the path names. Raises ApiError (404)."""
    return user_named(call.store, {"id": call.ids[0], "username": call.ids[0]})


def user_named(store: Store, given: Mapping[str, Any]) -> Entity:
    """The user with the given id or username. Raises ApiError (404)."""
    user = store.known("user", given)
    if user is None:
        raise missing("User", str(given.get("username") or given.get("id")))
    return user
