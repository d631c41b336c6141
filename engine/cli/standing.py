"""How a connection stands, in lines for people."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from datetime import UTC, date, datetime

from engine.contracts import ConnectionStanding, KeyStanding
from engine.redaction import one_line

_REACHED = {True: "reachable", False: "not reachable", None: "nothing was sent"}


def lines(found: ConnectionStanding) -> Iterator[str]:
    """One line a thing."""
    region = f" (region {found.region})" if found.region else ""
    yield f"{found.name}: {found.address}{region}: {_REACHED[found.reachable]}"
    if found.account or found.plan:
        yield one_line(f"  account  {found.account or '?'}, plan {found.plan or '?'}")
    if found.lacks:
        yield f"  plan     it does not have {found.lacks}"
    for key in found.keys:
        yield from map(one_line, _key(key))
    if not found.keys:
        yield "  key      none is configured"
    if found.limits:
        yield one_line(f"  limits   {_limits(found)}")
    if found.throttled:
        yield f"  limits   held back at this moment: {', '.join(found.throttled)}"
    if found.ends:
        yield f"  API      {_days(found.ends)}"


def days_left(ends: date) -> int:
    """Days until a service's API ends, by this machine's clock; negative afterwards."""
    return (ends - datetime.now(UTC).date()).days


def _days(ends: date) -> str:
    left = days_left(ends)
    return f"works until {ends}: {left} days are left" if left >= 0 else f"was announced to end on {ends}, {-left} days ago"


def _key(key: KeyStanding) -> Iterator[str]:
    team = f" of {key.team}" if key.team else ""
    yield f"  key      {key.kind}{team} ({key.reference}): {key.problem or 'works'}"
    if key.hint:
        yield f"           → {key.hint}"
    if key.exit_status == 0:
        yield f"  rights   {_rights(key)}"
    for note in key.notes:
        yield f"           {note}"


def _rights(key: KeyStanding) -> str:
    """What was seen of its rights; of the others, that reads do not show them."""
    seen = [f"{right}: {'yes' if has else 'no'}" for right, has in key.rights.items() if has is not None]
    rest = [right for right, has in key.rights.items() if has is None]
    return "; ".join(filter(None, [", ".join(seen), f"{', '.join(rest)}: only writes would show" if rest else ""]))


def _limits(found: ConnectionStanding) -> str:
    """`alert 600/60s 10/1s, …`: so many requests in so many seconds."""
    return ", ".join(f"{domain} {_rates(limits)}" for domain, limits in found.limits.items())


def _rates(limits: Sequence[Mapping[str, int]]) -> str:
    return " ".join(f"{one['limit']}/{one['periodInSeconds']}s" for one in limits)
