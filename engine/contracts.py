"""The seams: one Protocol for each family that the engine puts together.

A step touches the world only through its `StepContext`; the executor only through a `Backend`. Both rules together
are what makes the same runbook plan, run, resume and scale out without knowing it.
"""

from __future__ import annotations

from collections.abc import Callable, Coroutine, Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import date, datetime
from pathlib import Path
from typing import Any, Literal, Protocol

from engine.errors import Finding
from engine.model import Body, Retry
from engine.model import Path as DocumentPath
from engine.model import Step as RunbookStep
from engine.scope import Scope
from engine.secret import Credential, Secret, SecretName

DRAFT = "http://json-schema.org/draft-07/schema#"

Schema = Mapping[str, Any]
"""A JSON Schema, draft-07. The engine adds these annotations:

`format: "expression"`  the value is a bare boolean expression; the step receives True or False.
`format: "duration"`    text such as `10m`, `1h30m`.
`x-binds: {name: schema}`  the value is handed to the step unrendered, as a `Deferred`, for the step to resolve with those names.
`x-literal: true`       the value is never a template.
`x-before-last: schema` every item of the list but the last must fit it.
`x-rule: "text"`        what people are told when a value breaks this schema, instead of the rule's own words.
`x-secret: true`        the value may be `{{ secrets.NAME }}`, whole; the step gets a `SecretName`. With `not: {}`: nothing else.
`x-path: true`          in the configuration of a connection: the value is a path, relative to the file it stands in.
`x-reference: true`     in the configuration: the value says where a secret lives; engine.secrets knows how.
"""

Effect = Literal["read", "write"]


class Clock(Protocol):
    """Time, real or virtual."""

    def now(self) -> datetime:
        """The present moment, in UTC."""

    def monotonic(self) -> float:
        """Seconds that never run backwards."""

    def sleep(self, seconds: float) -> None:
        """Waits; on a virtual clock, time passes at once. Raises Interrupted when a signal says stop."""


@dataclass(frozen=True, slots=True)
class KeyUse:
    """The key a call goes with, as far as it may be told."""

    kind: str
    reference: str
    secret: Secret | None = None


@dataclass(frozen=True, slots=True)
class Call:
    """One thing a step does to the world, told before it is done.

    Attributes:
        action: step name (`opsgenie.alert.create`), or what the call is for (`opsgenie.alert.request_status`).
        effect: a read may be repeated at will; a write is synced to disk before it leaves.
        method, url: of an HTTP request; None for other actions. The url carries no secret.
        path: the path template (`/v2/alerts/{identifier}`).
        ids: values of the path template, and the name that the body gives to what it makes.
        body: the JSON body, exactly as it would be sent.
        key: the key it goes with.
        domain: rate-limit domain.
        detail: what else the audit log and the plan should say (`{"argv": [...]}`).
    """

    action: str
    effect: Effect
    method: str | None = None
    url: str | None = None
    path: str | None = None
    ids: Mapping[str, str] = field(default_factory=dict)
    body: Any = None
    key: KeyUse | None = None
    domain: str | None = None
    detail: Mapping[str, Any] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class Reply:
    """What came back of a call: plain values only, so that it can be journalled and replayed.

    Attributes:
        value: decoded JSON body, or the action's result.
        status: HTTP status; None for other actions.
        headers: the answer's headers in lower case that later decisions need.
        names: what the thing it is about is called (`{"alertId": …, "alias": …}`), for the audit log.
        secrets: keys that stood in the answer, where `value` has `***`; made known to redaction first of all.
    """

    value: Any = None
    status: int | None = None
    headers: Mapping[str, str] = field(default_factory=dict)
    names: Mapping[str, str] = field(default_factory=dict)
    secrets: tuple[Secret, ...] = ()


class Values(Protocol):
    """What a runbook keeps for its next run. A step uses it inside a call, so that it is journalled."""

    def get(self, name: str) -> Mapping[str, Any] | None:
        """`{value, set_at}`, or None when nothing was kept under the name. Raises StepError."""

    def set(self, name: str, value: Any, at: datetime) -> str:
        """Keeps a value under a name; `set_at` of it. Raises StepError: the value is no JSON, too large, or holds a secret."""


class StepContext(Protocol):
    """What one attempt of one step may use.

    Attributes:
        identity: stable over retries and resumes, unique over steps, loop items and runs: `<runbook>/<run>/<step>[/<item>]`.
            Aliases and markers are derived from it.
        timeout: seconds one attempt may take once it is sent.
        planning: True in a dry run: writes are recorded and not sent, and their replies are unknown.
        folder: the run's own output folder.
        settings: the configuration, without connections.
    """

    runbook: str
    run: str
    step: str
    item: str | None
    attempt: int
    identity: str
    timeout: float
    planning: bool
    clock: Clock
    folder: Path
    settings: Mapping[str, Any]

    @property
    def values(self) -> Values:
        """What the runbook keeps for its next run."""

    def connection(self) -> Any:
        """The provider's opened connection for this step. Raises KeyProblem when there is none."""

    def credential(self, named: SecretName) -> Credential:
        """The secret of a field that holds a name of one. Raises KeyProblem when the name has no reference; asks no source."""

    def call(self, call: Call, send: Callable[[], Reply]) -> Reply | None:
        """Does `send` once, with its intent on disk before and its result after.

        Returns the recorded reply, without sending, when the journal has it (resume). Returns None when planning and the call
        was not made. Raises AnswerLost, without sending, when the journal holds the intent and no result.
        """

    def goes_on(self) -> bool:
        """After a call that the journal answered: whether this attempt made another, or was stopped before it could."""

    def unknown(self, schema: Schema, name: str = "") -> Any:
        """A typed placeholder for a value that only a real run would know; for planning."""

    def log(self, message: str, level: str = "info") -> None:
        """Tells people something."""


class Deferred(Protocol):
    """A part of `with` that is rendered by the step, once it knows the names it binds."""

    def resolve(self, **names: Any) -> Any:
        """The rendered value, expressions as True or False. Raises StepError."""


@dataclass(frozen=True, slots=True)
class Need:
    """What a step asks of a connection's keys."""

    kinds: tuple[str, ...]
    right: str


class Step(Protocol):
    """One kind of step: `uses: <name>`."""

    @property
    def name(self) -> str:
        """`provider.entity.verb`."""

    @property
    def summary(self) -> str:
        """One sentence."""

    @property
    def effect(self) -> Effect:
        """Whether it can change anything."""

    @property
    def inputs(self) -> Schema:
        """Schema of `with` as sent: every value rendered."""

    @property
    def needs(self) -> tuple[Need, ...]:
        """What it asks of the connection's keys; empty for steps that use no connection."""

    def outputs(self, written: Mapping[str, Any]) -> Schema:
        """Schema of the outputs, given `with` as written."""

    def listing(self) -> Mapping[str, Any]:
        """The row of `steps list --json`."""

    def perform(self, given: Mapping[str, Any], context: StepContext) -> Mapping[str, Any]:
        """Does it and returns the outputs. Raises StepError."""


@dataclass(frozen=True, slots=True)
class Surroundings:
    """What a provider needs to open a connection.

    Attributes:
        credential: a reference → its Credential, the same for all connections of a run.
        shared: what the connections of one run have in common, such as the emulator; a provider puts it there.
        emulate: use the embedded emulator instead of the network; `emulator_state` seeds it and `emulator_journal` keeps what it was told.
    """

    clock: Clock
    credential: Callable[[str], Credential]
    emulate: bool = False
    emulator_state: Mapping[str, Any] | None = None
    emulator_journal: Path | None = None
    emulator_faults: str | None = None
    shared: dict[str, Any] = field(default_factory=dict)


class SecretSource(Protocol):
    """Where a secret may live; a module of engine/secrets.

    Attributes:
        FORM: how a reference is written (`env:NAME`).
        NAME: the regular expression that what stands behind the colon matches whole.
    """

    @property
    def FORM(self) -> str: ...  # noqa: N802, D102 - a constant of the module

    @property
    def NAME(self) -> str: ...  # noqa: N802, D102 - a constant of the module

    def read(self, name: str) -> str:
        """The value behind a name. Raises KeyProblem."""


class Sink(Protocol):
    """A second place for the audit log; a module of engine/sinks."""

    def write(self, line: bytes) -> None:
        """Takes one event: its line as the log has it, with the line feed. Raises OSError."""

    def catch_up(self, line: bytes) -> None:
        """Takes the last line that an earlier process of a run wrote, unless it is known to be here. Raises OSError."""

    def sync(self) -> None:
        """What was written is as safe as this place can make it. Raises OSError."""

    def close(self) -> None:
        """Gives its file or socket back."""


class SecretStore(SecretSource, Protocol):
    """A source of secrets that a secret can be put into, too."""

    def holds(self, name: str) -> bool:
        """Whether there is a value behind a name. Raises KeyProblem when that cannot be told."""

    def store(self, name: str, value: str) -> None:
        """Puts a value behind a name, in the place of the one before. Raises KeyProblem."""


class Connection(Protocol):
    """An opened connection, as far as the engine uses it; steps use more."""

    def ready(self, need: Need) -> None:
        """Whether the key for a need is there and can be read. Raises KeyProblem; sends nothing."""

    def key_reference(self, need: Need) -> str | None:
        """The reference of the key that a call with this need goes with, or None when no key may make it."""

    def close(self) -> None:
        """Gives its sockets back."""


@dataclass(frozen=True, slots=True)
class KeyStanding:
    """What reads alone found out about one key of a connection.

    Attributes:
        kind, reference, team: as the configuration has it.
        rights: right → whether the key has it; None where only a write would show.
        problem: why it does not do what the configuration says, or None; `hint` says what to do.
        notes: what else people should know of it.
        exit_status: 0, 4 (the key) or 5 (no answer).
    """

    kind: str
    reference: str
    team: str | None = None
    rights: Mapping[str, bool | None] = field(default_factory=dict)
    problem: str | None = None
    hint: str | None = None
    notes: tuple[str, ...] = ()
    exit_status: int = 0


@dataclass(frozen=True, slots=True)
class ConnectionStanding:
    """What reads alone found out about a connection.

    Attributes:
        address: scheme and host; `region` is None where the address is the user's own.
        reachable: whether the service answered; None when nothing was sent, since no key can be read.
        account, plan: as the service tells them; None when no key may read them.
        lacks: what the plan does not have, as far as it matters here.
        limits: rate-limit domain → `{limit, periodInSeconds}`; empty when no key may read them.
        throttled: domains that are held back at this moment.
        ends: the last day of the service's API, or None.
        ahead: seconds the service's clock is ahead of this machine's, or None.
    """

    name: str
    service: str
    address: str
    region: str | None = None
    reachable: bool | None = None
    account: str | None = None
    plan: str | None = None
    lacks: str | None = None
    keys: tuple[KeyStanding, ...] = ()
    limits: Mapping[str, Sequence[Mapping[str, int]]] = field(default_factory=dict)
    throttled: tuple[str, ...] = ()
    ends: date | None = None
    ahead: float | None = None


@dataclass(frozen=True, slots=True)
class KeyUsage:
    """What a set of needs asks of one key, and what it was granted beyond that.

    Attributes:
        used: which of the needs go with it, counted from 0.
        needed: rights those needs ask of it.
        granted: rights the configuration says it has; None when it does not say, which counts as all.
        beyond: rights it has and nothing asks for.
        weaker: a less privileged kind of key that would do, or None.
        narrow: where in the vendor's menus its rights are changed.
    """

    kind: str
    reference: str
    team: str | None
    used: tuple[int, ...]
    needed: tuple[str, ...]
    granted: tuple[str, ...] | None
    beyond: tuple[str, ...]
    weaker: str | None
    narrow: str


@dataclass(frozen=True, slots=True)
class Diagnosis:
    """One thing `doctor` found out.

    Attributes:
        status: a warning is to be known, a problem keeps opsbook from working.
        remedy: what to do, or None.
    """

    status: Literal["ok", "warning", "problem"]
    message: str
    remedy: str | None = None


class FromFile(dict[str, Any]):
    """A mapping that was read from a file, and knows where each part of it stands; a copy of it need not."""

    def __init__(
        self,
        value: Mapping[str, Any] | Iterable[tuple[str, Any]] = (),
        finding: Callable[[str, str, DocumentPath], Finding] | None = None,
    ) -> None:
        super().__init__(value)
        self._finding = finding

    def finding(self, id: str, message: str, path: DocumentPath) -> Finding:  # noqa: A002 - the name that Finding has
        """An error about the part at `path`, with its place where that is known."""
        return self._finding(id, message, path) if self._finding else Finding(id, "error", message)


class Keychain(Protocol):
    """The places where secrets live, as a command that connects something uses them."""

    def forms(self) -> Mapping[str, str]:
        """Each source by how its references are written (`env:NAME`), and what it is."""

    def whole(self, reference: str) -> str:
        """A reference that means the same in every folder. Raises KeyProblem when it is none; its message holds nothing of the text."""

    def read(self, reference: str) -> Secret:
        """The secret, made known to redaction. Raises KeyProblem."""

    def can_store(self, reference: str) -> bool:
        """Whether a secret can be put there."""

    def holds(self, reference: str) -> bool:
        """Whether a secret is there already, in a place that one can be put into. Raises KeyProblem."""

    def store(self, secret: Secret) -> None:
        """Puts a secret where its reference says. Raises KeyProblem."""


class ConfigurationFile(Protocol):
    """One configuration file, as a command that connects something uses it.

    Attributes:
        path: where it lies or will lie.
    """

    path: Path

    def connection(self, name: str) -> Mapping[str, Any] | None:
        """What the file says of a connection, or None. Raises Invalid."""

    def add_key(self, name: str, settings: Mapping[str, Any], key: Mapping[str, Any]) -> bool:
        """Adds a key, and its connection where that is new; whether the file changed. Raises Invalid and UsageError."""

    def hidden_by(self, name: str) -> str | None:
        """The stronger file whose connection of that name is used instead, or None."""


class CommandLine(Protocol):
    """What a provider's commands may ask of the command line they stand in: `click.Context.obj`.

    Attributes:
        can_ask: whether there is somebody to ask.
        keychain: where secrets live.
    """

    json: bool
    quiet: bool

    @property
    def can_ask(self) -> bool: ...  # noqa: D102 - see above

    @property
    def keychain(self) -> Keychain: ...  # noqa: D102 - see above

    def ask(self, question: str, *, default: str | None = None, among: Sequence[str] = ()) -> str:
        """What a person answers; only where `can_ask`."""

    def ask_whether(self, question: str) -> bool:
        """Whether a person says yes; only where `can_ask`."""

    def ask_secret(self, question: str, reference: str) -> Secret:
        """A secret that a person types unseen, or that stands on standard input where nobody can be asked. Raises KeyProblem."""

    def surroundings(self) -> Surroundings:
        """The real clock, and secrets made known to redaction."""

    def configuration(self, *, project: bool) -> ConfigurationFile:
        """The file that connections are added to: the one the command line names, else the project's or the user's."""

    def say(self, message: str) -> None:
        """A message for people."""

    def say_standing(self, standing: ConnectionStanding) -> None:
        """How a connection stands, for people."""

    def print_json(self, document: Any) -> None:
        """The one document on standard output."""

    def load_mapping(self, path: str) -> Mapping[str, Any]:
        """A YAML file that holds a mapping, as a FromFile. Raises Invalid."""

    def run_runbook(self, path: str, given: Sequence[str], *, emulator_state: Mapping[str, Any], faults: str | None) -> int:
        """Carries a runbook out on the embedded emulator, as `run --emulator` does; returns the exit status."""

    def shipped_runbook(self, name: str) -> str:
        """Path of a runbook that comes with opsbook."""


class Provider(Protocol):
    """A family of steps, found by the prefix of their names.

    Attributes:
        settings_schema: schema of one connection in the configuration; empty for a provider without connections.
        notices: which of its steps serve the end of a run: the one behind `heartbeat` takes a heartbeat's `name`, the one behind `alert`
            the fields of an alert, with an `alias` by which alerts are told apart.
    """

    settings_schema: Schema
    notices: Mapping[str, str]

    def steps(self) -> Mapping[str, Step]:
        """Every step by its full name."""

    def connect(self, name: str, settings: Mapping[str, Any], surroundings: Surroundings) -> Connection:
        """Opens the connection `name`; sends nothing and resolves no secret yet."""

    def key_findings(self, settings: Mapping[str, Any], need: Need) -> str | None:
        """Why no key of the connection can meet the need, or None; with nothing sent and no secret resolved."""

    def commands(self) -> Sequence[Any]:
        """Click commands the provider adds to the command line."""


class Vendor(Provider, Protocol):
    """A provider whose steps go over connections to a service."""

    def standing(self, name: str, settings: Mapping[str, Any], surroundings: Surroundings) -> ConnectionStanding:
        """Tries a connection and each of its keys, by reads alone; never raises for what it finds."""

    def key_usage(self, settings: Mapping[str, Any], needs: Sequence[Need]) -> Sequence[KeyUsage]:
        """What these needs ask of each key of the connection, and what it may beyond that; nothing is sent, no secret read."""


@dataclass(frozen=True, slots=True)
class Action:
    """One attempt of one step, as plain values.

    Attributes:
        key: the step's place in the run: `create`, `notify[ana]`, `wait_ack#3` for the third poll.
        given: `with`, rendered.
    """

    key: str
    step: str
    item: str | None
    attempt: int
    uses: str
    given: Mapping[str, Any]
    connection: str | None
    timeout: float


@dataclass(frozen=True, slots=True)
class Outcome:
    """What an action came to: outputs, or the error."""

    outputs: Mapping[str, Any] | None
    error: Exception | None = None


class Backend(Protocol):
    """Where a run happens: the executor's only door to the world. Keys name places in the runbook, never moments."""

    def random(self, key: str) -> float:
        """A number in [0, 1) for jitter; in one run the same for the same key."""

    def begun(self, key: str) -> bool:
        """Whether an earlier process of this run began the step of this key, or a run before had done it."""

    def wind_down(self) -> None:
        """The run was cancelled: from now on only `finally` runs, for a limited time."""

    def shield(self) -> None:
        """`finally` begins: a request to cancel no longer stops at once, but gives a time of grace."""

    def heed(self) -> bool:
        """Whether the run is to end as cancelled. Raises Interrupted when it is to stop now."""

    async def perform(self, action: Action) -> Outcome:
        """Does the action once; a resumed run gets the remembered outcome."""

    async def moment(self, key: str) -> datetime:
        """The present moment, remembered under `key`."""

    async def sleep_until(self, key: str, until: datetime) -> None:
        """Waits until a moment, which is remembered under `key`: a resumed run keeps it."""

    async def side_by_side(self, children: Iterable[Callable[[], Coroutine[Any, Any, Any]]], limit: int) -> list[Any]:
        """Runs the children, `limit` at a time, and returns their results in order."""

    def tell(self, event: str, key: str, **fields: Any) -> None:
        """Writes an event that has no effect of its own (skipped, ended) to the audit log, once for each key."""


class Listener(Protocol):
    """Hears what runs do: the progress people see, or a member of engine/telling. Called from several threads; raises nothing."""

    def __call__(self, event: str, fields: Mapping[str, Any]) -> None:
        """Takes in one event.

        Those of the audit log come as they were written there, once they are. With `again` in its fields, an event was written by an
        earlier process of the run. Beside them: `said {message, level, run, runbook, step, item}`, what a step tells people;
        `warned {message}`; and `command.failed {error, findings}`, why a command did nothing.
        """

    def flush(self) -> None:
        """The run is over, or parked."""


class Voice(Protocol):
    """How a process speaks beside its one document."""

    def log(self, line: str) -> None:
        """A line of the log, on standard error."""

    def warn(self, message: str) -> None:
        """Something that people should know and that fails no run."""


@dataclass(frozen=True, slots=True)
class Audience:
    """What a listener is made of.

    Attributes:
        wanted: what the command line says of the log: `level`, `format`, `file`.
        settings: the configuration.
        mask: hides every known secret in a value; the last thing done to one.
    """

    wanted: Mapping[str, str]
    settings: Mapping[str, Any]
    mask: Callable[[Any], Any]
    voice: Voice


class Runner(Protocol):
    """The executor, as a construct sees it."""

    backend: Backend
    default_retry: Retry | None

    def holds(self, condition: str, names: Mapping[str, Any]) -> bool | None:
        """Whether an expression holds; None when planning and it depends on what only a real run would know."""

    async def sequence(self, steps: Sequence[RunbookStep], scope: Scope) -> None:
        """Carries steps out in order. Raises StepFailed at the first that fails."""

    async def attempt(self, step: RunbookStep, scope: Scope, attempt: int, poll: int) -> Mapping[str, Any]:
        """One attempt of a `uses` step."""

    async def limited(self, step: RunbookStep, scope: Scope, attempt: int, poll: int) -> Scope:
        """The scope of one attempt of a step that has a time limit of its own, without being one operation."""


@dataclass(frozen=True, slots=True)
class Written:
    """A part of a step that holds templates or an expression, for the static checks.

    Attributes:
        value: as written.
        path: where it stands, below the step.
        expression: whether it is a bare expression.
        schema: what the rendered value must be, where that is known.
    """

    value: Any
    path: DocumentPath
    expression: bool = False
    schema: Schema | None = None


class Construct(Protocol):
    """One kind of step; a module of engine/control."""

    PROPERTIES: Mapping[str, Any]
    """Schema of the step's own keys; the first names the kind."""

    def read(self, raw: Mapping[str, Any], nested: Callable[[str], tuple[RunbookStep, ...]]) -> Body:
        """The body of a step; `nested` reads the steps under one of its keys."""

    def written(self, body: Any) -> Sequence[Written]:
        """Every part with templates, apart from nested steps."""

    async def carry_out(self, step: RunbookStep, scope: Scope, runner: Runner, attempt: int, poll: int) -> Mapping[str, Any]:
        """Does it once and returns the outputs. Raises StepError."""


class Modifier(Protocol):
    """One thing put around a step; a module of engine/modifiers."""

    PROPERTIES: Mapping[str, Any]
    """Schema of its keys; the first names it."""

    def read(self, raw: Mapping[str, Any]) -> Any:
        """The modifier's value. Under its own key for `until` and `retry`, the whole step for `for_each`."""

    def written(self, value: Any) -> Sequence[Written]:
        """Every part with templates."""
