"""A run in this process: begun or gone on with, carried out, and closed. Whoever calls holds the run's lock."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path
from typing import Any

from engine import disk, history, journal, ledger
from engine.backends import LocalBackend
from engine.catalog import Catalog
from engine.clock import RealClock, VirtualClock
from engine.connections import Connections
from engine.context import Run
from engine.errors import AuditUnwritable, ChainBroken, Finding, Invalid, OpsbookError, UsageError
from engine.executor import Ending, Executor, spell
from engine.memory import Memory
from engine.model import Runbook, Step, Uses
from engine.redaction import Redactor
from engine.results import Results
from engine.stamp import Stamp, actor, version
from engine.state import State
from engine.stop import Stop

LOG, RESULTS, EMULATOR, OUTPUT = history.LOG, "results.jsonl", "emulator.jsonl", "output"
RESUMABLE = ("interrupted", "waiting", "in_doubt")
"""Statuses of runs that may be gone on with."""
CALLS = ("step.intent", "step.result", "step.doubt")
"""Events of one call."""


@dataclass(slots=True)
class RunResult:
    """A run that has ended, or was parked.

    Attributes:
        document: what `run --json` prints.
        error: what ended it, or None.
    """

    document: dict[str, Any]
    error: OpsbookError | None = None

    @property
    def exit_status(self) -> int:
        """The documented exit code."""
        if self.document["status"] == "succeeded":
            return 0
        return self.error.exit_status if self.error is not None else 1


@dataclass(frozen=True, slots=True)
class Past:
    """What earlier processes of a run left.

    Attributes:
        kept: the runbook's text and file, the inputs, what templates see as `run`, and the options it began with.
        last: the moment of the last event.
    """

    place: Path
    status: str
    kept: Mapping[str, Any]
    last: datetime


def past(place: Path) -> Past:
    """What a run goes on from.

    Raises:
        UsageError: it is over.
        ChainBroken: its log or what it kept was changed: nothing that stands there can be relied on.
    """
    status, run = history.left(place), place.name
    if status not in RESUMABLE:
        raise UsageError(f"the run {run} is over ({status}): there is nothing to go on with", hint="start it anew: opsbook run RUNBOOK")
    broken = f"opsbook audit verify --run {run}; then start the runbook anew"
    if journal.verify(place / LOG).flaws:
        raise ChainBroken(f"the audit log of the run {run} was changed: it cannot be gone on with", hint=broken)
    started = next(journal.events(place / LOG))
    results = Results(place / RESULTS)
    results.close()
    last = journal.last_event(place / LOG)
    if started["kept"] not in results or last is None:
        raise ChainBroken(f"what the run {run} kept was changed: it cannot be gone on with", hint=broken)
    return Past(place, status, results.get(started["kept"]), datetime.fromisoformat(last["time"]))


@dataclass(frozen=True, slots=True)
class _Open:
    """A run whose files are open."""

    place: Path
    runbook: Runbook
    inputs: Mapping[str, Any]
    facts: Mapping[str, Any]
    log: journal.Journal
    results: Results

    def close(self) -> None:
        self.log.close()
        self.results.close()


@dataclass(frozen=True, slots=True)
class Live:
    """What carries runs out in this process.

    Attributes:
        trigger: who began the run, or goes on with it.
        emulate: whether its clock and its service are embedded.
        connect: opens the connections of a run, given where an emulator's journal lies.
    """

    trigger: str
    emulate: bool
    settings: Mapping[str, Any]
    clock: RealClock | VirtualClock
    catalog: Catalog
    state: State
    redactor: Redactor
    stop: Stop
    connect: Callable[[Path], Connections]
    listener: Callable[[str, dict[str, Any]], None] | None
    say: Callable[[str, str], None]

    def begin(self, place: Path, runbook: Runbook, inputs: Mapping[str, Any], options: Mapping[str, Any]) -> RunResult:
        """Carries out a new run. Raises Invalid, KeyProblem, AuditUnwritable: nothing was sent that is not written down."""
        connections = self._connections(place, runbook)
        self._refuse_secrets(runbook, inputs)
        facts = {"id": place.name, "started_at": spell(self.clock.now()), "trigger": self.trigger}
        run = self._open(place, runbook, inputs, facts)
        kept = run.results.put(
            {"runbook": runbook.text, "file": runbook.file, "inputs": dict(inputs), "run": facts, "options": dict(options)}
        )
        run.results.sync()
        ledger.write(self.state.ledger, "run.opened", run=place.name, runbook=runbook.name)
        run.log.append(
            "run.started",
            sync=True,
            runbook_sha256=runbook.sha256,
            actor=actor(self.trigger),
            started_at=facts["started_at"],
            kept=kept,
            emulator=self.emulate,
            engine=version(),
        )
        return self._carry_out(run, connections, Memory())

    def go_on(self, earlier: Past, runbook: Runbook, on_doubt: str | None) -> RunResult:
        """Carries out what is left of a run. Raises as `begin` does."""
        place, kept, who = earlier.place, earlier.kept, actor(self.trigger)
        connections = self._connections(place, runbook)
        run = self._open(place, runbook, kept["inputs"], kept["run"])
        ledger.write(self.state.ledger, "run.resumed", run=place.name)
        run.log.append("run.resumed", sync=True, actor=who, engine=version())
        memory = Memory.of(journal.events(place / LOG))
        for step, call in memory.in_doubt().items() if on_doubt else ():
            memory.learn(run.log.append("doubt.decided", sync=True, key=step, call=call, decision=on_doubt, actor=who))
        if memory.cancelled:
            self.stop.cancel()
        return self._carry_out(run, connections, memory)

    def _connections(self, place: Path, runbook: Runbook) -> Connections:
        connections = self.connect(place / EMULATOR)
        connections.ready(runbook)
        return connections

    def _refuse_secrets(self, runbook: Runbook, inputs: Mapping[str, Any]) -> None:
        """Both are kept with the run as they are, so no key may stand in them. Raises Invalid."""
        given = {"the runbook": runbook.text, **{f"inputs.{name}": value for name, value in inputs.items()}}
        found = [name for name, value in given.items() if self.redactor.value(value) != value]
        hint = "take it out and change it; keys belong to the configuration, by reference"
        if found:
            raise Invalid([Finding("RB209", "error", f"{name} holds a key of the configuration", hint=hint) for name in found])

    def _open(self, place: Path, runbook: Runbook, inputs: Mapping[str, Any], facts: Mapping[str, Any]) -> _Open:
        filters = (Stamp(self.clock), self.redactor.value, self._overheard)
        log = journal.Journal(place / LOG, filters=filters, fields={"run": place.name, "runbook": runbook.name})
        return _Open(place, runbook, inputs, facts, log, Results(place / RESULTS))

    def _overheard(self, event: dict[str, Any]) -> dict[str, Any]:
        """Says what becomes of calls to the listener, as the log has it; all else the backend tells."""
        if self.listener is not None and event["event"] in CALLS:
            self.listener(event["event"], event)
        return event

    def _carry_out(self, run: _Open, connections: Connections, memory: Memory) -> RunResult:
        shared = Run(
            id=run.place.name,
            runbook=run.runbook.name,
            clock=self.clock,
            journal=run.log,
            results=run.results,
            memory=memory,
            folder=_output(run.place),
            settings=self.settings,
            fingerprint_key=self.state.fingerprint_key(),
            open=connections.open,
            say=self.say,
            mask=self.redactor.value,
        )
        backend = LocalBackend(shared, self.catalog.get, self.stop, listener=self.listener)
        executor = Executor(run.runbook, backend, self.catalog.get, run.inputs, run.facts)
        try:
            ending: Ending = backend.carry_out(executor.run())
            return self._close(run, ending)
        finally:
            run.close()
            connections.close()

    def _close(self, run: _Open, ending: Ending) -> RunResult:
        """The last event, the ledger, and the document."""
        _advise(run.place.name, ending)
        run.results.sync()
        over = "run.parked" if ending.status in RESUMABLE else "run.ended"
        error = error_value(ending.error)
        run.log.append(over, sync=True, status=ending.status, error=error)
        head, count = run.log.head, run.log.events
        ledger.write(self.state.ledger, "run.closed", run=run.place.name, status=ending.status, head=head, events=count)
        document = {
            "run_id": run.place.name,
            "runbook": run.runbook.name,
            "description": run.runbook.description,
            "status": ending.status,
            "started_at": run.facts["started_at"],
            "ended_at": spell(self.clock.now()),
            "trigger": run.facts["trigger"],
            "outputs": ending.outputs,
            "steps": [step_value(step, ending.steps[step.id]) for step in run.runbook.every_step()],
            "audit": {"path": str(run.log.path), "events": count, "head": head},
            "error": error,
        }
        return RunResult(self.redactor.value(document), ending.error)


def _output(place: Path) -> Path:
    """The run's own folder for what its steps write. Raises AuditUnwritable."""
    try:
        disk.make_folder(place / OUTPUT)
    except OSError as error:
        raise AuditUnwritable(f"the folder {place / OUTPUT} cannot be made: {error.strerror}", hint="check the state folder") from error
    return place / OUTPUT


def _advise(run: str, ending: Ending) -> None:
    """How a parked run is gone on with."""
    if ending.error is None:
        return
    if ending.status == "in_doubt":
        look = (ending.error.hint or "Look whether it was done").rstrip(".")
        ending.error.hint = (
            f"{look[:1].upper()}{look[1:]}. Then: opsbook resume {run} --on-doubt skip when it was done, "
            "--on-doubt resend when it was not, or --on-doubt fail to give up."
        )
    elif ending.status in RESUMABLE:
        ending.error.hint = f"opsbook resume {run}"


def error_value(error: OpsbookError | None) -> dict[str, Any] | None:
    """An error as documents show it."""
    if error is None:
        return None
    return {"message": error.message, "code": error.code, "status": getattr(error, "status", None), "hint": error.hint}


def step_value(step: Step, state: Mapping[str, Any]) -> dict[str, Any]:
    """A step as documents show it."""
    uses = step.body.name if isinstance(step.body, Uses) else step.kind
    shown = {key: value for key, value in state.items() if key in ("status", "outputs", "error", "items", "continued")}
    return {"id": step.id, "name": step.name, "uses": uses, **shown}
