"""`core.command`: runs a program."""

from __future__ import annotations

import os
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from engine.contracts import Call, Effect, Reply, Schema, StepContext
from engine.errors import AnswerLost, InDoubt, StepError
from engine.secret import Secret, SecretName
from steps.fields import integer, list_of, map_of, one_of, record, text
from steps.parsing import check_schema, data_schema, parse, printable
from steps.step import BaseStep

_INHERITED = ("PATH", "HOME", "LANG", "LC_ALL", "TZ")
_STDERR_LINES = 5


class Command(BaseStep):
    """Runs a program, given as a list of arguments; no shell ever reads them.

    The program sees PATH, HOME, LANG, LC_ALL and TZ of the caller and what `env` gives, nothing else; a value of `env` may be a secret of
    the configuration (`{{ secrets.NAME }}`, whole). It starts in `cwd`, else in the run's own folder, with nothing on stdin unless `stdin`
    is given. It has the step's `timeout`; it is then ended, with everything it left in its process group. Each of its outputs may have
    1 MiB.

    Outputs: `exit_code` (minus the number of the signal that ended it), `stdout` and `stderr` whole, and `data`: stdout as `parse` says
    (`text` unless given), checked against `outputs`. An exit code outside `expect_exit` ([0] unless given) fails the step. A program
    whose end is unknown after a crash is in doubt: only a person can say whether it may run again.
    """

    name = "core.command"
    summary = "Runs a program with a list of arguments, without a shell."
    effect: Effect = "write"
    idempotency = "once"
    inputs = record(
        required=("argv",),
        argv=list_of(text(), min_items=1),
        env=map_of(text() | {"x-secret": True}),
        stdin=text(),
        cwd=text(min_length=1),
        parse=one_of("json", "lines", "text"),
        outputs={"type": "object", "x-literal": True},
        expect_exit=list_of(integer(-64, 255), min_items=1),
    )

    def outputs(self, written: Mapping[str, Any]) -> Schema:
        """Exit code, both outputs, and the data in stdout."""
        fields = {"exit_code": integer(), "stdout": text(), "stderr": text(), "data": dict(data_schema(written, "text"))}
        return record(required=tuple(fields), **fields)

    def perform(self, given: Mapping[str, Any], context: StepContext) -> Mapping[str, Any]:
        """Runs it. Raises StepError."""
        check_schema(given.get("outputs"))
        environment = given.get("env", {})
        names = sorted(environment) if isinstance(environment, Mapping) else environment
        detail = (
            {"argv": given["argv"], "env": names} | {key: given[key] for key in ("cwd",) if key in given} | _secrets(environment, context)
        )
        try:
            reply = context.call(Call(self.name, "write", detail=detail), lambda: _run(given, context))
        except AnswerLost as exc:
            raise InDoubt(
                f"whether {given['argv'][0]!r} ran to its end is not known", hint="look at what it does before running it again"
            ) from exc
        if reply is None:
            return self.unknown_outputs(given, context)
        return _outputs(given, reply.value)


def _secrets(environment: Any, context: StepContext) -> dict[str, Any]:
    """Which variables are secrets, by reference; nothing when none is."""
    values = environment if isinstance(environment, Mapping) else {}
    found = {name: context.credential(value).reference for name, value in values.items() if isinstance(value, SecretName)}
    return {"secrets": found} if found else {}


def _run(given: Mapping[str, Any], context: StepContext) -> Reply:
    from engine.system.process import run

    context.folder.mkdir(mode=0o700, parents=True, exist_ok=True)
    environment: dict[str, str | Secret] = {name: os.environ[name] for name in _INHERITED if name in os.environ}
    for name, value in given.get("env", {}).items():
        environment[name] = context.credential(value).secret() if isinstance(value, SecretName) else value
    stdin = given["stdin"].encode(errors="surrogatepass") if "stdin" in given else None
    finished = run(given["argv"], env=environment, stdin=stdin, cwd=Path(given.get("cwd", context.folder)), timeout=context.timeout)
    streams = {"stdout": finished.stdout.decode(errors="replace"), "stderr": finished.stderr.decode(errors="replace")}
    return Reply({"exit_code": finished.exit_code, **streams})


def _outputs(given: Mapping[str, Any], ended: Mapping[str, Any]) -> Mapping[str, Any]:
    if ended["exit_code"] not in given.get("expect_exit", [0]):
        last = printable("\n".join(ended["stderr"].splitlines()[-_STDERR_LINES:]))
        said = f": {last}" if last else ""
        raise StepError(f"{given['argv'][0]!r} ended with exit code {ended['exit_code']}{said}", code="command_failed")
    return {**ended, "data": parse(ended["stdout"], given.get("parse", "text"), given.get("outputs"))}
