"""From settings to an opened connection: which host, which keys, which transport."""

from __future__ import annotations

import threading
from collections.abc import Callable, Mapping
from typing import TYPE_CHECKING, Any

from engine.contracts import Surroundings
from engine.secret import Credential, Secret
from steps.exchange import Request, Response, Transport
from steps.opsgenie.attempt import Service
from steps.opsgenie.buckets import Buckets
from steps.opsgenie.connection import Connection
from steps.opsgenie.keys import Key, KeyRing, least_privileged_first, read_keys
from steps.opsgenie.settings import DEFAULT_REGION, HOSTS, RIGHTS

if TYPE_CHECKING:
    from steps.opsgenie.emulator import Emulator


class LazyTransport(Transport):
    """A transport that is made at the first send: importing httpx costs some 70 ms."""

    def __init__(self, make: Callable[[], Transport]) -> None:
        self._make = make
        self._made: Transport | None = None
        self._lock = threading.Lock()

    def send(self, request: Request, *, timeout: float) -> Response:
        """See steps.exchange.Transport."""
        return (self._made or self._make_once()).send(request, timeout=timeout)

    def _make_once(self) -> Transport:
        with self._lock:
            if self._made is None:
                self._made = self._make()
            return self._made

    def close(self) -> None:
        """Closes what was made."""
        if self._made is not None:
            self._made.close()


def open_connection(name: str, settings: Mapping[str, Any], surroundings: Surroundings) -> Connection:
    """Opens a connection; sends nothing and resolves no secret yet."""
    return Connection(open_service(name, settings, surroundings))


def open_service(name: str, settings: Mapping[str, Any], surroundings: Surroundings) -> Service:
    """What a connection's attempts will share: its host, keys and transport."""
    if surroundings.emulate or settings.get("service") == "emulator":
        return _emulated(name, settings, surroundings)
    region = None if "url" in settings else settings.get("region", DEFAULT_REGION)
    base = settings["url"].rstrip("/") if region is None else HOSTS[region]
    ring = KeyRing(name, read_keys(settings), surroundings.credential)
    return Service(name, base, region, ring, Buckets(), LazyTransport(lambda: _over_http(settings)))


def _over_http(settings: Mapping[str, Any]) -> Transport:
    from steps.transport import HttpTransport

    return HttpTransport(ca_file=settings.get("ca_file"), proxy=settings.get("proxy"))


def _emulated(name: str, settings: Mapping[str, Any], surroundings: Surroundings) -> Service:
    """The run's emulator in this process, with keys of the kinds and rights that are configured.

    Without a configuration there is no team key: it would be the least privileged, and would see its team's alerts only.
    """
    from steps.opsgenie.emulator import EmulatorTransport
    from steps.opsgenie.emulator.keys import made_key

    emulator = _shared_emulator(surroundings)
    keys = read_keys(settings) or (Key("integration", "emulator:integration"), Key("account", "emulator:account"))
    first = len(emulator.keys)
    made = [made_key(key.kind, first + number, sorted(key.rights or RIGHTS), key.team) for number, key in enumerate(keys)]
    emulator.keys += tuple(made)
    values = {key.reference: known.value for key, known in zip(keys, made, strict=True)}
    secrets = {reference: Credential(reference, lambda known: Secret(values[known], known)) for reference in values}
    ring = KeyRing(name, least_privileged_first(keys), secrets.__getitem__)
    return Service(name, "http://emulator.invalid", None, ring, Buckets(), EmulatorTransport(emulator))


def _shared_emulator(surroundings: Surroundings) -> Emulator:
    """The one emulator of a run: every connection of it talks to the same account."""
    from steps.opsgenie.emulator import Emulator, parse_faults

    if "emulator" not in surroundings.shared:
        surroundings.shared["emulator"] = Emulator(
            clock=surroundings.clock,
            state=surroundings.emulator_state,
            keys=(),
            faults=parse_faults(surroundings.emulator_faults) if surroundings.emulator_faults else (),
            journal=surroundings.emulator_journal,
        )
    emulator: Emulator = surroundings.shared["emulator"]
    return emulator
