"""Steps of several calls, each in a file of its own."""

from __future__ import annotations

from engine.contracts import Step
from steps.opsgenie.composites.ensure_user import EnsureUser
from steps.opsgenie.composites.offboard_user import OffboardUser
from steps.opsgenie.composites.route_alert import RouteAlert
from steps.opsgenie.composites.update_alert import UpdateAlert

COMPOSITES: dict[str, Step] = {
    "opsgenie.alert.route": RouteAlert(),
    "opsgenie.alert.update": UpdateAlert(),
    "opsgenie.user.ensure": EnsureUser(),
    "opsgenie.user.offboard": OffboardUser(),
}
