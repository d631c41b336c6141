"""Opsgenie: every operation of its API as a step, over connections that keep keys apart and do each write once."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from functools import cached_property
from typing import Any

from engine.contracts import ConnectionStanding, KeyUsage, Need, Schema, Step, Surroundings
from steps.opsgenie.settings import SERVICE, SETTINGS_SCHEMA


class OpsgenieProvider:
    """The steps whose names begin with `opsgenie.`; see engine.contracts.Vendor."""

    settings_schema: Schema = SETTINGS_SCHEMA
    notices: Mapping[str, str] = {"alert": "opsgenie.alert.create", "heartbeat": "opsgenie.heartbeat.ping"}

    def steps(self) -> Mapping[str, Step]:
        """Every step by its full name."""
        return self._steps

    @cached_property
    def _steps(self) -> Mapping[str, Step]:
        from steps.operation import OperationStep
        from steps.opsgenie.composites import COMPOSITES
        from steps.opsgenie.operations import OPERATIONS
        from steps.opsgenie.request import REQUEST

        rows = {name: OperationStep(row) for name, row in OPERATIONS.items()}
        return dict(sorted({**rows, **COMPOSITES, REQUEST.name: REQUEST}.items()))

    def connect(self, name: str, settings: Mapping[str, Any], surroundings: Surroundings) -> Any:
        """Opens the connection; sends nothing and resolves no secret yet."""
        from steps.opsgenie.opening import open_connection

        return open_connection(name, settings, surroundings)

    def key_findings(self, settings: Mapping[str, Any], need: Need) -> str | None:
        """Why no key of the connection can meet the need, or None."""
        from steps.opsgenie.keys import choose, missing, read_keys, rights_of

        rights = rights_of(need)
        keys = read_keys(settings)
        if choose(keys, need.kinds, rights) or (settings.get("service") == "emulator" and not keys):
            return None
        return missing(keys, need.kinds, rights)

    def standing(self, name: str, settings: Mapping[str, Any], surroundings: Surroundings) -> ConnectionStanding:
        """Tries a connection and each of its keys, by reads alone."""
        from steps.opsgenie.opening import open_service
        from steps.opsgenie.standing import standing_of

        service = open_service(name, settings, surroundings)
        try:
            return standing_of(service, settings.get("service", SERVICE), surroundings.clock)
        finally:
            service.transport.close()

    def key_usage(self, settings: Mapping[str, Any], needs: Sequence[Need]) -> Sequence[KeyUsage]:
        """What these needs ask of each key of the connection, and what it may beyond that."""
        from steps.opsgenie.usage import key_usage

        return key_usage(settings, needs)

    def commands(self) -> Sequence[Any]:
        """Commands the provider adds to the command line."""
        from steps.opsgenie.commands import COMMANDS

        return tuple(COMMANDS.values())


PROVIDER = OpsgenieProvider()
