"""The keys of a connection: which one a call goes with, and when its secret is read.

Facts: the vendor's pages on API keys and the service's own answers; an account key may not create, acknowledge or close an alert or
add a note to one, a team key may not make account-level calls. Which kinds may make a call stands in the operation's row.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from engine.contracts import KeyUse, Need
from engine.errors import KeyProblem
from engine.secret import Credential, told
from steps.operation import KeyKind, rights_for
from steps.opsgenie.kinds import KINDS

LEAST_PRIVILEGED_FIRST: tuple[KeyKind, ...] = ("heartbeat", "team", "integration", "account")


@dataclass(frozen=True, slots=True)
class Key:
    """One key of the configuration.

    Attributes:
        reference: where its secret is kept; `told` is how others see it.
        rights: what it was granted; None when the configuration does not say, which counts as all its kind may do.
    """

    kind: KeyKind
    reference: str
    rights: frozenset[str] | None = None
    team: str | None = None

    @property
    def told(self) -> str:
        """The reference, fit to be shown."""
        return told(self.reference)

    def may(self, kinds: Sequence[str], rights: Sequence[str]) -> bool:
        """Whether it may make a call open to these kinds that needs these rights."""
        return self.kind in kinds and (self.rights is None or self.rights.issuperset(rights_for(self.kind, rights)))

    def __str__(self) -> str:
        team = f" of {self.team}" if self.team else ""
        rights = "" if self.rights is None else f" with {_listed(sorted(self.rights), 'and') or 'no right'}"
        return f"{self.kind}{team} ({self.told}){rights}"


def read_keys(settings: Mapping[str, Any]) -> tuple[Key, ...]:
    """The keys of a connection's settings, least privileged first."""
    keys = (
        Key(key["kind"], key["secret"], frozenset(key["rights"]) if "rights" in key else None, key.get("team"))
        for key in settings.get("keys", ())
    )
    return least_privileged_first(keys)


def least_privileged_first(keys: Iterable[Key]) -> tuple[Key, ...]:
    """The keys in the order in which they are tried."""
    return tuple(sorted(keys, key=lambda key: LEAST_PRIVILEGED_FIRST.index(key.kind)))


def choose(keys: Sequence[Key], kinds: Sequence[str], rights: Sequence[str]) -> Key | None:
    """The least privileged key that may make the call; no kinds: any key."""
    return next((key for key in keys if key.may(kinds or LEAST_PRIVILEGED_FIRST, rights)), None)


def rights_of(need: Need) -> tuple[str, ...]:
    """Every right a need names."""
    return tuple(filter(None, need.right.split("+")))


def missing(keys: Sequence[Key], kinds: Sequence[str], rights: Sequence[str]) -> str:
    """Why no key may make the call: what would do, and what is there."""
    wanted = f"a key of kind {_listed(kinds, 'or')}" if kinds else "a key"
    granted = f" with {_listed(rights, 'and')}" if rights else ""
    there = "; ".join(map(str, keys)) or "no key"
    return f"needs {wanted}{granted}; the connection has {there}"


def origin(kinds: Sequence[str]) -> str:
    """Where keys of these kinds are made."""
    made = (
        f"A key of kind {kind} is made under {KINDS[kind].menu} ({KINDS[kind].plans})." for kind in LEAST_PRIVILEGED_FIRST if kind in kinds
    )
    return " ".join(made)


class KeyRing:
    """The keys of one opened connection; safe to use from many threads.

    Args:
        credential: a reference → the secret behind it, always the same object.
    """

    def __init__(self, connection: str, keys: Sequence[Key], credential: Callable[[str], Credential]) -> None:
        self._connection = connection
        self._keys = tuple(keys)
        self._credential = credential

    @property
    def keys(self) -> tuple[Key, ...]:
        """Every key, least privileged first."""
        return self._keys

    def alone(self, key: Key) -> KeyRing:
        """A ring of one of the keys: what is refused to it is asked with no other."""
        return KeyRing(self._connection, (key,), self._credential)

    def find(self, kinds: Sequence[str], rights: Sequence[str]) -> Key | None:
        """The least privileged key for a call, or None."""
        return choose(self._keys, kinds, rights)

    def choose(self, action: str, kinds: Sequence[str], rights: Sequence[str]) -> Key:
        """The least privileged key for a call. Raises KeyProblem."""
        key = self.find(kinds, rights)
        if key is None:
            message = f"connection {self._connection}: {action} {missing(self._keys, kinds, rights)}"
            raise KeyProblem(message, hint=origin(kinds or LEAST_PRIVILEGED_FIRST))
        return key

    def after(self, key: Key, kinds: Sequence[str], rights: Sequence[str]) -> Key | None:
        """The next more privileged key that may make the call."""
        return choose(self._keys[self._keys.index(key) + 1 :], kinds, rights)

    def reading(self, key: Key) -> Key:
        """The key to ask with what became of a request: the one that made it, unless it may not read. Every kind may ask."""
        may = key.rights is None or "read" in key.rights
        return key if may else choose(self._keys, (), ("read",)) or key

    def credential(self, key: Key) -> Credential:
        """The key's secret, which is asked for late."""
        return self._credential(key.reference)

    def use(self, key: Key, *, sealed: bool) -> KeyUse:
        """The key as a call tells it; `sealed`: without reading its secret."""
        return KeyUse(key.kind, key.told, None if sealed else self.credential(key).secret())


def _listed(words: Sequence[str], last: str) -> str:
    """`a, b or c`."""
    return f" {last} ".join(filter(None, (", ".join(words[:-1]), words[-1] if words else "")))
