"""The Secret type: a value that shows itself to nobody but the transport."""

from __future__ import annotations

import hashlib
import hmac


class Secret:
    """A secret value whose str, repr and format are `***`, and which neither JSON nor pickle takes.

    Attributes:
        reference: where the value came from (`env:NAME`, `file:/path`); safe to print.
    """

    __slots__ = ("_value", "reference")

    def __init__(self, value: str, reference: str) -> None:
        self._value = value
        self.reference = reference

    def reveal(self) -> str:
        """The value itself; called where a request is put on the wire, and where redaction learns what to hide."""
        return self._value

    def fingerprint(self, key: bytes) -> str:
        """HMAC-SHA256 of the value under `key`, 16 hex digits: tells keys apart, gives none away."""
        return hmac.new(key, self._value.encode(), hashlib.sha256).hexdigest()[:16]

    def __str__(self) -> str:
        return "***"

    __repr__ = __str__

    def __format__(self, _spec: str) -> str:
        return "***"

    def __reduce__(self) -> str | tuple[object, ...]:
        raise TypeError("a secret cannot be pickled or copied")
