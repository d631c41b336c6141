"""How a request says who asks: the field `auth` of core.http, and the one further try when a secret has changed meanwhile."""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass, replace
from typing import Any
from urllib.parse import urlsplit

from engine.contracts import KeyUse, Reply, StepContext
from engine.errors import KeyRefused, StepError
from engine.secret import Credential, Secret
from steps.exchange import Request
from steps.fields import exclusive, needs_one_of, record, secret, text

SCHEMA = record(
    bearer=secret(),
    basic=record(
        required=("username", "password"), username=text(max_length=255, pattern=r"^[^:\x00-\x1f\x7f]*$(?!\n)"), password=secret()
    ),
    header=record(
        required=("name", "value"),
        name=text(pattern=r"^[!#$%&'*+.^_`|~0-9A-Za-z-]+$(?!\n)", max_length=100),
        value=secret(),
        prefix=text(pattern=r"^[ -~]*$(?!\n)", max_length=50),
    ),
) | {
    "allOf": [
        exclusive("bearer", "basic"),
        exclusive("bearer", "header"),
        exclusive("basic", "header"),
        needs_one_of("bearer", "basic", "header"),
    ]
}
"""`auth`: one of the three. `header` is for services with a header of their own; `prefix` stands before the secret there (`Token `)."""

_THIS_MACHINE = re.compile(r"127(\.[0-9]{1,3}){3}|localhost|::1")


@dataclass(frozen=True, slots=True)
class Authorization:
    """Who asks, and the secret that proves it.

    Attributes:
        scheme: bearer, basic or header.
        header: the name of the header that tells it, in lower case.
        prefix: before the secret.
        username: of the basic scheme.
    """

    scheme: str
    credential: Credential
    header: str = "authorization"
    prefix: str = ""
    username: str = ""

    def use(self, *, sealed: bool) -> KeyUse:
        """The secret as a call tells it; `sealed`: without asking for it. Raises KeyProblem."""
        return KeyUse(self.scheme, self.credential.reference, None if sealed else self.credential.secret())

    def signed(self, request: Request, secret: Secret) -> Request:
        """The request with the secret in its header."""
        value = secret.basic(self.username) if self.scheme == "basic" else secret
        return replace(request, headers={**request.headers, self.header: value}, secret_prefix=self.prefix)

    def refused(self, status: int) -> KeyRefused:
        """The error of a secret that the service does not take, though it was asked for once more."""
        return KeyRefused(
            f"the service answered {status}: it does not take the secret {self.credential.reference}",
            status=status,
            hint="opsbook asked for it once more before it gave up; put a valid one there and run again",
        )

    def not_allowed(self, message: str) -> KeyRefused:
        """The error of a secret that the service takes, and not for this."""
        return KeyRefused(
            f"{message} (asked with the secret {self.credential.reference})", status=403, hint="grant it the right, or take another"
        )


def authorization(auth: Mapping[str, Any] | None, url: str, context: StepContext) -> Authorization | None:
    """What `auth` says. Raises KeyProblem: the secret has no reference; StepError: it would go over the net in the clear."""
    if auth is None:
        return None
    parts = urlsplit(url)
    if parts.scheme == "http" and not _THIS_MACHINE.fullmatch(parts.hostname or ""):
        raise StepError(
            "a secret is not sent over plain http to another machine",
            code="url_refused",
            again="never",
            hint="use the service's https address",
        )
    if "bearer" in auth:
        return Authorization("bearer", context.credential(auth["bearer"]), prefix="Bearer ")
    if "basic" in auth:
        basic = auth["basic"]
        return Authorization("basic", context.credential(basic["password"]), prefix="Basic ", username=basic["username"])
    header = auth["header"]
    return Authorization("header", context.credential(header["value"]), header["name"].lower(), header.get("prefix", ""))


def renewing(credential: Credential, once: Callable[[list[Secret]], Reply | None], context: StepContext) -> Reply | None:
    """One request, and one more when it is answered 401 and the source holds another secret by then.

    `once` adds the secret it sends to the list it is given; where the journal answers nothing is sent, and what an earlier process did
    then is done. Raises KeyProblem, and what `once` raises.
    """
    sent: list[Secret] = []
    reply = once(sent)
    if reply is None or reply.status != 401:
        return reply
    again = credential.renew(sent[-1]) if sent else context.goes_on()
    return once(sent) if again else reply
