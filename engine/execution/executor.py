"""Carries a runbook out over a backend's primitives; knows no backend and no service.

Around each step, from the outside in: its condition, `for_each`, `until`, `retry`, the construct itself, `expect`.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import Any

from engine import duration, rendering, schema, template
from engine.contracts import Action, Backend
from engine.contracts import Step as StepType
from engine.errors import CheckFailed, InDoubt, Interrupted, OpsbookError, Returned, StepError
from engine.model import Retry, Runbook, Step, Uses, walk
from engine.modifiers import for_each, until
from engine.scope import Scope

State = dict[str, Any]
"""What `steps.<id>` shows: status, and outputs or error."""


@dataclass(slots=True)
class Ending:
    """How a run ended.

    Attributes:
        status: succeeded, failed, cancelled, in_doubt or interrupted.
        steps: states by id, in the order the steps are written.
        error: what ended the run, or None.
    """

    status: str
    outputs: dict[str, Any] = field(default_factory=dict)
    steps: dict[str, State] = field(default_factory=dict)
    error: OpsbookError | None = None


class Executor:
    """One run of one runbook.

    Args:
        catalogue: finds a step by name.
        run: what templates see as `run`: id, started_at, trigger.
    """

    def __init__(
        self,
        runbook: Runbook,
        backend: Backend,
        catalogue: Callable[[str], StepType],
        inputs: Mapping[str, Any],
        run: Mapping[str, Any],
    ) -> None:
        self.runbook = runbook
        self.backend = backend
        self.default_retry: Retry | None = runbook.default_retry
        self._find = catalogue
        self._facts = dict(run)
        self._scope = Scope(
            values={"inputs": dict(inputs), "vars": {}, "run": {**run, "status": "running"}},
            steps={step.id: {"status": "pending"} for step in runbook.every_step()},
        )

    async def run(self) -> Ending:
        """Carries the runbook out, whatever happens: the ending says how it went. Raises nothing that a step may raise."""
        try:
            ending = await self._main()
            self.backend.heed()
        except CheckFailed as error:
            return self._ending("failed", error)
        except InDoubt as error:
            return self._ending("in_doubt", error)
        except Interrupted as error:
            if not error.ends:
                return self._ending("interrupted", error)
            ending = self._ending("cancelled", error)
            self.backend.wind_down()
        return await self._finally(ending)

    async def _main(self) -> Ending:
        try:
            scope = await self._prepare()
            await self.sequence(self.runbook.steps, scope)
            declared = self.runbook.outputs.items()
            outputs = self._typed({name: template.walk(output.get("value"), scope.names()) for name, output in declared})
        except Returned as returned:
            return self._returned(returned)
        except StepError as error:
            if error.final or isinstance(error, CheckFailed):
                raise
            return self._ending("failed", error)
        return self._ending("succeeded", outputs=outputs)

    async def _prepare(self) -> Scope:
        """The first scope: vars computed, checks held, the deadline set."""
        names: dict[str, Any] = {}
        for name, value in self.runbook.vars.items():
            now = await self._now(f"vars.{name}", value)
            names[name] = template.walk(value, {**self._scope.values, "vars": names, **now})
        self._scope = self._scope.inside("", vars=names)
        for check in self.runbook.checks:
            self._hold(check.condition, check.that, check.message)
        if self.runbook.timeout is None:
            return self._scope
        limit = self._seconds(self.runbook.timeout, self._scope)
        return self._scope.until(await self.backend.moment("run") + timedelta(seconds=limit))

    def _hold(self, condition: str | None, that: str, message: Any) -> None:
        names = self._scope.names()
        if condition is not None and self.holds(condition, names) is False:
            return
        if self.holds(that, names) is False:
            raise CheckFailed(f"a check does not hold: {template.text(message).render(names)}")

    def _returned(self, returned: Returned) -> Ending:
        try:
            return self._ending("succeeded", outputs=self._typed(returned.outputs))
        except StepError as error:
            return self._ending("failed", error)

    def _typed(self, outputs: dict[str, Any]) -> dict[str, Any]:
        """The run's outputs, each held against its declared type. Raises StepError."""
        for name, value in outputs.items():
            wanted = {key: part for key, part in self.runbook.outputs.get(name, {}).items() if key != "value"}
            problem = schema.first_problem(value, wanted)
            if problem:
                raise StepError(f"outputs.{name}{problem}", code="outputs", again="never")
        return outputs

    async def _finally(self, ending: Ending) -> Ending:
        """Runs `finally`; a failure in it fails a run that had succeeded, and never hides an earlier error."""
        scope = self._scope.inside("", run={**self._facts, "status": ending.status})
        self.backend.shield()
        try:
            await self.sequence(self.runbook.finally_, scope)
            if self.backend.heed() and ending.status == "succeeded":
                return self._ending("cancelled", Interrupted("stopped by SIGINT", ends=True))
        except Returned:
            return ending
        except InDoubt as error:
            return self._ending("in_doubt", error)
        except Interrupted as error:
            return self._ending("cancelled" if error.ends else "interrupted", error)
        except StepError as error:
            if ending.status == "succeeded":
                return self._ending("failed", error)
        return ending

    async def notice(self, step: Step, status: str, error: Mapping[str, Any] | None, maybe: tuple[str, ...] = ()) -> State:
        """Tells a service how the run ended, by a step outside of the runbook: its state. Raises Interrupted.

        That a run is in doubt is told apart from its end, which a resumed run comes to later.
        """
        names: dict[str, Any] = {"run": {**self._facts, "status": status}, "runbook": self.runbook.name}
        if error is not None:
            names["error"] = dict(error)
        scope = Scope(values=names, prefix="in_doubt/" if status == "in_doubt" else "", maybe=maybe)
        try:
            return await self._once(step, scope)
        except StepError as failed:
            return {"status": "failed", "error": failed.as_value()}

    def _ending(self, status: str, error: OpsbookError | None = None, outputs: Mapping[str, Any] | None = None) -> Ending:
        return Ending(status, dict(outputs or {}), self._scope.steps, error)

    def holds(self, condition: str, names: Mapping[str, Any]) -> bool | None:
        """Whether an expression holds; None when planning and it depends on what only a real run would know."""
        try:
            return template.expression(condition).holds(names)
        except template.UnknownValue:
            return None

    async def sequence(self, steps: Sequence[Step], scope: Scope) -> None:
        """Carries steps out in order. Raises the StepError of the first that fails."""
        for step in steps:
            await self._step(step, scope)

    async def _step(self, step: Step, scope: Scope) -> None:
        scope = scope.inside(scope.prefix, **await self._now(scope.key(step.id), step))
        if step.for_each is not None:
            await self._loop(step, scope)
            return
        state = await self._once(step, scope)
        self._pass_over(step, state.get("raised"))

    async def _loop(self, step: Step, scope: Scope) -> None:
        key, ahead = scope.key(step.id), scope
        self.backend.tell("step.started", key, step=step.id, uses=_uses(step), item=scope.item)
        failure: StepError | None = None
        try:
            met = scope if _about_item(step) else self._ahead(step, scope)
            if met is None:
                return
            ahead = met
            states = await for_each.carry_out(step, ahead, self, lambda inner: self._once(step, inner))
            state, failure = _loop_state(states)
        except Interrupted:
            scope.steps[step.id] = {"status": "cancelled"}
            raise
        except Returned:
            self._record(step, ahead, {"status": "succeeded", "outputs": []})
            if ahead is scope:
                raise
            return
        except StepError as error:
            state, failure = {"status": "failed", "error": error.as_value()}, error
        self._record(step, ahead, state, failure)
        if ahead is scope:
            self._pass_over(step, failure)

    def _ahead(self, step: Step, scope: Scope) -> Scope | None:
        """The scope to go ahead in; None when the condition does not hold, which is recorded as skipped.

        Another scope than the given one means: planning, and only a real run can decide. What such a step comes to ends no plan.
        """
        if step.condition is None:
            return scope
        verdict = self.holds(step.condition, scope.names())
        if verdict is False:
            scope.steps.update({inside.id: {"status": "skipped"} for inside in walk((step,))})
            self.backend.tell("step.skipped", scope.key(step.id), step=step.id, item=scope.item, condition=step.condition)
            return None
        return scope if verdict else scope.perhaps(step.condition)

    async def _once(self, step: Step, scope: Scope) -> State:
        """The step for one scope: condition, attempts, expectations. A failure is in the state; only what stops the run is raised."""
        key, ahead = scope.key(step.id), scope
        try:
            met = scope if step.for_each and not _about_item(step) else self._ahead(step, scope)
            if met is None:
                return scope.steps[step.id]
            ahead = met
            self.backend.tell("step.started", key, step=step.id, uses=_uses(step), item=scope.item, of=scope.total)
            if ahead.maybe:
                self.backend.tell("step.conditional", key, step=step.id, conditions=ahead.maybe)
            outputs = await until.carry_out(step, ahead, self)
            self._expect(step, scope, outputs)
        except Interrupted:
            scope.steps[step.id] = {"status": "cancelled"}
            raise
        except Returned:
            self._record(step, ahead, {"status": "succeeded", "outputs": {}})
            if ahead is scope:
                raise
            return {"status": "succeeded"}
        except StepError as error:
            state = {"status": "failed", "error": error.as_value()}
            self._record(step, ahead, state, error)
            if error.final:
                raise
            return {**state, "raised": error} if ahead is scope else state
        state = {"status": "succeeded", "outputs": outputs}
        self._record(step, ahead, state)
        return state

    async def limited(self, step: Step, scope: Scope, attempt: int, poll: int) -> Scope:
        """The scope of one attempt of a step that has a time limit of its own, without being one operation."""
        if step.timeout is None:
            return scope
        began = await self.backend.moment(f"{scope.key(step.id)}@{attempt}.{poll}!")
        return scope.until(began + timedelta(seconds=self._timeout(step, scope)))

    def _expect(self, step: Step, scope: Scope, outputs: Mapping[str, Any]) -> None:
        for condition in step.expect:
            if self.holds(condition, scope.names(result=outputs)) is False:
                raise StepError(f"expected {condition}", code="expectation", again="never")

    def _record(self, step: Step, scope: Scope, state: State, error: StepError | None = None) -> None:
        if error is not None and step.continue_on_error and not error.final:
            state["continued"] = True
        status = "in_doubt" if error is not None and error.final else state["status"]
        scope.steps[step.id] = {**state, "status": template.Unknown(f"steps.{step.id}.status") if scope.maybe else status}
        told = {"error": state["error"]} if "error" in state else {}
        continued = {"continued": True} if "continued" in state else {}
        self.backend.tell("step.ended", scope.key(step.id), step=step.id, item=scope.item, status=status, **told, **continued)

    @staticmethod
    def _pass_over(step: Step, failure: StepError | None) -> None:
        """Goes on after a success, or after a failure that the author passes over."""
        if failure is not None and (failure.final or not step.continue_on_error):
            raise failure

    async def attempt(self, step: Step, scope: Scope, attempt: int, poll: int) -> Mapping[str, Any]:
        """One attempt of a `uses` step. Raises StepError."""
        body = step.body
        assert isinstance(body, Uses)
        kind = self._find(body.name)
        given = self._given(kind, body, scope)
        timeout = self._timeout(step, scope)
        key = scope.key(step.id) + (f"#{poll}" if step.until else "")
        if scope.deadline is not None:
            began = await self.backend.moment(f"{key}@{attempt}!")
            timeout = min(timeout, (scope.deadline - began).total_seconds())
            if timeout <= 0:
                raise StepError("the time limit ran out before the step began", code="timeout", again="never")
        action = Action(key, step.id, scope.item, attempt, body.name, given, step.connection, timeout)
        outcome = await self.backend.perform(action)
        if outcome.error is not None:
            raise outcome.error
        assert outcome.outputs is not None
        return outcome.outputs

    @staticmethod
    def _given(kind: StepType, body: Uses, scope: Scope) -> dict[str, Any]:
        """`with`, rendered and checked against the step's schema as sent."""
        given: dict[str, Any] = rendering.render(dict(body.given), kind.inputs, scope.names())
        given = rendering.clipped(given, kind.inputs) if body.clips else given
        checked = rendering.literal(body.given, kind.inputs)  # when the runbook was read
        problem = None if checked else schema.first_problem(given, kind.inputs)
        if problem:
            raise StepError(f"with{problem}", code="invalid_input", again="never", hint=f"opsbook steps show {kind.name}")
        return given

    def _timeout(self, step: Step, scope: Scope) -> float:
        return self.runbook.default_timeout if step.timeout is None else self._seconds(step.timeout, scope)

    @staticmethod
    def _seconds(timeout: str, scope: Scope) -> float:
        """A time limit in seconds; the longest there is when planning cannot tell."""
        written = template.text(timeout).render(scope.names())
        if isinstance(written, template.Unknown):
            return duration.LONGEST
        try:
            return duration.seconds(str(written))
        except ValueError as error:
            raise StepError(f"timeout: {error}", code="template", again="never") from error

    async def _now(self, key: str, part: Any) -> dict[str, Any]:
        """`now`, taken once for each step that names it, so that a resumed run sees the same moment."""
        if "now" not in repr(part):
            return {}
        return {"now": spell(await self.backend.moment(f"{key}.now"))}


def error_names(error: OpsbookError) -> dict[str, Any]:
    """What templates see of the error that ended a run."""
    return {"message": error.message, "status": getattr(error, "status", None), "code": error.code}


def spell(moment: datetime) -> str:
    """A moment as templates see it: RFC 3339 in UTC, with milliseconds."""
    return moment.isoformat(timespec="milliseconds").replace("+00:00", "Z")


def _uses(step: Step) -> str:
    return step.body.name if isinstance(step.body, Uses) else step.kind


def _about_item(step: Step) -> bool:
    """Whether a loop's condition is about each item, rather than about the loop."""
    if step.condition is None or step.for_each is None:
        return False
    names = {step.for_each.name, "loop"}
    return any(reference.path[0] in names for reference in template.expression(step.condition).references)


def _loop_state(states: Sequence[State]) -> tuple[State, StepError | None]:
    """The state of a loop: its items' outputs in order; failed when an item failed."""
    counts = {status: sum(state["status"] == status for state in states) for status in ("succeeded", "failed", "skipped", "cancelled")}
    state: State = {
        "status": "succeeded",
        "outputs": [state.get("outputs") for state in states],
        "items": {"total": len(states), **counts},
    }
    failures = [state["raised"] for state in states if "raised" in state]
    if not failures:
        return state, None
    first = failures[0]
    message = f"{len(failures)} of {len(states)} items failed; the first: {first.message}"
    failure = StepError(message, code=first.code, status=first.status, again="never", hint=first.hint)
    failure.exit_status = first.exit_status
    return state | {"status": "failed", "error": failure.as_value()}, failure
