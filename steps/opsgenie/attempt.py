"""One attempt of one operation: sends its requests through the step's context and says what became of each."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from datetime import datetime
from email.utils import parsedate_to_datetime
from functools import cached_property
from typing import Any, Literal
from urllib.parse import urlsplit

from engine.contracts import Call, Reply, StepContext
from engine.errors import AnswerLost, KeyRefused, Unreachable
from engine.secret import Secret
from engine.version import VERSION
from steps.authorization import renewing
from steps.exchange import AnswerLate, Request, Response, Spoilt, Transport
from steps.operation import Operation
from steps.opsgenie.answers import failure, fits, garbage, is_anothers, not_processed, period, reply_of, sealed
from steps.opsgenie.buckets import Buckets
from steps.opsgenie.keys import Key, KeyRing
from steps.opsgenie.parts import Parts, parts_of
from steps.opsgenie.refusals import Verdict, remedy, verdict

USER_AGENT = f"opsbook/{VERSION}"
PARTLY_SEEN = ("opsgenie.alert.count", "opsgenie.alert.list")
"""Calls that leave out, without a word, what a team's key may not see."""
AHEAD = "opsbook-clock-ahead"
"""Header of a reply: seconds the service's clock was ahead of this machine's when the answer came; absent when it told no date."""


@dataclass(frozen=True, slots=True)
class Service:
    """What all attempts over a connection share.

    Attributes:
        name: the connection's.
        base: scheme, host and port; no trailing slash.
        region: said in advice about keys; None when the address is the user's own.
        said: warnings that were given, each but once.
    """

    name: str
    base: str
    region: str | None
    keys: KeyRing
    buckets: Buckets
    transport: Transport
    said: set[str] = field(default_factory=set)


@dataclass(slots=True)
class Deadline:
    """When an attempt is late; it begins with the first request, and what a rate limit holds back is added."""

    seconds: float
    at: float | None = None

    def left(self, now: float) -> float:
        """Seconds left."""
        if self.at is None:
            self.at = now + self.seconds
        return self.at - now

    def extend(self, seconds: float) -> None:
        """Puts it off."""
        if self.at is not None:
            self.at += seconds


class Attempt:
    """An operation with what it was given, under one deadline.

    Attributes:
        settling: whether it is about an earlier attempt whose answer was lost: to look for its effect, or to repeat it.
        sent_at: when the last write left, by this machine's clock; None before.
    """

    def __init__(
        self,
        service: Service,
        operation: Operation,
        parts: Parts,
        context: StepContext,
        deadline: Deadline | None = None,
        *,
        settling: bool = False,
    ) -> None:
        self.service = service
        self.operation = operation
        self.parts = parts
        self.context = context
        self.deadline = deadline or Deadline(context.timeout)
        self.settling = settling
        self.sent_at: datetime | None = None

    @cached_property
    def key(self) -> Key:
        """The key the call goes with: at first the least privileged that may make it. Raises KeyProblem."""
        return self.service.keys.choose(self.operation.name, self.operation.keys, self.operation.rights)

    def again(self, deadline: Deadline) -> Attempt:
        """The same call once more."""
        return Attempt(self.service, self.operation, self.parts, self.context, deadline, settling=True)

    def look(self, row: Operation, given: Mapping[str, Any], deadline: Deadline) -> Attempt:
        """A read of what this attempt wrote, with its key where that may read: what one key made another may not see."""
        look = Attempt(self.service, row, parts_of(row, given), self.context, deadline, settling=True)
        if self.key.may(row.keys, row.rights):
            look.key = self.key
        return look

    def send(self, target: str | None = None) -> Reply | None:
        """The request itself, or one to another target of the same shape; None in a dry run that did not make it.

        Raises StepError: Refused, KeyRefused, Throttled, Unreachable, AnswerLost.
        """
        effect = self.operation.effect
        reply = self.answer(target)
        if reply is not None:
            self._judge(reply, self.operation.name, self.key)
            if effect == "read" and not fits(self.operation, reply):
                raise Unreachable(
                    self._told(garbage(reply.status or 0, effect).message), status=reply.status, hint=self._advice_on_foreign()
                )
            self._warn_of_part()
        return reply

    def answer(self, target: str | None = None) -> Reply | None:
        """As `send`, with the service's answer as it is, good or bad. Raises StepError when there is none."""
        if self.context.planning:
            self.parts.check_files(self.context)
        body = self.parts.body if self.parts.form is None else dict(self.parts.form)
        call = Call(
            self.operation.name,
            self.operation.effect,
            method=self.parts.method,
            url=self.service.base + (target or self.parts.target()),
            path=self.parts.template,
            ids={name: str(value) for name, value in self.parts.ids.items()} | _named(body),
            body=body,
            domain=self.operation.rate_limit_domain,
        )
        return self._with_able_key(call)

    def status_of(self, request_id: str) -> Reply:
        """One look at what became of an accepted request. Raises StepError, never AnswerLost."""
        assert self.operation.follow is not None
        call = Call(
            self.operation.name + ".request_status",
            "read",
            method="GET",
            url=self.service.base + self.operation.follow.replace("{requestId}", request_id),
            path=self.operation.follow,
            ids={"requestId": request_id},
            domain=self.operation.rate_limit_domain,
        )
        key = self.service.keys.reading(self.key)
        reply = self._call(call, key)
        assert reply is not None, "a dry run has no request to follow"
        if not not_processed(reply):
            self._judge(reply, call.action, key)
        return reply

    def _with_able_key(self, call: Call) -> Reply | None:
        """The answer to the first key that may make the call, and to which what it names is there."""
        missing: Reply | None = None
        reply = self._call(call, self.key)
        while reply is not None and self._hidden(reply) and (stronger := self._stronger_key()):
            missing = missing or (reply if reply.status == 404 else None)
            self.key = stronger
            reply = self._call(call, self.key)
        return missing if missing and reply and reply.status in (401, 403) else reply

    def _hidden(self, reply: Reply) -> bool:
        """Whether another key may see more: to a team's key, what belongs to another team is forbidden or not there."""
        unseen = reply.status == 404 and self.operation.effect == "read" and self.key.kind == "team" and not self.settling
        return reply.status == 403 or unseen

    def _stronger_key(self) -> Key | None:
        """The next key to try."""
        return self.service.keys.after(self.key, self.operation.keys, self.operation.rights)

    def _warn_of_part(self) -> None:
        """A list of alerts under a team's key looks whole and is not."""
        name = self.operation.name
        if name in PARTLY_SEEN and self.key.kind == "team" and not self.settling and name not in self.service.said:
            self.service.said.add(name)
            self.context.log(f"{name}: the team key ({self.key.told}) sees the alerts of its team only", "warning")

    def _call(self, call: Call, key: Key) -> Reply | None:
        """One request, and one more with the new key when the store holds another than the one refused."""
        return renewing(self.service.keys.credential(key), lambda sent: self._call_once(call, key, sent), self.context)

    def _call_once(self, call: Call, key: Key, sent: list[Secret]) -> Reply | None:
        keys, context = self.service.keys, self.context

        def send() -> Reply:
            sent.append(keys.credential(key).secret())
            return self._transmit(call, sent[-1])

        if not (context.planning and call.effect == "write"):
            self._take_turn(call)
        if call.effect == "write":
            self.sent_at = context.clock.now()
        return context.call(replace(call, key=keys.use(key, sealed=context.planning)), send)

    def _take_turn(self, call: Call) -> None:
        """Waits while the rate limit holds the call back: before its intent, so that a run stopped meanwhile has nothing in doubt."""
        assert call.domain is not None
        self.deadline.extend(self.service.buckets.wait(call.domain, self.context.clock))

    def _transmit(self, call: Call, secret: Secret) -> Reply:
        """Puts a call on the wire. Raises Unreachable, and AnswerLost for a write; neither says anything of the key."""
        assert call.method is not None
        assert call.url is not None
        assert call.domain is not None
        clock = self.context.clock
        content, kind = self.parts.content(self.context) if call.effect == "write" else (None, None)
        headers: dict[str, str | Secret] = {
            "Authorization": secret,
            "User-Agent": USER_AGENT,
            "Accept": "*/*" if self.operation.frame else "application/json",
        }
        if kind:
            headers["Content-Type"] = kind
        if self._late():
            raise Unreachable(f"{call.action}: the time limit ran out before the request was sent", again="maybe")
        request = Request(call.method, call.url, headers, content, "GenieKey ", fresh=self.settling and call.effect == "write")
        try:
            response, reply = self._exchange(request, call)
        except AnswerLost as error:
            if call.effect == "write":
                raise AnswerLost(self._told(error.message), status=error.status, since=error.since) from None
            safe: Literal["maybe", "safe"] = "maybe" if isinstance(error, AnswerLate) else "safe"
            raise Unreachable(self._told(error.message), again=safe, hint=self._advice_on_silence()) from None
        except Unreachable as error:
            hint = self._advice() if error.status is None else self._advice_on_foreign()
            raise Unreachable(self._told(error.message), status=error.status, again=error.again, hint=hint) from None
        self._pace(call.domain, reply)
        ahead = _seconds_ahead(response, clock.now()) if call.effect == "read" else None  # only what is looked up is dated
        return reply if ahead is None else replace(reply, headers={**reply.headers, AHEAD: str(ahead)})

    def _exchange(self, request: Request, call: Call) -> tuple[Response, Reply]:
        """The answer; a read that a kept connection spoilt is sent once more over a new one."""
        try:
            return self._exchange_once(request, call)
        except Spoilt:
            if call.effect == "write" or self._late():
                raise
        return self._exchange_once(replace(request, fresh=True), call)

    def _exchange_once(self, request: Request, call: Call) -> tuple[Response, Reply]:
        """The answer. Raises Spoilt for one to another request, which a kept connection may bring; a new one is believed."""
        response = self.service.transport.send(request, timeout=self.deadline.left(self.context.clock.monotonic()))
        reply = reply_of(response, call.effect, self.operation.frame)
        reply = sealed(reply, self.operation.secrets, f"an answer to {self.operation.name}")
        if response.kept and call.action == self.operation.name and is_anothers(self.operation, call.ids, reply):
            raise Spoilt("the answer is one to another request", status=reply.status)
        return response, reply

    def _late(self) -> bool:
        """Whether the attempt's time has run out."""
        return self.deadline.left(self.context.clock.monotonic()) <= 0

    def _pace(self, domain: str, reply: Reply) -> None:
        """Learns the domain's rate from an answer."""
        clock, buckets = self.context.clock, self.service.buckets
        if reply.status == 429:
            buckets.refused(domain, period(reply), clock)
        else:
            buckets.passed(domain, clock)

    def _judge(self, reply: Reply, action: str, key: Key) -> None:
        """Raises what a bad answer stands for, in words that say what to do."""
        error = failure(reply)
        if error is None:
            return
        judged, region = verdict(reply), self.service.region
        about_key = isinstance(error, KeyRefused)
        hint = remedy(judged, self.operation, key, self.service.name, region) if about_key or judged is Verdict.PLAN else None
        shown = f"{key.told}, region {region}" if region else key.told
        said = f"{self.operation.name}: the service refused the {key.kind} key ({shown})" if about_key else action
        raise type(error)(f"{said}: {error.message}", status=error.status, retry_after=error.retry_after, hint=hint)

    def _told(self, message: str) -> str:
        return f"{self.operation.name}: {urlsplit(self.service.base).netloc}: {message}"

    def _advice(self) -> str:
        where = f"connections.{self.service.name}"
        return f"Check the network, {where}.region or .url, and {where}.proxy if there must be one. Nothing was sent; trying again is safe."

    def _advice_on_silence(self) -> str:
        return (
            f"The request left and no whole answer came. Check the network and connections.{self.service.name}.region or .url; "
            "a longer `timeout` or a `retry` may help. It is a read: trying again is safe."
        )

    def _advice_on_foreign(self) -> str:
        where = f"connections.{self.service.name}"
        return f"Is {where}.region or .url right? If it is, something between (a proxy, a sign-in page) answered in the service's place."


def _named(body: Any) -> dict[str, str]:
    """The alias a new alert is to have: what it is found by before it has an id."""
    return {"alias": body["alias"]} if isinstance(body, Mapping) and isinstance(body.get("alias"), str) else {}


def _seconds_ahead(response: Response, now: datetime) -> float | None:
    """Seconds the service's clock is ahead of this machine's, by the answer's Date."""
    try:
        return (parsedate_to_datetime(response.headers["date"]) - now).total_seconds()
    except (KeyError, ValueError, TypeError):
        return None
