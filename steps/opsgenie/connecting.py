"""From a key that somebody has made to a working connection: asks what is not said, tries the key by reads, saves the reference."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from dataclasses import asdict, dataclass, replace
from typing import Any

from engine.contracts import CommandLine, ConfigurationFile, ConnectionStanding, KeyStanding
from engine.errors import KeyProblem, OpsbookError, UsageError
from engine.secret import Credential, Secret, key_shaped, told
from steps.operation import KeyKind
from steps.opsgenie import telling
from steps.opsgenie.kinds import KINDS
from steps.opsgenie.opening import open_service
from steps.opsgenie.settings import DEFAULT_REGION, HOSTS, RIGHTS, SERVICE
from steps.opsgenie.standing import standing_of

_PROGRAM = re.compile(r"cmd:\S+\s")
"""A program with arguments, one of which may well be the id of an item in a store."""
_NAME = re.compile(r"[a-z][a-z0-9_-]*")
_NOT_CHECKED = "not checked"


@dataclass(frozen=True, slots=True)
class Wishes:
    """What the command line says; None where it does not.

    Attributes:
        settings: of the connection, apart from its keys: region or url, proxy, ca_file.
        rights: what the key was granted, as far as the person knows.
        key_from: reference to where the key lives or is to live.
        key_given: the key stands on standard input and is to be stored where `key_from` says.
        project: save into the project's file; False: the user's.
        check: try the key.
    """

    name: str
    settings: Mapping[str, str]
    kind: KeyKind | None
    team: str | None
    rights: tuple[str, ...] | None
    key_from: str | None
    key_given: bool
    project: bool | None
    check: bool


class NotSaved(OpsbookError):
    """The key was tried and does not do what was said of it; nothing was saved."""

    code = "key"

    def __init__(self, key: KeyStanding) -> None:
        super().__init__(f"the {key.kind} key ({key.reference}): {key.problem}; nothing was saved", hint=key.hint)
        self.exit_status = key.exit_status


@dataclass(frozen=True, slots=True)
class Found:
    """What is to be saved.

    Attributes:
        settings: of a connection that is new; none for one that is in the file already.
        key: its entry in the configuration.
        to_store: the key itself, where it is to be put into the place that the entry names.
        standing: how the connection stands with the key; None when it was not tried.
    """

    file: ConfigurationFile
    settings: Mapping[str, Any]
    key: Mapping[str, Any]
    to_store: Secret | None
    standing: ConnectionStanding | None


def find(line: CommandLine, wishes: Wishes) -> Found:
    """Asks for what was not said, and tries the key; changes nothing.

    Raises:
        UsageError: what is needed was not said and nobody can be asked, or contradicts what is configured.
        KeyProblem: the key cannot be read.
        NotSaved: the service does not take it for what it is said to be.
    """
    refuse_keys([wishes.name, wishes.team, wishes.key_from, *wishes.settings.values()])
    if not _NAME.fullmatch(wishes.name):
        raise UsageError("--name must be small letters, digits, - and _, a letter first")
    _require(line, wishes)
    file = _file(line, wishes)
    present = file.connection(wishes.name)
    settings = _settings(line, wishes, file, present)
    key = _key(line, wishes)
    secret, new = _secret(line, wishes, key)
    standing = _tried(line, wishes, settings, key, secret)
    key = _with_rights(line, wishes, key, standing)
    return Found(file, {} if present else settings, key, secret if new else None, standing)


def save(line: CommandLine, name: str, found: Found) -> None:
    """Saves it as the connection `name`, and says so. Raises KeyProblem and UsageError: then neither key nor connection is saved."""
    with found.file.adding(name, found.settings, found.key) as changes:
        if found.to_store:
            _store(line, found.to_store)
    _report(line, name, found, changed=changes)


def _store(line: CommandLine, secret: Secret) -> None:
    try:
        line.keychain.store(secret)
    except KeyProblem as problem:
        raise KeyProblem(f"{problem.message}; nothing was saved", hint=problem.hint) from None


def refuse_keys(texts: list[str | None]) -> None:
    """Raises UsageError when something that was given looks like a key, without repeating it."""
    plain = [text.replace("cmd:", "", 1) if text and not _PROGRAM.match(text) else None for text in texts]
    if any(text and key_shaped(text) for text in plain):
        raise UsageError(
            "what was given looks like a key; no command takes one there, and nothing was done with it",
            hint="other users can read arguments and the shell keeps them: revoke that key. Say where a key lives, as in "
            "--key-from env:OPSGENIE_KEY",
        )


def _require(line: CommandLine, wishes: Wishes) -> None:
    """Raises UsageError, naming every flag that is missing, where nobody can be asked."""
    if not line.can_ask and (missing := list(_missing(line, wishes))):
        raise UsageError(
            f"{' and '.join(missing)} {'is' if len(missing) == 1 else 'are'} needed where nobody can be asked",
            hint="opsbook connect opsgenie --help says what each means",
        )


def _missing(line: CommandLine, wishes: Wishes) -> Iterator[str]:
    if not wishes.settings.keys() & {"region", "url"} and _file(line, wishes).connection(wishes.name) is None:
        yield "--region"
    if wishes.kind is None:
        yield "--kind"
    if wishes.kind == "team" and not wishes.team:
        yield "--team"
    if wishes.key_from is None:
        yield "--key-from"


def _file(line: CommandLine, wishes: Wishes) -> ConfigurationFile:
    """The file to save into: as wished, else the one that has the connection, else as a person says, else the user's own."""
    own, projects = line.configuration(project=False), line.configuration(project=True)
    if wishes.project is not None or own.path == projects.path:
        return projects if wishes.project else own
    there = [file for file in (own, projects) if file.connection(wishes.name) is not None]
    if len(there) == 1:
        return there[0]
    if not line.can_ask:
        return own
    line.say(telling.files(own.path, projects.path))
    return {"user": own, "project": projects}[line.ask("Whose", default="user", among=("user", "project"))]


def _settings(line: CommandLine, wishes: Wishes, file: ConfigurationFile, present: Mapping[str, Any] | None) -> Mapping[str, Any]:
    """The connection's settings: those it has, else as wished, else as a person answers. Raises UsageError when they differ."""
    if present is not None:
        known = {name: value for name, value in present.items() if name != "keys"}
        compared = known if "url" in known else {"region": DEFAULT_REGION, **known}
        if differing := [name for name, value in wishes.settings.items() if compared.get(name) != value]:
            raise UsageError(
                f"the connection {wishes.name} of {file.path} has another {' and '.join(differing)}",
                hint="leave it out to add a key to that connection, or give the new connection a --name of its own",
            )
        line.say(f"The connection {wishes.name} is in {file.path} already; a key is added to it.")
        return known
    file.check(wishes.name, wishes.settings)
    if wishes.settings.keys() & {"region", "url"} or not line.can_ask:
        return wishes.settings
    line.say(telling.REGION)
    return {"region": line.ask("Region", among=tuple(HOSTS)), **wishes.settings}


def _key(line: CommandLine, wishes: Wishes) -> dict[str, Any]:
    """The key's entry, as far as it is known before it was tried. Raises KeyProblem for what is no reference."""
    kind: Any = wishes.kind
    if kind is None:
        line.say(telling.kinds())
        kind = line.ask("Kind of key", among=tuple(KINDS))
    team = wishes.team
    if kind == "team" and not team:
        team = line.ask("Name of the team")
        refuse_keys([team])
    if line.can_ask and wishes.key_from is None:
        line.say(telling.recipe(kind))
        line.say(telling.places(line.keychain.forms()))
    reference = line.keychain.whole(wishes.key_from or _asked_reference(line, kind))
    return {"kind": kind, **({"team": team} if team else {}), "secret": reference}


def _asked_reference(line: CommandLine, kind: str) -> str:
    """Where a person says that the key lives; a key that is typed there is refused, and asked for again."""
    while True:
        reference = line.ask("Where the key lives", default=f"env:OPSGENIE_{kind.upper()}_KEY")
        try:
            if key_shaped(reference):
                raise UsageError("That looks like the key itself", hint="it is on this screen now; say where it lives")
            line.keychain.whole(reference)
        except OpsbookError as error:
            line.say(f"  {error.message}: {error.hint}")
        else:
            return reference


def _secret(line: CommandLine, wishes: Wishes, key: Mapping[str, Any]) -> tuple[Secret | None, bool]:
    """The key itself, and whether it is still to be stored; None when it is not to be tried and need not be there."""
    reference = key["secret"]
    keeps = line.keychain.can_store(reference)
    if wishes.key_given and not keeps:
        raise UsageError(
            f"{told(reference)} is no place that opsbook can put a key into", hint="leave --key-stdin out, or use keyring: or file:"
        )
    if keeps and (wishes.key_given or (line.can_ask and not line.keychain.holds(reference))):
        line.say(f"The key will be kept in {told(reference)}.")
        return _given(line, reference), True
    if not wishes.check:
        return None, False
    try:
        return line.keychain.read(reference), False
    except KeyProblem as problem:
        raise KeyProblem(f"{problem.message}; nothing was saved", hint=_unread(problem, key["kind"], keeps=keeps)) from None


def _given(line: CommandLine, reference: str) -> Secret:
    """The key itself; a person who mistypes it is asked again. Raises KeyProblem."""
    while True:
        try:
            return line.ask_secret("The key itself (not shown)", reference)
        except KeyProblem as problem:
            if not line.can_ask:
                raise KeyProblem(
                    f"{problem.message}; nothing was saved", hint="standard input must hold the key and nothing else"
                ) from None
            line.say(f"  {problem.message}")


def _unread(problem: KeyProblem, kind: KeyKind, *, keeps: bool) -> str:
    """What to do about a key that cannot be read."""
    ways = [
        problem.hint or "",
        f"a key of kind {kind} is made under {KINDS[kind].menu}",
        "--key-stdin puts it there" if keeps else "",
        "--no-check saves the reference without trying the key",
    ]
    return "; ".join(filter(None, ways))


def _tried(
    line: CommandLine, wishes: Wishes, settings: Mapping[str, Any], key: Mapping[str, Any], secret: Secret | None
) -> ConnectionStanding | None:
    """How the connection stands with the key alone; None when it is not to be tried. Raises NotSaved."""
    if not wishes.check:
        return None
    assert secret is not None, "a key that is tried was read"
    line.say("Trying the key, with reads only …")
    granted = {"rights": list(wishes.rights)} if wishes.rights is not None else {}
    surroundings = replace(line.surroundings(), credential=lambda reference: Credential(reference, lambda _: secret))
    service = open_service(wishes.name, {**settings, "keys": [{**key, **granted}]}, surroundings)
    try:
        standing = standing_of(service, settings.get("service", SERVICE), surroundings.clock)
    finally:
        service.transport.close()
    line.say_standing(standing)
    if standing.keys[0].problem:
        raise NotSaved(standing.keys[0])
    return standing


def _with_rights(line: CommandLine, wishes: Wishes, key: dict[str, Any], standing: ConnectionStanding | None) -> dict[str, Any]:
    """The key with its rights: as said, else all but those it was seen to lack; nothing when none is known to be missing."""
    seen = standing.keys[0].rights if standing else {}
    rights = wishes.rights
    if rights is None and line.can_ask and key["kind"] != "heartbeat":
        rights = _asked_rights(line)
    if rights is None and False in seen.values():
        rights = tuple(right for right in RIGHTS if seen[right] is not False)
    if rights is None:
        return key
    return {name: value for name, value in key.items() if name != "secret"} | {"rights": list(rights), "secret": key["secret"]}


def _asked_rights(line: CommandLine) -> tuple[str, ...] | None:
    """The rights a person knows of."""
    line.say(telling.RIGHTS_QUESTION)
    while True:
        answer = line.ask("Rights", default="not sure")
        if answer == "not sure":
            return None
        try:
            return read_rights(answer)
        except UsageError as error:
            line.say(f"  {error.message}")


def read_rights(text: str) -> tuple[str, ...]:
    """Rights out of a list with commas, in the usual order, at least one. Raises UsageError."""
    named = {word.strip() for word in text.split(",")} - {""}
    if unknown := sorted(named - set(RIGHTS)):
        refuse_keys(list(unknown))
        raise UsageError(f"there is no right {', '.join(unknown)}; there are {', '.join(RIGHTS)}")
    if not named:
        raise UsageError(f"a key without any right does nothing; there are {', '.join(RIGHTS)}")
    return tuple(right for right in RIGHTS if right in named)


def _report(line: CommandLine, name: str, found: Found, *, changed: bool) -> None:
    """Says what was saved, and what to do next."""
    file, standing, place = found.file, found.standing, told(found.key["secret"])
    hidden = file.hidden_by(name)
    if line.json:
        saved = {"connection": name, "file": str(file.path), "changed": changed, "stored": found.to_store is not None, "hidden_by": hidden}
        line.print_json({**saved, "key": {**found.key, "secret": place}, "standing": asdict(standing) if standing else None})
    if found.to_store:
        line.say(f"The key is kept in {place}.")
    outcome = f"Saved: the connection {name} in {file.path}" if changed else f"Nothing to save: {file.path} has this key already"
    line.say(outcome + ("." if standing else f" ({_NOT_CHECKED})."))
    if hidden:
        line.say(f"But here {hidden} has a connection {name} too, and is stronger.")
    line.say(telling.following(name))
