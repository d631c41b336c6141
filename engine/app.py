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
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager, nullcontext
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

from engine import source, template
from engine.backends import DryBackend
from engine.backends.dry import Plan
from engine.errors import Interrupted, Invalid, OpsbookError, UsageError
from engine.execution.executor import Ending, Executor, spell
from engine.language import inputs, loader, notices
from engine.model import Runbook
from engine.project import Checked, Options, Project
from engine.runs import aftermath, live, retrying
from engine.runs.past import RESUMABLE, Again, Past, ended, unfinished
from engine.runs.result import RunResult
from engine.schedule.due import Occasion
from engine.schedule.entry import Entry, located
from engine.state import history
from engine.state.values import Values
from engine.system.clock import RealClock
from engine.system.stop import CANCEL

__all__ = ["App", "Options", "PlanResult"]


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


class App(Project):
    """One process's use of opsbook: a project whose runbooks are planned and carried out."""

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
        with self._telling(path):
            return self.begin(self.check(path, given, inputs_file))

    @contextmanager
    def _telling(self, path: str, scheduled: Mapping[str, str] | None = None) -> Iterator[None]:
        """Has a run that cannot begin tell so; one for a trigger only once its moment is known, which `scheduled` then holds."""
        try:
            yield
        except OpsbookError as error:
            if error.exit_status and not isinstance(error, Interrupted) and scheduled != {}:
                self._tell_refusal(path, error, scheduled)
            raise

    def _tell_refusal(self, path: str, error: OpsbookError, scheduled: Mapping[str, str] | None) -> None:
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
                replace(self._live(), scheduled=scheduled).refuse(place, runbook, error, self.options.kept())
        except OpsbookError as failed:
            self.listener("warned", {"runbook": runbook.name, "message": f"on_failure: {failed.message}"})

    def run_scheduled(self, path: str, given: Sequence[str] = (), inputs_file: str | None = None) -> RunResult | None:
        """Carries a runbook out for the latest moment of the trigger that the options name; of several processes, one does.

        None, and nothing is done, when only a moment that is due is to be run and none is. One that cannot begin tells so as with `run`,
        once for a moment. Raises as `run` does; UsageError for a name that no trigger can have.
        """
        assert self.options.scheduled is not None
        file, clock = located(path), RealClock(self.stop)
        delayed = self.options.trigger != "systemd"  # whose timers have a delay of their own
        occasion = Occasion(self.state, file, self.options.scheduled, clock.now, clock.sleep, self.options.if_due, delayed)
        scheduled: dict[str, str] = {}
        with self._telling(path, scheduled), occasion.taken() as moment:
            if moment is None:
                return None
            scheduled |= {"file": str(file), "trigger": self.options.scheduled, "moment": spell(moment)}
            checked = self.check(path, given, inputs_file)
            assert checked.trigger is not None
            if not occasion.is_due(Entry(file, checked.runbook.name, checked.trigger), moment):
                return None
            return self.begin(checked, scheduled=scheduled, begun=occasion.begun)

    def begin(self, checked: Checked, again: Again | None = None, **told: Any) -> RunResult:
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
            past = unfinished(place)
            if on_doubt and past.status != "in_doubt":
                raise UsageError(f"nothing of the run {place.name} is in doubt", hint=f"opsbook resume {place.name}")
            return self._as_begun(past).go_on(past, on_doubt)

    def go_on(self, past: Past, on_doubt: str | None) -> RunResult:
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
            past = ended(place)
            if start is None:
                retrying.refuse_second(self.state, place.name)
            app = self._as_begun(past)
            checked = app.check_again(past, use_new=use_new, given=given, inputs_file=inputs_file)
            before = app.kept_runbook(past)
            retrying.refuse_unfit(past, before, checked.runbook, start)
            again = Again(past, start, changed=use_new or bool(given) or inputs_file is not None)
            return app.begin(checked, again)

    def check_again(self, past: Past, *, use_new: bool, given: Sequence[str], inputs_file: str | None) -> Checked:
        """The runbook of an ended run, or its file as it reads now, with the run's inputs where no others are given. Raises as `check`."""
        if use_new:
            file = Path(self.options.folder or ".") / past.kept["file"]
            return self.check(str(file), given, inputs_file, earlier=past.kept["inputs"])
        runbook = self.kept_runbook(past)
        return Checked(runbook, inputs.collect(runbook, given, inputs_file, earlier=past.kept["inputs"]))

    def kept_runbook(self, past: Past) -> Runbook:
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
            os.kill(process, CANCEL)
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
            if status in RESUMABLE:
                self.stop.check()
                yield place.name, self._resumed(place.name, on_doubt if status == "in_doubt" else None)

    def _resumed(self, run: str, on_doubt: str | None) -> RunResult | OpsbookError:
        try:
            return self.resume(run, on_doubt)
        except Interrupted:
            raise
        except OpsbookError as error:
            return error

    def _as_begun(self, past: Past) -> App:
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
