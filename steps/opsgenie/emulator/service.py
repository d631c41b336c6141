"""The emulated service: takes requests one at a time, keeps the account, and lets time pass."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import asdict, dataclass
from datetime import datetime, timedelta
from pathlib import Path
from threading import RLock
from typing import Any

from engine.contracts import Clock
from engine.errors import AnswerLost, Unreachable
from steps.exchange import Request, Response
from steps.opsgenie.emulator.call import Call
from steps.opsgenie.emulator.domains import ANSWERS
from steps.opsgenie.emulator.faults import Fault, FaultPlan, fault_from
from steps.opsgenie.emulator.incoming import Desk, Incoming, incoming
from steps.opsgenie.emulator.journal import Journal
from steps.opsgenie.emulator.keys import EmulatorKey, authenticated, authorize, told
from steps.opsgenie.emulator.limits import DOMAINS, Limiter, RateLimit
from steps.opsgenie.emulator.problems import ApiError
from steps.opsgenie.emulator.responses import Delivery, answered, faulty, json_response, problem_response, throttled
from steps.opsgenie.emulator.routes import Route, match, routes
from steps.opsgenie.emulator.seed import check_state, keys_of, limits_of, seeded
from steps.opsgenie.emulator.stable import stable_uuid
from steps.opsgenie.emulator.store import Followed
from steps.opsgenie.emulator.timeline import Fate, Pending, Timeline, deeds

LOGGED = 10_000
"""Lines of the log that are kept: a server may stand for months."""
_FATES: Mapping[str, Fate] = {"processed_as_failed": "failed", "never_processed": "never"}


@dataclass(frozen=True, slots=True)
class RequestLine:
    """One line of the emulator's log.

    Attributes:
        path: with its query.
        status: what the service answered, whether or not the answer arrived; None when it answered nothing.
        key_kind: kind of the key that was taken; None when none was.
        authorization: what stood there for a key: its kind, `unknown key`, `malformed key` or `no key`.
    """

    time: datetime
    method: str
    path: str
    status: int | None
    key_kind: str | None
    authorization: str


@dataclass(frozen=True, slots=True)
class _Visit:
    """One request at one moment, and the route it takes; the refusal where there is none."""

    request: Incoming
    now: datetime
    route: Route | ApiError
    ids: tuple[str, ...]


class Emulator:
    """An Opsgenie account in this process: stateful, and the same for the same requests at the same times.

    Attributes:
        keys: the keys it knows.
        requests: the newest lines of its log, at least `LOGGED` of them.
        watch: is told each line of the log as it is written.

    Args:
        clock: what time it is; processing and people's deeds follow it.
        state: what is there at the start, of the form `STATE_SCHEMA`. Raises Invalid.
        keys, limits: instead of those of the state.
        faults: before those of the state.
        journal: where the emulator keeps what it was told; an emulator made with the same file comes back as it was. Its time then goes
            on from where it stood, should the clock be behind. Rate limits start anew.
        base_url: host of requests whose url has none.
        processing: seconds until an accepted request takes effect, unless the state says so; the service was seen to take 0.06.
    """

    def __init__(
        self,
        *,
        clock: Clock,
        state: Mapping[str, Any] | None = None,
        keys: Sequence[EmulatorKey] | None = None,
        limits: Mapping[str, tuple[RateLimit, ...]] | None = None,
        faults: Sequence[Fault] = (),
        journal: Path | None = None,
        base_url: str = "http://emulator.invalid",
        processing: float = 0.06,
    ) -> None:
        state = state or {}
        if state:
            check_state(state)
        self._clock = clock
        self._base_url = base_url
        self._processing = timedelta(seconds=state.get("processing", processing))
        self._lock = RLock()
        self._behind = timedelta()
        self._answered = 0
        self._faults = FaultPlan([*faults, *map(fault_from, state.get("faults", ()))])
        for fault in self._faults.faults:
            fault.check_target([route.row.name for route in routes()])
        self._limiter = Limiter(limits_of(state) if limits is None else limits)
        self.keys = tuple(keys_of(state) if keys is None else keys)
        self.requests: list[RequestLine] = []
        self.watch: Callable[[RequestLine], None] | None = None
        self._journal = Journal(journal) if journal else None
        self._begin(state)

    @property
    def clock(self) -> Clock:
        """The clock it was made with."""
        return self._clock

    def handle(self, request: Request) -> Response:
        """One request, one response; a slow one lets the clock run.

        Raises Unreachable or AnswerLost for a fault that breaks the connection, AuditUnwritable when the journal cannot be written.
        """
        delivery = self.deliver(request)
        if delivery.late:
            self._clock.sleep(delivery.late)
        return delivered(delivery)

    def deliver(self, request: Request) -> Delivery:
        """What the service sends, and what befalls it on the way; for those that have a wire of their own to break."""
        with self._lock:
            return self._deliver(incoming(request, self._base_url))

    def snapshot(self) -> dict[str, Any]:
        """Everything in the account at this moment, as plain values."""
        with self._lock:
            self._pass_time()
            return asdict(self._store)

    def _begin(self, state: Mapping[str, Any]) -> None:
        lines = list(self._journal.lines()) if self._journal else []
        start = datetime.fromisoformat(lines[0]["at"]) if lines else self._clock.now()
        self._store = seeded(state, start)
        self._desk = Desk(self._store, {domain: self._limiter.of(domain) for domain in DOMAINS})
        self._timeline = Timeline(self._store)
        for deed in deeds(state, self._store, start):
            self._timeline.add(deed)
        for line in lines:
            self._replay(line)
        if not lines:
            self._write(start, {})

    def _pass_time(self) -> datetime:
        """The present moment, all that is due having happened; what somebody may now see is in the journal, or it could un-happen."""
        now = self._clock.now() + self._behind
        if self._timeline.advance(now):
            self._write(now, {})
        return now

    def _deliver(self, request: Incoming) -> Delivery:
        now = self._pass_time()
        visit = _Visit(request, now, *_routed(request))
        fault = self._fault(visit)
        if fault and not fault.processed:
            delivery = faulty(fault, None, self._request_id())
            self._log(visit, delivery.response, None)
            return delivery
        response, key = self._respond(visit, _FATES.get(fault.answer, "") if fault else "")
        self._log(visit, response, key)
        return faulty(fault, response, self._request_id()) if fault else Delivery(response)

    def _respond(self, visit: _Visit, fate: Fate) -> tuple[Response, EmulatorKey | None]:
        key = None
        try:
            key = authenticated(self.keys, visit.request.authorization)
            if isinstance(visit.route, ApiError):
                raise visit.route
            self._take_token(visit.route.row.rate_limit_domain, visit.now)
            authorize(key, visit.route.row)
            call = self._desk.call(visit.request, visit.route, visit.ids, key, visit.now)
            if visit.route.row.effect == "write":
                self._write(visit.now, self._told(visit.request, key, fate))
            return self._carry_out(call, visit.route, fate), key
        except ApiError as problem:
            return problem_response(problem, self._request_id()), key

    def _take_token(self, domain: str, now: datetime) -> None:
        hit = self._limiter.take(domain, now)
        if hit:
            raise throttled(hit.period_in_seconds)

    def _carry_out(self, call: Call, route: Route, fate: Fate) -> Response:
        if not route.row.asynchronous:
            answer = ANSWERS[route.shape](call)
            return answered(answer, self._request_id())
        request_id = self._store.new_id()
        self._store.requests[request_id] = Followed(call.row.follow or "")
        if fate != "never":
            self._timeline.add(Pending(call.now + self._processing, request_id, call, route.shape, fate))
        return json_response(202, {"result": "Request will be processed"}, request_id)

    def _fault(self, visit: _Visit) -> Fault | None:
        name = visit.route.row.name if isinstance(visit.route, Route) else None
        places = self._faults.matching(name, visit.request.method, visit.request.path)
        if not places:
            return None
        self._write(visit.now, {"faults": places})
        return self._faults.count(places)

    def _request_id(self) -> str:
        """Id of an answer that nobody follows up; no part of the state."""
        self._answered += 1
        return stable_uuid("answer", self._answered)

    def _log(self, visit: _Visit, response: Response | None, key: EmulatorKey | None) -> None:
        status, kind = response.status if response else None, key.kind if key else None
        if len(self.requests) >= 2 * LOGGED:
            del self.requests[:LOGGED]
        authorization = told(self.keys, visit.request.authorization)
        self.requests.append(RequestLine(visit.now, visit.request.method, visit.request.target, status, kind, authorization))
        if self.watch:
            self.watch(self.requests[-1])

    @staticmethod
    def _told(request: Incoming, key: EmulatorKey, fate: Fate) -> dict[str, Any]:
        return {
            "method": request.method,
            "target": request.target,
            "type": request.content_type,
            "body": request.body.decode("latin-1"),
            "key": {"kind": key.kind, "value": key.value, "team": key.team},
            "fate": fate,
        }

    def _write(self, now: datetime, told: Mapping[str, Any]) -> None:
        if self._journal:
            self._journal.append({"at": now.isoformat(), **told})

    def _replay(self, line: Mapping[str, Any]) -> None:
        """Does again what a line of the journal tells; who asked was checked when it was written."""
        now = datetime.fromisoformat(line["at"])
        self._behind = max(self._behind, now - self._clock.now())
        self._timeline.advance(now)
        self._faults.count(line.get("faults", ()))
        if "target" not in line:
            return
        told = Request(line["method"], line["target"], {"content-type": line["type"]}, line["body"].encode("latin-1"))
        request = incoming(told, self._base_url)
        try:
            route, ids = match(request.method, request.path)
            call = self._desk.call(request, route, ids, EmulatorKey(**line["key"]), now)
            self._carry_out(call, route, line["fate"])
        except ApiError:
            return


def _routed(request: Incoming) -> tuple[Route | ApiError, tuple[str, ...]]:
    try:
        return match(request.method, request.path)
    except ApiError as problem:
        return problem, ()


def delivered(delivery: Delivery) -> Response:
    """The response of a delivery that is at its end. Raises Unreachable or AnswerLost when the connection breaks."""
    if delivery.breaks == "refused":
        raise Unreachable("The connection was refused.")
    if delivery.breaks or delivery.response is None:
        raise AnswerLost("the connection broke before the whole answer came")
    return delivery.response
