"""How a connection stands: each of its keys is tried by reads alone, and its kind and rights are told from the answers.

What tells them apart, as the service was seen to answer: a team's key is refused the account with words of its own; an integration's key
without the right to configure is refused the account, an account's key without it only the users. An account's key and a global
integration's with that right read the same things, and what a key may write shows only in writing: of both, nothing is claimed.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any

from engine.contracts import Call, Clock, ConnectionStanding, KeyStanding, Reply, Schema, Values
from engine.errors import KeyProblem, StepError
from engine.secret import Credential, SecretName
from steps.opsgenie.answers import data_of, said
from steps.opsgenie.attempt import AHEAD, Attempt, Service
from steps.opsgenie.keys import Key
from steps.opsgenie.operations import OPERATIONS
from steps.opsgenie.parts import parts_of
from steps.opsgenie.refusals import GONE, Verdict, on_form, verdict
from steps.opsgenie.settings import API_ENDS, RIGHTS, SERVICE

SECONDS = 10.0
"""Most time one of the reads may take."""

_LACKS = {
    "free": "the Integrations page of the whole account: a key for alerts is made inside a team",
    "essentials": "the Integrations page of the whole account: a key for alerts is made inside a team",
}
"""Plan → what it does not have."""


@dataclass(slots=True)
class _Reading:
    """A step's context outside of any run: a read is made and not written down."""

    clock: Clock
    runbook: str = ""
    run: str = ""
    step: str = ""
    item: str | None = None
    attempt: int = 1
    identity: str = ""
    timeout: float = SECONDS
    planning: bool = False
    folder: Path = Path()
    settings: Mapping[str, Any] = field(default_factory=dict)

    @property
    def values(self) -> Values:
        """Nothing is kept here."""
        raise NotImplementedError

    def connection(self) -> Any:
        """Reads are made below connections."""
        raise NotImplementedError

    def credential(self, named: SecretName) -> Credential:
        """There is no runbook that could name one."""
        raise NotImplementedError

    def call(self, call: Call, send: Callable[[], Reply]) -> Reply | None:
        """Does it."""
        del call
        return send()

    def goes_on(self) -> bool:
        """Nothing is remembered."""
        return True

    def unknown(self, schema: Schema, name: str = "") -> Any:
        """Nothing is planned here."""
        raise NotImplementedError

    def log(self, message: str, level: str = "info") -> None:
        """What is found is told as a standing."""


def standing_of(service: Service, kind: str, clock: Clock) -> ConnectionStanding:
    """Tries every key of a service; `kind` is what the configuration calls the service."""
    found = ConnectionStanding(service.name, kind, service.base, service.region)
    for key in service.keys.keys:
        trial = _Trial(replace(service, keys=service.keys.alone(key)), key, _Reading(clock), found)
        trial.carry_out()
        found = replace(trial.found, keys=(*found.keys, trial.key_standing()))
        if found.reachable is False:
            break
    return replace(found, ends=API_ENDS if kind == SERVICE else None)


class _Trial:
    """The reads made with one key, and what they told.

    Attributes:
        found: what is known of the connection so far.
        kinds: the kinds of key that are answered like this one; none when the answers do not tell.
    """

    def __init__(self, service: Service, key: Key, reading: _Reading, found: ConnectionStanding) -> None:
        self._service = service
        self._key = key
        self._reading = reading
        self.found = found
        self.kinds: tuple[str, ...] = ()
        self._rights: dict[str, bool | None] = dict.fromkeys(RIGHTS)
        self._problem: str | None = None
        self._hint: str | None = None
        self._notes: list[str] = []
        self._status = 0

    def carry_out(self) -> None:
        """Asks, as far as the answers lead."""
        try:
            self._ask_all()
        except KeyProblem as problem:
            self._fail(problem.message, problem.hint, 4)
        except StepError as error:
            unreachable = self.found.reachable is None
            self.found = replace(self.found, reachable=False if unreachable else self.found.reachable)
            self._fail(error.message, error.hint, 5)

    def key_standing(self) -> KeyStanding:
        """What was found out about the key."""
        key = self._key
        return KeyStanding(key.kind, key.told, key.team, self._rights, self._problem, self._hint, tuple(self._notes), self._status)

    def _ask_all(self) -> None:
        alerts = self._ask("opsgenie.alert.list", limit=1)
        if alerts in _REFUSALS or alerts is Verdict.LATER:
            return
        self._rights["read"] = {Verdict.GOOD: True, Verdict.NO_READ: False}.get(alerts)
        if alerts is Verdict.OTHER:
            self._ask_heartbeats()
        else:
            self._ask_account()
        if self._status == 0:
            self._compare()

    def _ask_account(self) -> None:
        account = self._ask("opsgenie.account.get")
        if account is Verdict.TEAM:
            self.kinds = ("team",)
            self._ask_team()
        elif account is Verdict.NO_CONFIGURATION:
            self.kinds = ("integration",)
            self._rights["configuration_access"] = False
        elif account is Verdict.GOOD:
            users = self._ask("opsgenie.user.list", limit=1)
            self._configures(users)
            self.kinds = ("account",) if users is Verdict.NO_CONFIGURATION else ("account", "integration")
            self._ask("opsgenie.account.request_limits")

    def _ask_team(self) -> None:
        """Whether the key may read its own team: as far as the configuration says which."""
        if not self._key.team:
            self._notes.append("no team is named for it: whether it may configure its team is not known")
            return
        team = self._ask("opsgenie.team.get", identifier=self._key.team, identifierType="name")
        self._configures(team)
        if team in (Verdict.ABSENT, Verdict.TEAM, Verdict.OTHER):
            self._fail(f"it is not the key of a team called {self._key.team}", "Correct `team`, or take the key of that team.", 4)

    def _ask_heartbeats(self) -> None:
        heartbeats = self._ask("opsgenie.heartbeat.list")
        if heartbeats in (Verdict.GOOD, Verdict.NO_CONFIGURATION):
            self.kinds = ("heartbeat",)
            self._rights["read"] = True
            self._configures(heartbeats)

    def _configures(self, asked: Verdict) -> None:
        self._rights["configuration_access"] = {Verdict.GOOD: True, Verdict.ABSENT: True, Verdict.NO_CONFIGURATION: False}.get(asked)

    def _ask(self, name: str, **given: Any) -> Verdict:
        """One read, and what its answer says. Raises KeyProblem and StepError."""
        row = OPERATIONS[name]
        attempt = Attempt(self._service, row, parts_of(row, given), self._reading)
        attempt.key = self._key
        reply = attempt.answer()
        assert reply is not None, "a reading is made"
        self._learn(row.rate_limit_domain, reply)
        judged = verdict(reply)
        if judged is Verdict.GOOD:
            self._keep(name, data_of(reply))
        elif judged in _REFUSALS or judged is Verdict.LATER:
            self._refused(judged, said(reply))
        return judged

    def _learn(self, domain: str, reply: Reply) -> None:
        """What any answer tells of the connection."""
        ahead = float(reply.headers[AHEAD]) if AHEAD in reply.headers else self.found.ahead
        held = reply.headers.get("x-ratelimit-state", "OK") == "THROTTLED" or reply.status == 429
        throttled = tuple(dict.fromkeys((*self.found.throttled, domain))) if held else self.found.throttled
        self.found = replace(self.found, reachable=True, ahead=ahead, throttled=throttled)

    def _keep(self, name: str, data: Any) -> None:
        if name == "opsgenie.account.get":
            plan = str((data.get("plan") or {}).get("name") or "") or None
            self.found = replace(self.found, account=data.get("name"), plan=plan, lacks=_LACKS.get((plan or "").lower()))
        elif name == "opsgenie.account.request_limits":
            self.found = replace(self.found, limits={one["domain"]: one["limits"] for one in data.get("rateLimits", ())})

    def _refused(self, judged: Verdict, words: str) -> None:
        if judged is Verdict.LATER:
            self._fail(f"the service does not answer this now: {words}", "Try again in a minute.", 5)
        elif judged is Verdict.FORMAT:
            self._fail(f"the service does not know a key of this form: {words}", on_form(self._service.region), 4)
        else:
            region = self._service.region
            elsewhere = f" Check too that the account lives in the region {region}." if region else ""
            self._fail(f"the service does not know the key: {words}", f"{GONE}.{elsewhere}", 4)

    def _compare(self) -> None:
        """Holds what was seen against what the configuration says."""
        key = self._key
        if self.kinds and key.kind not in self.kinds:
            shown = " or ".join(self.kinds)
            self._fail(f"the service treats it as a key of kind {shown}, not {key.kind}", f"Correct its kind: {shown}.", 4)
            return
        if self._rights["read"] is None:
            self._fail("it may read neither alerts nor heartbeats", "Look where it was made what it is for.", 4)
            return
        missing = [right for right in RIGHTS if right in (key.rights or ()) and self._rights[right] is False]
        if missing:
            hint = "Grant it there where the key was made, or take it out of `rights` in the configuration."
            self._fail(f"it lacks the right {' and '.join(missing)}, which the configuration says it has", hint, 4)
        more = [right for right in RIGHTS if key.rights is not None and right not in key.rights and self._rights[right]]
        if more:
            self._notes.append(f"it has the right {' and '.join(more)}, which the configuration does not give it")
        if len(self.kinds) > 1:
            self._notes.append("reads do not tell an account key from a global integration's: its kind is as configured")

    def _fail(self, problem: str, hint: str | None, status: int) -> None:
        self._problem, self._hint, self._status = problem, hint, status


_REFUSALS = (Verdict.FORMAT, Verdict.UNKNOWN)
