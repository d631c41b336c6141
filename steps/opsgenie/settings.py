"""What a connection's entry in the configuration may say."""

from __future__ import annotations

from datetime import date

from steps.fields import Schema, list_of, one_of, record, text

HOSTS = {"us": "https://api.opsgenie.com", "eu": "https://api.eu.opsgenie.com"}
DEFAULT_REGION = "us"
SERVICE = "opsgenie"
"""What a connection is to, unless it says otherwise."""
API_ENDS = date(2027, 4, 5)
"""The last day of the service's REST API, as the vendor has announced it."""
RIGHTS = ("read", "create_and_update", "delete", "configuration_access")
"""What a key may be granted; the vendor's access rights, in the spelling of the configuration."""

_KEY = record(
    required=("kind", "secret"),
    kind=one_of("account", "heartbeat", "integration", "team"),
    team=text(min_length=1),
    rights=list_of(one_of(*RIGHTS)),
    secret=text() | {"x-reference": True},
)
_HOST = r"[A-Za-z0-9.-]+(:[0-9]{1,5})?"
_LOOPBACK = r"(127(\.[0-9]{1,3}){3}|localhost|\[::1\])(:[0-9]{1,5})?"

_NO_MORE = "no user, password or path"

SETTINGS_SCHEMA: Schema = record(
    service=one_of(SERVICE, "emulator"),
    region=one_of(*HOSTS),
    url=text(pattern=rf"^(https://{_HOST}|http://{_LOOPBACK})/?$")
    | {"x-rule": f"write https:// and a host, or http://localhost:PORT for a service on this machine; {_NO_MORE}"},
    keys=list_of(_KEY),
    proxy=text(pattern=rf"^http://{_HOST}/?$") | {"x-rule": f"write http:// and a host, such as http://proxy:3128; {_NO_MORE}"},
    ca_file=text(min_length=1) | {"x-path": True},
)
"""Draft-07. `url` takes the place of `region`; plain http is for this machine alone. A proxy is told no credentials here."""
