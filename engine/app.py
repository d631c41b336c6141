"""The library's public face: validate, plan, run, resume; the only place where parts are put together.

app = App(options)
app.validate(["runbooks/"])
app.plan("runbooks/incident-response.yaml", ["summary=db down", ...])
app.run("runbooks/incident-response.yaml", ["summary=db down", ...])
app.resume("20261123T064213-7801c016")
app.retry("20261123T064213-7801c016")
"""

from __future__ import annotations

import os
import signal
from collections.abc import Iterator, Mapping, Sequence
from contextlib import nullcontext
from dataclasses import asdict, dataclass, field, replace
from datetime import datetime
from functools import cached_property
from pathlib import Path
from typing import Any, cast

from engine import config, reading, source, telling, template
from engine.backends import DryBackend
from engine.backends.dry import Plan
from engine.catalog import Catalog
from engine.connections import Connections, survey
from engine.connections.credentials import Credentials
from engine.contracts import Audience, Clock, ConnectionStanding, Listener, Surroundings, Vendor, Voice
from engine.errors import Finding, Interrupted, Invalid, KeyProblem, OpsbookError, UsageError
from engine.execution.executor import Ending, Executor, spell
from engine.language import inputs, loader, notices
from engine.model import Runbook, Step, Trigger
from engine.redaction import Redactor
from engine.runs import aftermath, live, retrying
from engine.runs.live import RunResult
from engine.schedule.due import Occasion
from engine.schedule.entry import Entry
from engine.state import State, folder, history
from engine.state.plan_cache import PlanCache
from engine.state.values import Values
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


@dataclass(slots=True)
class PlanResult:
    """A dry run.

    Attributes:
        own: how many of the plan's calls the runbook makes; those behind them tell a service how it ended.
    """

    runbook: Runbook
    plan: Plan
    ending: Ending
    needs: list[dict[str, Any]]
    own: int


class App:
    """One process's use of opsbook.

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
        found: list[Entry] = []
        wrong: list[Finding] = []
        for file in reading.files(paths):
            try:
                runbook, findings = self._reader.read(file)
            except Invalid as invalid:
                wrong += reading.without_secrets(invalid.findings)
                continue
            wrong += [one for one in findings if one.severity == "error" and (ready or one.id in ("RB220", "RB221"))]
            found += [Entry(Path(file).absolute(), runbook.name, trigger) for trigger in runbook.triggers]
        if wrong:
            raise Invalid(wrong)
        return found

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

    # -- plan ----------------------------------------------------------------------------------------------------

    def plan(self, path: str, given: Sequence[str] = (), inputs_file: str | None = None) -> PlanResult:
        """The dry run: every request a run would send, with its key; sends no write. Raises as `check` does."""
        checked = self.check(path, given, inputs_file)
        clock = self._clock()
        connections = self._connections(clock, None)
        needs = self._needs(checked.runbook, connections)
        backend = DryBackend(
            runbook=checked.runbook.name,
            run="<run.id>",
            clock=clock,
            settings=self.config.settings,
            catalogue=self.catalog.get,
            credential=lambda named: connections.credentials.named(named, checked.runbook),
            open=connections.open,
            values=Values(None if self.options.emulator else self.state.values(checked.runbook.name), self.redactor.value),
            learn=self.redactor.learn_told,
            offline=self.options.offline,
        )
        facts = {"id": template.Unknown("run.id", {"type": "string"}), "started_at": spell(clock.now()), "trigger": self.options.trigger}
        executor = Executor(checked.runbook, backend, self.catalog.get, checked.inputs, facts)
        ending: Ending = backend.carry_out(executor.run())
        own = len(backend.plan.calls)
        for one in notices.wanted(checked.runbook, self.config.settings, self.catalog.find).values():
            aftermath.foresee(one, executor, backend.carry_out)
        return PlanResult(checked.runbook, backend.plan, ending, needs, own)

    # -- run -----------------------------------------------------------------------------------------------------

    def run(self, path: str, given: Sequence[str] = (), inputs_file: str | None = None) -> RunResult:
        """Carries a runbook out. One that cannot begin tells so as its `on_failure`, or the configuration's, says.

        Raises:
            Invalid, KeyProblem: nothing of the runbook was sent.
            Overlap: another run holds the concurrency group; nothing was sent.
            AuditUnwritable: what could not be written down was not sent.
        """
        try:
            return self.begin(self.check(path, given, inputs_file))
        except OpsbookError as error:
            if error.exit_status and not isinstance(error, Interrupted):
                self._tell_refusal(path, error)
            raise

    def _tell_refusal(self, path: str, error: OpsbookError) -> None:
        """Carries out the notice of a run that could not begin; whatever becomes of that, the error stays what it is."""
        runbook = self._reader.salvaged(path)
        try:
            settings = self.config.settings
        except Invalid:
            settings = {}
        if "on_failure" not in notices.wanted(runbook, settings, self.catalog.find):
            return
        try:
            place = self.state.new_run(self._clock().now())
            with history.hold(place):
                self._live().refuse(place, runbook, error, self.options.kept())
        except OpsbookError as failed:
            self.listener("warned", {"runbook": runbook.name, "message": f"on_failure: {failed.message}"})

    def run_scheduled(self, path: str, given: Sequence[str] = (), inputs_file: str | None = None) -> RunResult | None:
        """Carries a runbook out for the latest moment of the trigger that the options name; of several processes, one does.

        None, and nothing is done, when only a moment that is due is to be run and none is. Raises as `run` does; UsageError for a name
        that no trigger can have.
        """
        assert self.options.scheduled is not None
        file, clock = Path(path).absolute(), RealClock(self.stop)
        delayed = self.options.trigger != "systemd"  # whose timers have a delay of their own
        occasion = Occasion(self.state, file, self.options.scheduled, clock.now, clock.sleep, self.options.if_due, delayed)
        with occasion.taken() as moment:
            if moment is None:
                return None
            checked = self.check(path, given, inputs_file)
            assert checked.trigger is not None
            if not occasion.is_due(Entry(file, checked.runbook.name, checked.trigger), moment):
                return None
            scheduled = {"file": str(file), "trigger": checked.trigger.name, "moment": spell(moment)}
            return self.begin(checked, scheduled=scheduled, begun=occasion.begun)

    def begin(self, checked: Checked, again: live.Again | None = None, **told: Any) -> RunResult:
        """Carries out what was checked, as a new run; `told` is what engine.runs.live.Live is told besides. Raises as `run` does."""
        with self._group(checked):
            place = self.state.new_run(self._clock().now())
            with history.hold(place):
                run = replace(self._live(), **told)
                result = run.begin(place, checked.runbook, checked.inputs, self.options.kept(), again)
        self._cache.keep(self.redactor.value)
        return result

    def resume(self, run: str, on_doubt: str | None = None) -> RunResult:
        """Goes on with a run that was interrupted or is in doubt: with its own runbook, inputs and options, from where it stood.

        Args:
            run: its id, or the beginning of one.
            on_doubt: what to do about what is in doubt: `resend` it, `skip` it as done, or let it `fail`; None looks again.

        Raises:
            UsageError: there is no such run, it is over, or nothing of it is in doubt.
            Overlap: another process carries it on, or another run holds its concurrency group.
            ChainBroken: its log was changed.
            KeyProblem, AuditUnwritable: as `run`.
        """
        place = self.state.run(run)
        with history.hold(place):
            past = live.past(place)
            if on_doubt and past.status != "in_doubt":
                raise UsageError(f"nothing of the run {place.name} is in doubt", hint=f"opsbook resume {place.name}")
            return self._as_begun(past).go_on(past, on_doubt)

    def go_on(self, past: live.Past, on_doubt: str | None) -> RunResult:
        """Goes on with a run that this process holds, with this app's options. Raises as `resume` does."""
        runbook = self.kept_runbook(past)
        with self._group(Checked(runbook, past.kept["inputs"])):
            return self._live().go_on(past, runbook, on_doubt)

    def retry(
        self, run: str, start: str | None = None, *, use_new: bool = False, given: Sequence[str] = (), inputs_file: str | None = None
    ) -> RunResult:
        """Carries out a new run that starts where an ended one stopped: its done steps and loop items keep their outputs.

        Args:
            run: its id, or the beginning of one.
            start: id of the step from which everything is done again; None does again what was not done.
            use_new: read the runbook's file anew; what was done must stand there unchanged.
            given: inputs instead of the earlier ones, as `run` takes them.
            inputs_file: the same, as a file.

        Raises:
            UsageError: there is no such run or step, the run is not over, nothing is left to do, or it was retried before.
            Overlap, ChainBroken, KeyProblem, AuditUnwritable: as `resume`.
            Invalid: the new runbook or inputs; nothing was sent.
        """
        place = self.state.run(run)
        with history.hold(place):
            past = live.ended(place)
            if start is None:
                retrying.refuse_second(self.state, place.name)
            app = self._as_begun(past)
            checked = app.check_again(past, use_new=use_new, given=given, inputs_file=inputs_file)
            before = app.kept_runbook(past)
            retrying.refuse_unfit(past, before, checked.runbook, start)
            again = live.Again(past, start, changed=use_new or bool(given) or inputs_file is not None)
            return app.begin(checked, again)

    def check_again(self, past: live.Past, *, use_new: bool, given: Sequence[str], inputs_file: str | None) -> Checked:
        """The runbook of an ended run, or its file as it reads now, with the run's inputs where no others are given. Raises as `check`."""
        if use_new:
            file = Path(self.options.folder or ".") / past.kept["file"]
            return self.check(str(file), given, inputs_file, earlier=past.kept["inputs"])
        runbook = self.kept_runbook(past)
        return Checked(runbook, inputs.collect(runbook, given, inputs_file, earlier=past.kept["inputs"]))

    def kept_runbook(self, past: live.Past) -> Runbook:
        """The runbook an earlier process read."""
        return loader.read(source.read(past.kept["runbook"], past.kept["file"]), self.catalog.find)

    def cancel(self, run: str) -> RunResult | None:
        """Ends a run as cancelled, after its `finally`.

        None when another process carries it on, which was told to; else this process goes on with it as far as that.

        Raises:
            UsageError: there is no such run, it is over, or its process cannot be told.
            OpsbookError: as `resume`.
        """
        place = self.state.run(run)
        process = history.holder(place)
        if process is None:
            self.stop.cancel()
            return self.resume(run)
        try:
            os.kill(process, signal.SIGINT)
        except OSError as error:
            raise UsageError(
                f"the process {process} of the run {place.name} cannot be told: {error.strerror}", hint="ask as its user, on its machine"
            ) from error
        return None

    def resume_all(self, on_doubt: str | None = None) -> Iterator[tuple[str, RunResult | OpsbookError]]:
        """Goes on with every run that waits for it, the oldest first: each id with what it came to, or why it could not go on.

        Raises Interrupted when a signal says stop.
        """
        for place in self.state.every_run():
            status = history.summary(place)["status"]
            if status in live.RESUMABLE:
                self.stop.check()
                yield place.name, self._resumed(place.name, on_doubt if status == "in_doubt" else None)

    def _resumed(self, run: str, on_doubt: str | None) -> RunResult | OpsbookError:
        try:
            return self.resume(run, on_doubt)
        except Interrupted:
            raise
        except OpsbookError as error:
            return error

    def _as_begun(self, past: live.Past) -> App:
        """An app with the options a run began with; a configuration or a way out of conflicts that is given now is stronger."""
        begun = Options(**past.kept["options"])
        chosen = begun.config if self.options.config is None else self.options.config
        options = replace(begun, config=chosen, on_conflict=self.options.on_conflict, trigger=self.options.trigger, log=self.options.log)
        app = App(options, self._listener, self._voice)
        app.redactor, app.stop, app.starts = self.redactor, self.stop, past.last
        return app

    def _group(self, checked: Checked) -> Any:
        wanted = checked.runbook.concurrency
        if wanted is None:
            return nullcontext()
        group = str(template.text(wanted.group).render({"inputs": checked.inputs}))
        return self.state.lock(group, self.options.on_conflict or wanted.on_conflict, self.stop)

    def _live(self) -> live.Live:
        clock = self._clock()
        return live.Live(
            trigger=self.options.trigger,
            emulate=self.options.emulator,
            settings=self.config.settings,
            clock=clock,
            catalog=self.catalog,
            state=self.state,
            redactor=self.redactor,
            stop=self.stop,
            connect=lambda emulator_journal: self._connections(clock, emulator_journal),
            listener=self.listener,
        )

    @cached_property
    def _one_clock(self) -> RealClock | VirtualClock:
        from datetime import UTC, datetime

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
