"""A project: its configuration and its runbooks, read and checked, and what they need of connections."""

from __future__ import annotations

import os
from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass, field, replace
from datetime import UTC, datetime
from functools import cached_property
from pathlib import Path
from typing import Any, cast

from engine import config, reading, telling
from engine.catalog import Catalog
from engine.connections import Connections, survey
from engine.connections.credentials import Credentials
from engine.contracts import Audience, Clock, ConnectionStanding, Listener, Surroundings, Vendor, Voice
from engine.errors import Finding, Invalid, KeyProblem, UsageError
from engine.language import inputs, notices
from engine.model import Runbook, Step, Trigger
from engine.redaction import Redactor
from engine.schedule.entry import Entry, located
from engine.state import State, folder
from engine.state.plan_cache import PlanCache
from engine.system.clock import RealClock, VirtualClock
from engine.system.stop import Stop

PROVIDERS = {"core": "steps.core:PROVIDER", "opsgenie": "steps.opsgenie:PROVIDER"}
"""Prefix → the provider of its steps; named as text, since the engine knows no vendor."""

CODE = tuple(Path(__file__).parent.with_name(package) for package in ("engine", "steps"))
"""What reads and checks runbooks; a verdict holds as long as it stays the same."""


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
        scheduled: name of the runbook's trigger that the run is for: its inputs, and its moment in the audit log.
        if_due: only when a moment of that trigger is due.
        folder: where the search for the configuration begins; None for the current one.
        log: how the log is wanted: `level`, `format`, `file`.
    """

    config: str | None = None
    connection: str | None = None
    emulator: bool = False
    emulator_state: Mapping[str, Any] | None = None
    emulator_faults: str | None = None
    offline: bool = False
    trigger: str = "cli"
    on_conflict: str | None = None
    scheduled: str | None = None
    if_due: bool = False
    folder: str | None = None
    log: Mapping[str, str] = field(default_factory=dict)

    def kept(self) -> dict[str, Any]:
        """The options that `resume` needs, wherever it is called from."""
        given = os.environ.get("OPSBOOK_CONFIG") if self.config is None else self.config
        chosen = str(Path(given).expanduser().absolute()) if given else given
        return asdict(replace(self, config=chosen, folder=str(Path(self.folder or ".").absolute()), log={}))


@dataclass(frozen=True, slots=True)
class Checked:
    """A runbook that may be carried out, and its inputs."""

    runbook: Runbook
    inputs: Mapping[str, Any]
    trigger: Trigger | None = None


class Project:
    """What one process reads: the configuration, the runbooks, and the connections as they stand. Changes nothing anywhere.

    Args:
        listener: hears what runs do, beside the log and the traces that the configuration asks for.
        voice: how the log and warnings are said; standard error by default.

    Attributes:
        starts: where the virtual clock begins; None for the present.
    """

    def __init__(self, options: Options | None = None, listener: Listener | None = None, voice: Voice | None = None) -> None:
        self.options = options or Options()
        self.catalog = Catalog(PROVIDERS)
        self.redactor = Redactor()
        self.stop = Stop()
        self._listener = listener
        self._voice = voice or telling.StandardError()
        self.starts: datetime | None = None

    @cached_property
    def config(self) -> config.Config:
        """The configuration. Raises Invalid."""
        return config.load(self.options.config, connection_schema(self.catalog), self.options.folder, self._cache)

    @cached_property
    def listener(self) -> Listener:
        """Everybody who hears what runs do. Raises UsageError when the log is asked for in words that mean nothing."""
        try:
            settings = self.config.settings
        except Invalid:  # said by whoever needs the configuration
            settings = {}
        audience = Audience(self.options.log, settings, self.redactor.value, self._voice)
        return telling.gathered(audience, self._listener)

    @cached_property
    def state(self) -> State:
        """The state folder."""
        return State(folder())

    @cached_property
    def _cache(self) -> PlanCache:
        """What was found clean before, by this code."""
        return PlanCache(self.state.root / "cache", CODE)

    @cached_property
    def _reader(self) -> reading.Reader:
        return reading.Reader(
            catalog=self.catalog,
            configuration=lambda: self.config,
            cache=lambda: self._cache,
            connection=self.options.connection,
            emulator=self.options.emulator,
            own=lambda name: PROVIDERS.get(name.partition(".")[0], "").startswith("steps."),
        )

    # -- validate ------------------------------------------------------------------------------------------------

    def validate(self, paths: Sequence[str]) -> tuple[list[Finding], list[str]]:
        """Reads and checks runbooks; sends nothing. Returns every finding and the files that were read.

        Raises UsageError when the folders hold no runbook: that must not look like one that is sound.
        """
        files = self._files(paths)
        found = [finding for file in files for finding in self._reader.findings(file)]
        return [*self._reader.configured(), *found], files

    def _files(self, paths: Sequence[str]) -> list[str]:
        files = reading.files(paths)
        if not files:
            raise UsageError(f"there is no runbook in {', '.join(paths)}", hint="runbooks are files whose names end in .yaml or .yml")
        return files

    def check(self, path: str, given: Sequence[str], inputs_file: str | None, earlier: Mapping[str, Any] | None = None) -> Checked:
        """A runbook with its inputs, ready to be planned or run; `earlier` inputs hold where none are given.

        Raises:
            Invalid: the runbook or its inputs; every finding at once.
            KeyProblem: no key may make a call that the runbook needs.
        """
        try:
            runbook, findings = self._reader.read(path)
        except Invalid as invalid:
            raise Invalid(reading.without_secrets(invalid.findings)) from None
        errors = [finding for finding in [*self._reader.configured(), *findings] if finding.severity == "error"]
        wrong_keys = [finding for finding in errors if finding.id == "RB204"]
        if errors and len(wrong_keys) == len(errors):
            raise KeyFindings(wrong_keys)
        if any(finding.id == "RB216" for finding in errors):
            raise Invalid(errors)  # no value can be held against a schema that is none
        try:
            trigger = None if earlier else self._trigger(runbook)
            collected = inputs.collect(runbook, given, inputs_file, trigger.inputs if trigger else earlier)
        except Invalid as invalid:
            errors = reading.without_secrets([*errors, *invalid.findings])
        if errors:
            raise Invalid(errors)
        return Checked(runbook, collected, trigger)

    def _trigger(self, runbook: Runbook) -> Trigger | None:
        """The trigger that the options name. Raises Invalid: the runbook has no such trigger any more."""
        name = self.options.scheduled
        found = next((trigger for trigger in runbook.triggers if trigger.name == name), None)
        if name is not None and found is None:
            has = ", ".join(repr(trigger.name) for trigger in runbook.triggers) or "none"
            message = f"the runbook {runbook.file} has no trigger {name!r}; it has: {has}"
            raise Invalid([Finding("RB220", "error", message, hint=f"opsbook schedule install {runbook.file}")])
        return found

    # -- triggers ------------------------------------------------------------------------------------------------

    def entries(self, paths: Sequence[str], *, ready: bool = False) -> list[Entry]:
        """Every trigger of the runbooks at the paths.

        Args:
            paths: files, and folders to be searched.
            ready: whether the runbooks must be free of errors; else only their triggers.

        Raises:
            Invalid: every finding of every runbook.
        """
        found: dict[tuple[Path, str], Entry] = {}
        wrong: list[Finding] = []
        for file in reading.files(paths):
            try:
                runbook, findings = self._reader.read(file)
            except Invalid as invalid:
                wrong += reading.without_secrets(invalid.findings)
                continue
            wrong += [one for one in findings if one.severity == "error" and (ready or one.id in ("RB220", "RB221"))]
            place = located(file)
            found |= {(place, trigger.name): Entry(place, runbook.name, trigger) for trigger in runbook.triggers}
        if wrong:
            raise Invalid(wrong)
        return list(found.values())

    def references(self, file: Path) -> set[str]:
        """Where the keys and secrets live that a runbook asks for, as far as the configuration says. Raises Invalid."""
        runbook, _ = self._reader.read(str(file))
        named = {self.config.secrets[name] for name in runbook.secrets if name in self.config.secrets}
        try:
            rows = self._needs(runbook, self._connections(self._clock(), None))
        except KeyProblem:  # there is no such connection yet
            return named
        return named | {row["key"] for row in rows if row["key"]}

    def _needs(self, runbook: Runbook, connections: Connections) -> list[dict[str, Any]]:
        """What each step of a runbook, and each notice of its end, asks of which key. Raises KeyProblem."""
        return connections.needs(self._steps(runbook))

    def _steps(self, runbook: Runbook) -> list[Step]:
        """The steps of a runbook, with those that tell of its end."""
        wanted = notices.wanted(runbook, self.config.settings, self.catalog.find)
        return [*runbook.every_step(), *(one.step for one in wanted.values())]

    # -- connections ---------------------------------------------------------------------------------------------

    def standings(self, names: Sequence[str] = ()) -> list[ConnectionStanding]:
        """How the connections stand, or those named, by reads alone. Raises KeyProblem when there is none, and UsageError."""
        credentials = Credentials(self.config, self.redactor.learn)
        surroundings = Surroundings(self._clock(), credentials.of)
        return survey.standings(self.config.connections, names, vendor(self.catalog), surroundings)

    def needs(self, paths: Sequence[str]) -> survey.Needs:
        """What the runbooks at the paths need together of the connections' keys; sends nothing.

        Raises:
            UsageError: there is no runbook.
            Invalid: a runbook is wrong in more than its keys: what it would need is not known.
        """
        steps: dict[str, list[Step]] = {}
        for file in self._files(paths):
            runbook, findings = self._reader.read(file)
            if errors := [finding for finding in findings if finding.severity == "error" and finding.id != "RB204"]:
                raise Invalid(errors)
            steps[file] = self._steps(runbook)
        return survey.needs(steps, self.config.connections, vendor(self.catalog), self.catalog.find, self.options.connection)

    # -- surroundings ---------------------------------------------------------------------------------------------

    @cached_property
    def _one_clock(self) -> RealClock | VirtualClock:
        return VirtualClock(self.starts or datetime.now(UTC), self.stop) if self.options.emulator else RealClock(self.stop)

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


def vendor(catalog: Catalog) -> Vendor:
    """The provider whose steps go over connections."""
    return cast("Vendor", catalog.provider("opsgenie"))


def connection_schema(catalog: Catalog) -> Mapping[str, Any]:
    """Schema of one connection: what the vendor's provider asks for."""
    return vendor(catalog).settings_schema
