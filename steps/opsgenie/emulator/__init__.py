"""The embedded Opsgenie: an account in this process, or served to any client.

Facts are the vendor's where they are known; each domain's module says what is unconfirmed and was chosen.
"""

from __future__ import annotations

from steps.opsgenie.emulator.faults import Fault, parse_faults
from steps.opsgenie.emulator.keys import EmulatorKey
from steps.opsgenie.emulator.limits import RateLimit
from steps.opsgenie.emulator.responses import Delivery
from steps.opsgenie.emulator.service import Emulator, RequestLine
from steps.opsgenie.emulator.state_schema import STATE_SCHEMA
from steps.opsgenie.emulator.transport import EmulatorTransport

__all__ = ["STATE_SCHEMA", "Delivery", "Emulator", "EmulatorKey", "EmulatorTransport", "Fault", "RateLimit", "RequestLine", "parse_faults"]
