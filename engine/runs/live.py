"""A run in this process: begun or gone on with, carried out, and closed. Whoever calls holds the run's lock."""

from __future__ import annotations

import shutil
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from engine.audit import journal, ledger, segments, sinks
from engine.backends import LocalBackend
from engine.catalog import Catalog
from engine.connections import Connections
from engine.contracts import Listener
from engine.errors import AuditUnwritable, Finding, Invalid, OpsbookError
from engine.execution.context import Run
from engine.execution.executor import Ending, Executor, spell
from engine.language import notices
from engine.model import Runbook
from engine.redaction import Redactor
from engine.runs import aftermath
from engine.runs.carry import Kept
from engine.runs.past import RESULTS, RESUMABLE, Again, Past
from engine.runs.result import RunResult, advise, error_value, step_value
from engine.runs.stamp import Stamp, actor, version
from engine.secret import Secret
from engine.state import LOG, State
from engine.state.memory import Memory
from engine.state.results import Results
from engine.state.values import Values
from engine.system import disk
from engine.system.clock import RealClock, VirtualClock
from engine.system.stop import Stop

EMULATOR, VALUES, OUTPUT = "emulator.jsonl", "values.json", "output"


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
        scheduled: the trigger and the moment that a new run is for, or None.
        begun: told once a new run is on disk.
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
    listener: Listener
    scheduled: Mapping[str, str] | None = None
    begun: Callable[[], None] = lambda: None

    def begin(
        self, place: Path, runbook: Runbook, inputs: Mapping[str, Any], options: Mapping[str, Any], again: Again | None = None
    ) -> RunResult:
        """Carries out a new run, which keeps what the run it is a retry of had done.

        The templates, aliases and markers of a retry go on under the id and the start of the first run: what that one raised is found
        again and not raised twice. Raises Invalid, KeyProblem, AuditUnwritable: nothing was sent that is not written down.
        """
        if again is not None:
            _take_over(again.of.place, place)
        connections = self._connections(place, runbook)
        self._refuse_secrets(runbook, inputs)
        kept = {"runbook": runbook.text, "file": runbook.file, "inputs": dict(inputs), "options": dict(options)}
        if again is None:
            facts = {"id": place.name, "started_at": spell(self.clock.now()), "trigger": self.trigger}
            run, started = self._begun(place, runbook, {**kept, "run": facts})
            self._doubt_notices(run, connections)
            return self._carry_out(run, connections, Memory(), started)
        old = again.of.place.name
        kept |= {"run": again.of.kept["run"], "retry": {"of": old, "start": again.start}}
        run, started = self._begun(place, runbook, kept, retry_of=old, changed=again.changed)
        return self._carry_out(run, connections, self._carried(run, again.of.place, again.start), started)

    def refuse(self, place: Path, runbook: Runbook, error: OpsbookError, options: Mapping[str, Any]) -> None:
        """Writes down that a run could not begin, and tells who is to be told. Raises KeyProblem, AuditUnwritable."""
        connections = self.connect(place / EMULATOR)
        text = "" if self.redactor.text(runbook.text) != runbook.text else runbook.text
        facts = {"id": place.name, "started_at": spell(self.clock.now()), "trigger": self.trigger}
        kept = {"runbook": text, "file": runbook.file, "inputs": {}, "options": dict(options), "run": facts}
        run, started = self._begun(place, runbook, kept)
        self._carry_out(run, connections, Memory(), started, Ending("failed", error=error))

    def _begun(self, place: Path, runbook: Runbook, kept: Mapping[str, Any], **of: Any) -> tuple[_Open, Mapping[str, Any]]:
        """A new run whose first event is on disk, and that event."""
        run = self._open(place, runbook, kept["inputs"], kept["run"])
        hash_ = run.results.put(kept)
        run.results.sync()
        self._tell_ledger("run.opened", run=place.name, runbook=runbook.name, **of)
        started = run.log.append(
            "run.started",
            sync=True,
            runbook_sha256=runbook.sha256,
            actor=actor(self.trigger),
            started_at=spell(self.clock.now()),
            kept=hash_,
            emulator=self.emulate,
            engine=version(),
            **({"scheduled": self.scheduled} if self.scheduled else {}),
            **of,
        )
        self.begun()
        return run, started

    def go_on(self, earlier: Past, runbook: Runbook, on_doubt: str | None) -> RunResult:
        """Carries out what is left of a run. Raises as `begin` does."""
        place, kept, who = earlier.place, earlier.kept, actor(self.trigger)
        connections = self._connections(place, runbook)
        run = self._open(place, runbook, kept["inputs"], kept["run"])
        self._tell_ledger("run.resumed", run=place.name)
        run.log.append("run.resumed", sync=True, actor=who, engine=version())
        memory = Memory.of(journal.events(place / LOG))
        if "retry" in kept and not memory.carried:
            memory = self._carried(run, self.state.run(kept["retry"]["of"]), kept["retry"]["start"])
        for step, call in memory.in_doubt().items() if on_doubt else ():
            memory.learn(run.log.append("doubt.decided", sync=True, key=step, call=call, decision=on_doubt, actor=who))
        if memory.cancelled:
            self.stop.cancel()
        return self._carry_out(run, connections, memory, earlier.started)

    def _carried(self, run: _Open, old: Path, start: str | None) -> Memory:
        """Takes what an ended run had done into a new run's own log and results, so that it needs the old one no longer."""
        runbook, kept = run.runbook, Results(old / RESULTS)
        try:
            for event in Kept(runbook, journal.events(old / LOG), start).events(journal.events(old / LOG)):
                if event.get("result", "") in kept:
                    run.results.take_over(kept, event["result"])
                run.log.append("carried", was=event)
            run.results.sync()
            run.log.append("run.carried", sync=True, key="run")
        finally:
            kept.close()
        return Memory.of(journal.events(run.place / LOG))

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
        stamp, names = Stamp(self.clock), {"run": place.name, "runbook": runbook.name}

        def warn(message: str) -> None:
            self.listener("warned", stamp({"message": message, **names}))

        log = journal.Journal(
            place / LOG,
            filters=(stamp, self.redactor.value),
            fields=names,
            segment=segments.size(self.settings),
            sink=sinks.opened(self.settings.get("audit", {}).get("sinks", ()), warn),
            heard=self.listener,
        )
        return _Open(place, runbook, inputs, facts, log, Results(place / RESULTS))

    def _tell_ledger(self, event: str, **fields: object) -> None:
        ledger.write(self.state.ledger, event, segment=segments.size(self.settings), **fields)

    def _carry_out(
        self, run: _Open, connections: Connections, memory: Memory, started: Mapping[str, Any], ending: Ending | None = None
    ) -> RunResult:
        """The run, unless it has ended before it began, and what follows its end."""
        shared = Run(
            id=run.facts["id"],
            runbook=run.runbook.name,
            clock=self.clock,
            journal=run.log,
            results=run.results,
            memory=memory,
            folder=_output(run.place),
            settings=self.settings,
            fingerprint_key=self.state.fingerprint_key(),
            credential=lambda named: connections.credentials.named(named, run.runbook),
            open=connections.open,
            name=connections.name,
            say=lambda told: self._tell(run, "said", told),
            learn=self.redactor.learn_told,
            mask=self.redactor.value,
            values=self._values(run),
        )
        backend = LocalBackend(shared, self.catalog.get, self.stop, heard=lambda event, told: self._tell(run, event, told))
        executor = Executor(run.runbook, backend, self.catalog.get, run.inputs, run.facts)
        try:
            connections.credentials.tell(lambda secret: _resolved(shared, secret))
            ending = ending or backend.carry_out(executor.run())
            wanted = self._notices(run.runbook)
            ending, told = aftermath.follow(
                ending, wanted, executor, backend.carry_out, self.redactor.value, lambda message: self._warn(run, message)
            )
            return self._close(run, ending, started, told)
        finally:
            run.close()
            connections.close()
            self.listener.flush()

    def _notices(self, runbook: Runbook) -> dict[str, notices.Notice]:
        return notices.wanted(runbook, self.settings, self.catalog.find)

    def _doubt_notices(self, run: _Open, connections: Connections) -> None:
        """Says at the beginning which notice could not be carried out at the end."""
        for key, notice in self._notices(run.runbook).items():
            reason = connections.unready(notice.step)
            if reason is not None:
                self._warn(run, f"{key}: {reason}; the run goes on")

    def _warn(self, run: _Open, message: str) -> None:
        self._tell(run, "warned", {"message": message})

    def _tell(self, run: _Open, event: str, told: Mapping[str, Any]) -> None:
        """Says to the listener what does not stand in the log now."""
        self.listener(event, Stamp(self.clock)({**told, "run": run.place.name, "runbook": run.runbook.name}))

    def _values(self, run: _Open) -> Values:
        """What the runbook keeps; on the emulator that is the run's own and no other's."""
        return Values(run.place / VALUES if self.emulate else self.state.values(run.runbook.name), self.redactor.value)

    def _close(self, run: _Open, ending: Ending, started: Mapping[str, Any], told: Sequence[Mapping[str, Any]]) -> RunResult:
        """The last event, the ledger, and the document."""
        advise(run.place.name, ending)
        run.results.sync()
        over = "run.parked" if ending.status in RESUMABLE else "run.ended"
        error = error_value(ending.error)
        run.log.append(over, sync=True, status=ending.status, error=error)
        head, count = run.log.head, run.log.events
        self._tell_ledger("run.closed", run=run.place.name, status=ending.status, head=head, events=count)
        document = {
            "run_id": run.place.name,
            "runbook": run.runbook.name,
            "description": run.runbook.description,
            "status": ending.status,
            "started_at": started["started_at"],
            "ended_at": spell(self.clock.now()),
            "trigger": started["actor"]["trigger"],
            **({"retry_of": started["retry_of"]} if "retry_of" in started else {}),
            "outputs": ending.outputs,
            "steps": [step_value(step, ending.steps[step.id]) for step in run.runbook.every_step()],
            "notices": told,
            "audit": {"path": str(run.log.path), "events": count, "head": head},
            "error": error,
        }
        return RunResult(self.redactor.value(document), ending.error)


def _resolved(run: Run, secret: Secret) -> None:
    run.journal.append("secret.resolved", reference=secret.reference, fingerprint=secret.fingerprint(run.fingerprint_key))


def _take_over(old: Path, new: Path) -> None:
    """The files of an ended run that belong to what it had done: what it wrote, and what its emulator was told."""
    try:
        for name in (EMULATOR, VALUES):
            if (old / name).exists():
                shutil.copyfile(old / name, new / name)
        if (old / OUTPUT).is_dir():
            shutil.copytree(old / OUTPUT, new / OUTPUT, symlinks=True)
    except OSError as error:
        raise AuditUnwritable(f"the files of the run {old.name} cannot be copied: {error}", hint="check the state folder") from error


def _output(place: Path) -> Path:
    """The run's own folder for what its steps write. Raises AuditUnwritable."""
    try:
        disk.make_folder(place / OUTPUT)
    except OSError as error:
        raise AuditUnwritable(f"the folder {place / OUTPUT} cannot be made: {error.strerror}", hint="check the state folder") from error
    return place / OUTPUT
