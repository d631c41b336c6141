"""Least privilege: what a set of needs asks of each key, and what the key may do beyond that."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from engine.contracts import KeyUsage, Need
from steps.operation import rights_for
from steps.opsgenie.keys import LEAST_PRIVILEGED_FIRST, Key, choose, read_keys, rights_of
from steps.opsgenie.kinds import KINDS
from steps.opsgenie.settings import RIGHTS


def key_usage(settings: Mapping[str, Any], needs: Sequence[Need]) -> list[KeyUsage]:
    """One row a key, least privileged first; see engine.contracts.Vendor."""
    keys = read_keys(settings)
    chosen = [(choose(keys, need.kinds, rights_of(need)), need) for need in needs]
    return [_usage(key, {place: need for place, (taken, need) in enumerate(chosen) if taken is key}) for key in keys]


def _usage(key: Key, served: Mapping[int, Need]) -> KeyUsage:
    needs = list(served.values())
    asked = {right for need in needs for right in rights_for(key.kind, rights_of(need))}
    has = RIGHTS if key.rights is None else [right for right in RIGHTS if right in key.rights]
    return KeyUsage(
        key.kind,
        key.told,
        key.team,
        tuple(served),
        needed=tuple(right for right in RIGHTS if right in asked),
        granted=None if key.rights is None else tuple(has),
        beyond=tuple(right for right in has if right not in asked),
        weaker=_weaker(key, needs),
        narrow=KINDS[key.kind].narrow,
    )


def _weaker(key: Key, needs: Sequence[Need]) -> str | None:
    """The least privileged kind that may make every call that goes with the key, if that is another."""
    able = [kind for kind in LEAST_PRIVILEGED_FIRST if all(kind in (need.kinds or LEAST_PRIVILEGED_FIRST) for need in needs)]
    return able[0] if needs and able and able[0] != key.kind else None
