"""The Secret type: a value that shows itself to nobody but the transport; and how a reference to one is told."""

from __future__ import annotations

import hashlib
import hmac
import resource


class Secret:
    """A secret value whose str, repr and format are `***`, and which neither JSON nor pickle takes.

    Attributes:
        reference: where the value came from (`env:NAME`, `file:/path`); safe to print.
    """

    __slots__ = ("_value", "reference")

    def __init__(self, value: str, reference: str) -> None:
        self._value = value
        self.reference = told(reference)

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


def told(reference: str) -> str:
    """A reference as people and the audit log are told it: of a command its program alone, since an argument may be a secret itself."""
    program, *arguments = reference.split(maxsplit=1) if reference.startswith("cmd:") else [reference]
    return f"{program} …" if arguments else program


def no_core_dumps() -> None:
    """A dump of a process that holds keys would hold them too, and lie where others may read it."""
    _, hard = resource.getrlimit(resource.RLIMIT_CORE)
    resource.setrlimit(resource.RLIMIT_CORE, (0, hard))
