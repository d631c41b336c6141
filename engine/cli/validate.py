"""`validate`: YAML, schema and static checks; sends nothing."""

from __future__ import annotations

from pathlib import Path

import click

from engine.cli.session import Session

DEFAULT = "runbooks"


@click.command()
@click.argument("paths", nargs=-1, type=click.Path())
@click.option(
    "--format", "form", type=click.Choice(["text", "json", "sarif", "github", "junit"]), help="How findings are printed; text by default."
)
@click.option("--strict", is_flag=True, help="Warnings count as errors.")
@click.option("--explain", metavar="ID", help="Explain a finding, such as RB201, and stop.")
@click.pass_obj
def validate(session: Session, paths: tuple[str, ...], form: str | None, strict: bool, explain: str | None) -> int:
    """Check runbooks: reading, schema, templates, types and keys. PATHS are files or folders; runbooks/ by default.

    Exit code 0 when clean, 1 when there are findings.
    """
    from engine import checks
    from engine.app import App, Options
    from engine.errors import UsageError
    from engine.report import FORMATS

    if explain:
        _explain(session, checks.explain(explain), explain)
        return 0
    app = App(Options(config=session.config))
    if not paths and not Path(DEFAULT).is_dir():
        raise UsageError(f"there is no folder {DEFAULT}/ here", hint="name the runbooks or folders to check")
    findings, files = app.validate(paths or [DEFAULT])
    chosen = form or ("json" if session.json else "text")
    bad = any(finding.severity == "error" or strict for finding in findings)
    if not session.quiet or bad:
        more = {"colour": session.colour} if chosen == "text" else {}
        print(FORMATS[chosen](findings, files, **more), end="")
    return 1 if bad else 0


def _explain(session: Session, page: str, finding: str) -> None:
    if session.json:
        session.print_json({"id": finding.upper(), "page": page})
    else:
        session.say(page)
