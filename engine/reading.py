"""Reading and checking runbooks: every finding at once; what was found clean before, by this code, is not checked again."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Callable, Collection, Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

from engine import config, schema, source
from engine.catalog import Catalog
from engine.contracts import Need
from engine.errors import Finding, Invalid, Place
from engine.language import grammar, loader, notices
from engine.model import Runbook, Step, Uses
from engine.state.plan_cache import PlanCache


@dataclass(frozen=True, slots=True)
class Reader:
    """Reads runbooks for one application.

    Attributes:
        configuration: gives the configuration when it is first needed; raises Invalid.
        connection: what steps use instead of their provider's default connection.
        emulator: whether the embedded emulator stands in for every connection.
        own: whether a step of this name is of this code, rather than of a provider that may change on its own.
    """

    catalog: Catalog
    configuration: Callable[[], config.Config]
    cache: Callable[[], PlanCache]
    connection: str | None
    emulator: bool
    own: Callable[[str], bool]

    def findings(self, file: str) -> list[Finding]:
        """Everything wrong with one file; nothing is sent."""
        try:
            return self._examined(source.load(file))[1]
        except Invalid as invalid:
            return [replace(found, place=found.place or Place(file, 1, 1)) for found in without_secrets(invalid.findings)]

    def read(self, path: str) -> tuple[Runbook, list[Finding]]:
        """A runbook and its findings. Raises Invalid when it breaks the grammar."""
        content = source.content(path)
        key = self._key(b"runbook", content)
        known = self.cache().get(key) if key else None
        if known is not None:
            return loader.build(path, source.decoded(content, path), known), []
        document = source.read(content, path)
        runbook, findings = self._examined(document)
        if runbook is None:
            raise Invalid(findings)
        if key and not findings and self._own(runbook):
            self.cache().put(key, document.value)
        return runbook, findings

    def _examined(self, document: source.Document) -> tuple[Runbook | None, list[Finding]]:
        """The runbook of a document, None when it breaks the grammar, and everything found wrong with it."""
        from engine import checks
        from engine.analysis.subject import Subject

        runbook, found = loader.examine(document, self.catalog.find, _Names(self.catalog))
        if runbook is not None:
            found += checks.findings(Subject(document, runbook, self.catalog.find, self._why_not, self._known_connections))
        return runbook, sorted(without_secrets(found), key=_by_place)

    def salvaged(self, path: str) -> Runbook:
        """What a runbook that cannot be carried out still tells: its name, its text, and its `on_failure` when that is sound."""
        try:
            text = source.decoded(source.content(path), path)
            document = source.read(text, path)
        except Invalid:
            return Runbook(path, "", hashlib.sha256().hexdigest(), Path(path).stem)
        value = document.value if isinstance(document.value, Mapping) else {}
        broken = {str(problem.path[0]) for problem in schema.problems(value, grammar.runbook()) if problem.path}
        name = Path(path).stem if "name" in broken else value.get("name", Path(path).stem)
        sound = "on_failure" not in broken and not loader.notice_findings(document, value, self.catalog.find)
        digest = hashlib.sha256(text.encode()).hexdigest()
        runbook = Runbook(path, text, digest, name, on_failure=value.get("on_failure") if sound else None)
        return runbook if self._can_be_told(document, runbook) else replace(runbook, on_failure=None)

    def _can_be_told(self, document: source.Document, runbook: Runbook) -> bool:
        """Whether the templates of a runbook's notices are sound."""
        from engine import checks
        from engine.analysis.subject import Subject

        if runbook.on_failure is None:
            return True
        found = checks.findings(Subject(replace(document, value={"on_failure": runbook.on_failure}), runbook, self.catalog.find))
        return all(finding.severity != "error" for finding in found)

    def configured(self) -> list[Finding]:
        """Everything wrong with the notices of the configuration. Raises Invalid when that itself cannot be read."""
        if self.configuration().settings.keys().isdisjoint(notices.WORDS):
            return []
        return [finding for file in self.configuration().files for finding in self._configured(file)]

    def _configured(self, file: str) -> list[Finding]:
        from engine import checks
        from engine.analysis.subject import Subject

        content = source.content(file)
        key = self._key(b"notices", content)
        if key and self.cache().get(key) is not None:
            return []
        document = source.read(content, file)
        value = {name: part for name, part in (document.value or {}).items() if name in notices.WORDS}
        runbook = Runbook(file, "", "", "configuration", **value)
        subject = Subject(replace(document, value=value), runbook, self.catalog.find, self._why_not, self._known_connections)
        found = [*loader.notice_findings(document, value, self.catalog.find), *checks.findings(subject)]
        if key and not found:
            self.cache().put(key, True)
        return [replace(finding, source=None) for finding in sorted(found, key=_by_place)]

    def _known_connections(self) -> Collection[str]:
        """The connections a step may name; none with the emulator, which answers for any."""
        return () if self.emulator else self.configuration().connections.keys()

    def _why_not(self, step: Step, need: Need) -> str | None:
        """Why no key of the step's connection can meet a need; None when one can, or when there is no such connection yet."""
        assert isinstance(step.body, Uses)
        prefix = step.body.name.partition(".")[0]
        settings = self.configuration().connections.get(step.connection or self.connection or prefix)
        provider = self.catalog.provider(prefix)
        if settings is None or provider is None:
            return None
        return provider.key_findings(settings, need)

    def _key(self, what: bytes, content: bytes) -> str | None:
        """The name under which a verdict is cached: the keys there are decide some findings. None while they cannot be told."""
        try:
            keys = json.dumps([self.configuration().connections, self.connection, self.emulator], sort_keys=True)
        except Invalid:
            return None
        return self.cache().key(what, content, keys.encode())

    def _own(self, runbook: Runbook) -> bool:
        return all(self.own(step.body.name) for step in runbook.every_step() if isinstance(step.body, Uses))


class _Names(Sequence[str]):
    """Every step's name, listed only when advice on an unknown one is wanted: listing imports every provider."""

    def __init__(self, catalog: Catalog) -> None:
        self._catalog = catalog

    def __len__(self) -> int:
        return len(self._catalog.steps())

    def __getitem__(self, index: Any) -> Any:
        return list(self._catalog.steps())[index]


def _by_place(finding: Finding) -> tuple[int, int, str]:
    return (finding.place.line, finding.place.column, finding.id) if finding.place else (0, 0, finding.id)


def without_secrets(findings: Sequence[Finding]) -> list[Finding]:
    """What reading a runbook found, without the lines that hold a secret; the checks see to theirs."""
    from engine.checks import literal_secret

    return list(literal_secret.hidden(findings))


def files(paths: Sequence[str]) -> list[str]:
    """The runbooks at the paths: files as they are, folders searched for `*.yaml` and `*.yml`; tests and configuration are no runbooks."""
    found: list[str] = []
    for path in paths:
        if Path(path).is_dir():
            inside = sorted(str(file) for pattern in ("*.yaml", "*.yml") for file in Path(path).rglob(pattern))
            found += [file for file in inside if not file.endswith((".test.yaml", ".test.yml")) and Path(file).name != config.NAME]
        else:
            found.append(path)
    return found
