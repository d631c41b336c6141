"""The library's public face: validate, plan, run; the only place where parts are put together.

    app = App(options)
    app.validate(["runbooks/"])
    app.plan("runbooks/incident-response.yaml", ["summary=db down", ...])
    app.run("runbooks/incident-response.yaml", ["summary=db down", ...])
"""

from __future__ import annotations

import os
from collections.abc import Callable, Mapping, Sequence
from contextlib import nullcontext
from dataclasses import dataclass, field
from functools import cached_property
from pathlib import Path
from typing import Any

from engine import config, inputs, ledger, loader, source, template
from engine.backends import DryBackend, LocalBackend
from engine.backends.dry import Plan
from engine.catalog import Catalog
from engine.clock import RealClock, VirtualClock
from engine.connections import Connections
from engine.context import Run
from engine.contracts import Clock, Need
from engine.errors import Finding, Invalid, KeyProblem, OpsbookError
from engine.executor import Ending, Executor, spell
from engine.journal import Journal
from engine.memory import Memory
from engine.model import Runbook, Step, Uses
from engine.redaction import Redactor
from engine.results import Results
from engine.state import State, folder
from engine.stop import Stop
from engine.subject import Subject

PROVIDERS = {"core": "steps.core:PROVIDER", "opsgenie": "steps.opsgenie:PROVIDER"}
"""Prefix → the provider of its steps; named as text, since the engine knows no vendor."""

Listener = Callable[[str, dict[str, Any]], None]


@dataclass(frozen=True, slots=True)
class Options:
    """What the command line may say about the surroundings.

    Attributes:
        config: the configuration file, or None to look for it.
        connection: what steps use instead of their provider's default connection.
        emulator: use the embedded emulator and a virtual clock.
        emulator_state: says who and what is there, and what people do meanwhile.
        emulator_faults: what goes wrong, in the emulator's words.
        offline: a dry run makes no reads either.
        trigger: who started the run (cli, cron, …).
        on_conflict: instead of the runbook's own.
    """

    config: str | None = None
    connection: str | None = None
    emulator: bool = False
    emulator_state: Mapping[str, Any] | None = None
    emulator_faults: str | None = None
    offline: bool = False
    trigger: str = "cli"
    on_conflict: str | None = None


@dataclass(frozen=True, slots=True)
class Checked:
    """A runbook that may be carried out, and its inputs."""

    runbook: Runbook
    inputs: Mapping[str, Any]


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


@dataclass(slots=True)
class PlanResult:
    """A dry run."""

    runbook: Runbook
    plan: Plan
    ending: Ending
    needs: list[dict[str, Any]] = field(default_factory=list)


class App:
    """One process's use of opsbook."""

    def __init__(self, options: Options | None = None, listener: Listener | None = None, say: Callable[[str, str], None] | None = None) -> None:
        self.options = options or Options()
        self.catalog = Catalog(PROVIDERS)
        self.redactor = Redactor()
        self.stop = Stop()
        self._listener = listener
        self._say = say or (lambda _message, _level: None)

    @cached_property
    def config(self) -> config.Config:
        """The configuration. Raises Invalid."""
        return config.load(self.options.config, connection_schema(self.catalog))

    @cached_property
    def state(self) -> State:
        """The state folder."""
        return State(folder())

    # -- validate ------------------------------------------------------------------------------------------------

    def validate(self, paths: Sequence[str]) -> tuple[list[Finding], list[str]]:
        """Reads and checks runbooks; sends nothing. Returns every finding and the files that were read."""
        files = runbook_files(paths)
        found = [finding for file in files for finding in self._findings(file)]
        return found, files

    def _findings(self, file: str) -> list[Finding]:
        try:
            document, runbook = self._load(file)
        except Invalid as invalid:
            return list(invalid.findings)
        return self._checked(document, runbook)

    def _load(self, path: str) -> tuple[source.Document, Runbook]:
        return loader.load(path, self.catalog.find, _Names(self.catalog))

    def _checked(self, document: source.Document, runbook: Runbook) -> list[Finding]:
        from engine import checks

        return checks.findings(Subject(document, runbook, self.catalog.find, self._why_not))

    def _why_not(self, step: Step, need: Need) -> str | None:
        """Why no key of the step's connection can meet a need; None when one can, or when there is no such connection yet."""
        assert isinstance(step.body, Uses)
        prefix = step.body.name.partition(".")[0]
        name = step.connection or self.options.connection or prefix
        settings = self.config.connections.get(name)
        provider = self.catalog.provider(prefix)
        if settings is None or provider is None:
            return None
        return provider.key_findings(settings, need)

    def check(self, path: str, given: Sequence[str], inputs_file: str | None) -> Checked:
        """A runbook with its inputs, ready to be planned or run.

        Raises:
            Invalid: the runbook or its inputs; every finding at once.
            KeyProblem: no key may make a call that the runbook needs.
        """
        document, runbook = self._load(path)
        errors = [finding for finding in self._checked(document, runbook) if finding.severity == "error"]
        wrong_keys = [finding for finding in errors if finding.id == "RB204"]
        if errors and len(wrong_keys) == len(errors):
            raise KeyFindings(wrong_keys)
        try:
            collected = inputs.collect(runbook, given, inputs_file)
        except Invalid as invalid:
            errors += invalid.findings
        if errors:
            raise Invalid(errors)
        return Checked(runbook, collected)

    # -- plan ----------------------------------------------------------------------------------------------------

    def plan(self, path: str, given: Sequence[str] = (), inputs_file: str | None = None) -> PlanResult:
        """The dry run: every request a run would send, with its key; sends no write. Raises as `check` does."""
        checked = self.check(path, given, inputs_file)
        clock = self._clock()
        connections = self._connections(clock, None)
        needs = connections.needs(checked.runbook)
        backend = DryBackend(
            runbook=checked.runbook.name,
            run="<run.id>",
            clock=clock,
            settings=self.config.settings,
            catalogue=self.catalog.get,
            open=connections.open,
            offline=self.options.offline,
        )
        facts = {"id": template.Unknown("run.id", {"type": "string"}), "started_at": spell(clock.now()), "trigger": self.options.trigger}
        executor = Executor(checked.runbook, backend, self.catalog.get, checked.inputs, facts)
        ending: Ending = backend.carry_out(executor.run())
        return PlanResult(checked.runbook, backend.plan, ending, needs)

    # -- run -----------------------------------------------------------------------------------------------------

    def run(self, path: str, given: Sequence[str] = (), inputs_file: str | None = None) -> RunResult:
        """Carries a runbook out.

        Raises:
            Invalid, KeyProblem: nothing was sent.
            Overlap: another run holds the concurrency group; nothing was sent.
            AuditUnwritable: what could not be written down was not sent.
        """
        checked = self.check(path, given, inputs_file)
        with self._group(checked):
            return self._run(checked)

    def _group(self, checked: Checked) -> Any:
        wanted = checked.runbook.concurrency
        if wanted is None:
            return nullcontext()
        group = str(template.text(wanted.group).render({"inputs": checked.inputs}))
        return self.state.lock(group, self.options.on_conflict or wanted.on_conflict, self.stop)

    def _run(self, checked: Checked) -> RunResult:
        runbook, clock = checked.runbook, self._clock()
        run_id, place = self.state.new_run(clock.now())
        connections = self._connections(clock, place / "emulator.jsonl")
        if not self.options.emulator:
            connections.ready(runbook)
        journal = self._journal(place, run_id, runbook.name)
        results = Results(place / "results.jsonl")
        facts = {"id": run_id, "started_at": spell(clock.now()), "trigger": self.options.trigger}
        kept = results.put({"runbook": runbook.text, "file": runbook.file, "inputs": dict(checked.inputs), "run": facts})
        results.sync()
        ledger.write(self.state.ledger, "run.opened", run=run_id, runbook=runbook.name)
        started = {"runbook_sha256": runbook.sha256, "actor": actor(self.options.trigger), "started_at": facts["started_at"], "kept": kept}
        journal.append("run.started", sync=True, emulator=self.options.emulator, engine=version(), **started)
        shared = Run(
            id=run_id,
            runbook=runbook.name,
            clock=clock,
            journal=journal,
            results=results,
            memory=Memory(),
            folder=place / "output",
            settings=self.config.settings,
            fingerprint_key=self.state.fingerprint_key(),
            open=connections.open,
            say=self._say,
        )
        backend = LocalBackend(shared, self.catalog.get, self.stop, listener=self._listener, seed=run_id if self.options.emulator else None)
        executor = Executor(runbook, backend, self.catalog.get, checked.inputs, facts)
        ending: Ending = backend.carry_out(executor.run())
        return self._close(shared, runbook, ending, facts)

    def _close(self, run: Run, runbook: Runbook, ending: Ending, facts: Mapping[str, Any]) -> RunResult:
        """The last event, the ledger, and the document."""
        run.results.sync()
        over = "run.parked" if ending.status in ("interrupted", "in_doubt") else "run.ended"
        error = error_value(ending.error)
        run.journal.append(over, sync=True, status=ending.status, error=error)
        head, count = run.journal.head, run.journal.events
        ledger.write(self.state.ledger, "run.closed", run=run.id, status=ending.status, head=head, events=count)
        run.journal.close()
        run.results.close()
        document = {
            "run_id": run.id,
            "runbook": runbook.name,
            "description": runbook.description,
            "status": ending.status,
            "started_at": facts["started_at"],
            "ended_at": spell(run.clock.now()),
            "trigger": self.options.trigger,
            "outputs": ending.outputs,
            "steps": [step_value(step, ending.steps[step.id]) for step in runbook.every_step()],
            "audit": {"path": str(run.journal.path), "events": count, "head": head},
            "error": error,
        }
        return RunResult(self.redactor.value(document), ending.error)

    def _journal(self, place: Path, run_id: str, runbook: str) -> Journal:
        stamp = Stamp(self._clock())
        return Journal(place / "audit.jsonl", filters=(stamp, self.redactor.value), fields={"run": run_id, "runbook": runbook})

    @cached_property
    def _one_clock(self) -> RealClock | VirtualClock:
        from datetime import UTC, datetime

        return VirtualClock(datetime.now(UTC), self.stop) if self.options.emulator else RealClock(self.stop)

    def _clock(self) -> RealClock | VirtualClock:
        return self._one_clock

    def _connections(self, clock: Clock, emulator_journal: Path | None) -> Connections:
        return Connections(
            catalog=self.catalog,
            config=self.config,
            clock=clock,
            learn=self.redactor.learn,
            default=self.options.connection,
            emulate=self.options.emulator,
            emulator_state=self.options.emulator_state,
            emulator_journal=emulator_journal,
            emulator_faults=self.options.emulator_faults,
        )


class KeyFindings(KeyProblem):
    """Steps of a runbook that no key may carry out; nothing was sent."""

    def __init__(self, findings: Sequence[Finding]) -> None:
        super().__init__(findings[0].message, hint=findings[0].hint)
        self.findings = tuple(findings)


class Stamp:
    """Puts time, this machine's own running time and boot into every event."""

    def __init__(self, clock: Clock) -> None:
        self._clock = clock
        self._boot = _boot_id()

    def __call__(self, event: dict[str, Any]) -> dict[str, Any]:
        """The event with its time."""
        return {**event, "time": spell(self._clock.now()), "monotonic": round(self._clock.monotonic(), 6), "boot": self._boot}


class _Names(Sequence[str]):
    """Every step's name, listed only when advice on an unknown one is wanted: listing imports every provider."""

    def __init__(self, catalog: Catalog) -> None:
        self._catalog = catalog

    def __len__(self) -> int:
        return len(self._catalog.steps())

    def __getitem__(self, index: Any) -> Any:
        return list(self._catalog.steps())[index]


def connection_schema(catalog: Catalog) -> Mapping[str, Any]:
    """Schema of one connection: what the vendor's provider asks for."""
    provider = catalog.provider("opsgenie")
    assert provider is not None
    return provider.settings_schema


def runbook_files(paths: Sequence[str]) -> list[str]:
    """The runbooks at the paths: files as they are, folders searched for `*.yaml` and `*.yml`; tests and configuration are no runbooks."""
    files: list[str] = []
    for path in paths:
        if os.path.isdir(path):
            found = sorted(str(file) for pattern in ("*.yaml", "*.yml") for file in Path(path).rglob(pattern))
            files += [file for file in found if not file.endswith((".test.yaml", ".test.yml")) and Path(file).name != config.NAME]
        else:
            files.append(path)
    return files


def actor(trigger: str) -> dict[str, Any]:
    """Who carries the run out."""
    import getpass
    import socket
    import sys

    try:
        user = getpass.getuser()
    except (KeyError, OSError):  # a user id without a name, as in containers
        user = str(os.getuid())
    return {"user": user, "host": socket.gethostname(), "terminal": sys.stdin is not None and sys.stdin.isatty(), "trigger": trigger}


def version() -> str:
    """The version of this installation."""
    from engine.version import VERSION

    return VERSION


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


def _boot_id() -> str:
    try:
        return Path("/proc/sys/kernel/random/boot_id").read_text().strip()
    except OSError:
        return "unknown"
