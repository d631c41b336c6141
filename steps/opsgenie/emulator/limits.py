"""Rate limits: token buckets, one set a domain."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime

DOMAINS = (
    "alert",
    "configuration",
    "email",
    "heartbeat",
    "incident",
    "integration",
    "integration-configuration",
    "schedule-oncalls",
    "search",
)


@dataclass(frozen=True, slots=True)
class RateLimit:
    """So many requests in so many seconds."""

    limit: int
    period_in_seconds: int


GENEROUS = (RateLimit(1_000_000, 60), RateLimit(1_000_000, 1))


@dataclass(slots=True)
class _Bucket:
    rate: RateLimit
    tokens: float
    since: datetime

    def refill(self, now: datetime) -> None:
        gained = (now - self.since).total_seconds() * self.rate.limit / self.rate.period_in_seconds
        self.tokens = min(self.rate.limit, self.tokens + gained)
        self.since = now


@dataclass(slots=True)
class Limiter:
    """The buckets of every domain; a domain that `limits` does not name is generous."""

    limits: Mapping[str, tuple[RateLimit, ...]]
    _buckets: dict[str, list[_Bucket]] = field(default_factory=dict)

    def take(self, domain: str, now: datetime) -> RateLimit | None:
        """Takes one token from each of the domain's buckets; the limit that was hit, or None."""
        buckets = self._buckets.setdefault(domain, [_Bucket(rate, rate.limit, now) for rate in self.of(domain)])
        for bucket in buckets:
            bucket.refill(now)
        for bucket in buckets:
            if bucket.tokens < 1:
                return bucket.rate
        for bucket in buckets:
            bucket.tokens -= 1
        return None

    def of(self, domain: str) -> tuple[RateLimit, ...]:
        """The limits of a domain."""
        return self.limits.get(domain, GENEROUS)
