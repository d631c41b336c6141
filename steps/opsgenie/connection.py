"""An opened connection to Opsgenie: carries out operations with the least privileged key, so that each is done once."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

from engine.contracts import Need, Reply, StepContext
from engine.errors import AnswerLost, Refused, TakenAsDone
from steps.operation import Operation
from steps.opsgenie.answers import data_of
from steps.opsgenie.attempt import Attempt, Service
from steps.opsgenie.follow import accepted, outcome
from steps.opsgenie.keys import rights_of
from steps.opsgenie.lists import collect
from steps.opsgenie.marks import marked
from steps.opsgenie.operations import OPERATIONS
from steps.opsgenie.parts import Parts, parts_of
from steps.opsgenie.settle import settle


class Connection:
    """One connection of the configuration, shared by all threads of a run."""

    def __init__(self, service: Service) -> None:
        self._service = service

    def close(self) -> None:
        """Gives its sockets back."""
        self._service.transport.close()

    def ready(self, need: Need) -> None:
        """Whether the key for a need is there and can be read. Raises KeyProblem; sends nothing."""
        self._service.keys.credential(self._service.keys.choose("this runbook", need.kinds, rights_of(need))).secret()

    def key_reference(self, need: Need) -> str | None:
        """The reference of the key that a call with this need goes with, or None when no key may make it."""
        key = self._service.keys.find(need.kinds, rights_of(need))
        return None if key is None else key.told

    def perform(self, operation: Operation, given: Mapping[str, Any], context: StepContext) -> Mapping[str, Any]:
        """Carries an operation out and returns its outputs. Raises StepError and KeyProblem."""
        if operation.effect == "write":
            given = self._by_id(operation, marked(operation, given, context), context)
        outputs = self.carry_out(operation, parts_of(operation, given), given, context, _outputs)
        found: Mapping[str, Any] = context.unknown(operation.outputs) if outputs is None else outputs
        return found

    def carry_out(
        self,
        operation: Operation,
        parts: Parts,
        given: Mapping[str, Any],
        context: StepContext,
        outputs: Callable[[Operation, Reply, Mapping[str, Any] | None], Mapping[str, Any]],
    ) -> Mapping[str, Any] | None:
        """One request to its end, settled when its answer is lost; None in a dry run that did not make it.

        `outputs` makes the outputs of the answer and, where the request was followed, of its status.
        """
        attempt = Attempt(self._service, operation, parts, context)
        if operation.listing:
            return collect(attempt, operation.listing)

        def once(attempt: Attempt) -> Mapping[str, Any] | None:
            reply = attempt.send()
            if reply is None:
                return None
            request_id = accepted(reply) if operation.follow else None
            return outputs(operation, reply, outcome(attempt, request_id) if request_id else None)

        def write(attempt: Attempt) -> Mapping[str, Any]:
            done = once(attempt)
            assert done is not None, "a dry run sends no write that could be in doubt"
            return done

        try:
            return once(attempt)
        except (AnswerLost, TakenAsDone) as lost:
            return settle(attempt, given, write, lost)

    def _by_id(self, operation: Operation, given: Mapping[str, Any], context: StepContext) -> Mapping[str, Any]:
        """What was given, with an alias, a name or a short id replaced by the id.

        The alias of a closed alert may by then mean its recurrence: a write that is sent again must mean what it meant at first.
        """
        kind = next((name for name in operation.query if name.lower().endswith("identifiertype")), None)
        row = _reader(operation)
        if kind is None or row is None or given.get(kind, "id") == "id":
            return given
        try:
            reply = Attempt(
                self._service, row, parts_of(row, {"identifier": given["identifier"], "identifierType": given[kind]}), context
            ).send()
        except Refused:
            if not context.planning:
                raise
            reply = None  # what it names may be made by an earlier step of the plan
        if reply is None:
            return given
        return {**given, "identifier": data_of(reply)["id"], kind: "id"}


def _reader(operation: Operation) -> Operation | None:
    """The read of what an operation's `identifier` names."""
    head, name, _ = operation.path_template.partition("{identifier}")
    return next((row for row in OPERATIONS.values() if row.request == f"GET {head}{name}"), None) if name else None


def _outputs(operation: Operation, reply: Reply, status: Mapping[str, Any] | None) -> Mapping[str, Any]:
    """The outputs of a step: the status of a followed request, else the answer's data and the service's word for what it did."""
    if status is not None:
        return {**status, "requestId": reply.value["requestId"]}
    data = data_of(reply)
    found = dict(data) if isinstance(data, Mapping) else {}
    return found | {name: reply.value[name] for name in ("result", "requestId") if name in _known(operation) and name in reply.value}


def _known(operation: Operation) -> Mapping[str, Any]:
    known: Mapping[str, Any] = operation.data.get("properties", {})
    return known
