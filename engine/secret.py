"""The Secret type: a value that shows itself to nobody but the transport; the reference it is asked for by, and the name it goes by."""

from __future__ import annotations

import base64
import hashlib
import hmac
import re
import resource
import threading
from collections.abc import Callable
from dataclasses import dataclass

SHORTEST = 8
"""Characters: a shorter secret cannot be told from ordinary words when it is masked."""


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
        """The value itself; called where a request is put on the wire or a program is started, and where redaction learns what to hide."""
        return self._value

    def basic(self, username: str) -> Secret:
        """What HTTP's basic scheme makes of a user's name and this password."""
        return Secret(base64.b64encode(f"{username}:{self._value}".encode()).decode(), self.reference)

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


@dataclass(frozen=True, slots=True)
class SecretName:
    """A secret by the name a runbook gives it: what stands in a step's `with` until the moment it is sent."""

    name: str

    def __str__(self) -> str:
        return f"{{{{ secrets.{self.name} }}}}"


class Credential:
    """A reference and the secret behind it: asked for when it is first needed, and again once it was refused. Safe between threads.

    Attributes:
        reference: safe to print.

    Args:
        reference: as it is written.
        resolve: asks the source; raises KeyProblem.
    """

    def __init__(self, reference: str, resolve: Callable[[str], Secret]) -> None:
        self.reference = told(reference)
        self._written = reference
        self._resolve = resolve
        self._known: Secret | None = None
        self._lock = threading.Lock()

    def secret(self) -> Secret:
        """The secret. Raises KeyProblem."""
        with self._lock:
            if self._known is None:
                self._known = self._resolve(self._written)
            return self._known

    def renew(self, refused: Secret) -> bool:
        """Whether the source holds another value than the one refused, which is used from here on. Raises KeyProblem.

        Threads that were refused the same secret ask the source once.
        """
        with self._lock:
            if self._known is None or self._known is refused:
                self._known = self._resolve(self._written)
            return self._known.reveal() != refused.reveal()


def told(reference: str) -> str:
    """A reference as people and the audit log are told it: of a command its program alone, since an argument may be a secret itself."""
    program, *arguments = reference.split(maxsplit=1) if reference.startswith("cmd:") else [reference]
    return f"{program} …" if arguments else program


_KEY_SHAPED = re.compile(r"(?i)(?<![0-9a-z])[0-9a-f]{8}-?(?:[0-9a-f]{4}-?){3}[0-9a-f]{12}(?![0-9a-z])")
"""What many services' keys look like: 32 hexadecimal digits."""


def key_shaped(text: str) -> bool:
    """Whether a text holds what looks like a key."""
    return _KEY_SHAPED.search(text) is not None


def without_keys(text: str) -> str:
    """A text in which whatever looks like a key is masked."""
    return _KEY_SHAPED.sub("***", text)


def no_core_dumps() -> None:
    """A dump of a process that holds keys would hold them too, and lie where others may read it."""
    _, hard = resource.getrlimit(resource.RLIMIT_CORE)
    resource.setrlimit(resource.RLIMIT_CORE, (0, hard))
