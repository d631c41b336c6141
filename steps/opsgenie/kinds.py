"""The kinds of key there are: what each is for, where in Opsgenie it is made, by whom, on which plans, and where its rights are changed.

Facts: the vendor's pages on API keys, API integrations and access management.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

from steps.operation import KeyKind


@dataclass(frozen=True, slots=True)
class KindOfKey:
    """One kind of key, in words for people.

    Attributes:
        purpose: what it is for, and what it cannot do.
        menu: where it is made.
        steps: what to do there, in order.
        makers: who may make it.
        plans: what the smaller plans lack.
        narrow: where its rights are changed.
    """

    purpose: str
    menu: str
    steps: tuple[str, ...]
    makers: str
    plans: str
    narrow: str


_ACCESS = "its access settings: read only, no deleting, no configuration"

KINDS: Mapping[KeyKind, KindOfKey] = {
    "team": KindOfKey(
        purpose="alerts and incidents of one team, and that team's own settings; the narrowest key for alerts",
        menu="Teams > the team > Integrations",
        steps=(
            "open Teams and choose the team",
            "choose Integrations, then Add integration, and look for API",
            "name it, save it, switch it on, and copy its API key",
        ),
        makers="an admin of the team, or an Owner or Admin of the account",
        plans="on every plan; on Free and Essentials it is the only key that may create, acknowledge and close alerts",
        narrow=f"Teams > the team > Integrations > the integration, {_ACCESS}",
    ),
    "integration": KindOfKey(
        purpose="alerts and incidents of the whole account, and its settings unless that is switched off",
        menu="Settings > Integrations",
        steps=(
            "open Settings, then Integrations, then Add integration, and look for API",
            "name it, and choose a team only if every alert is to go there",
            "go on to its steps to configure, switch it on, and copy its API key",
        ),
        makers="an Owner or Admin, or a custom role that may edit the configuration",
        plans="not on Free and Essentials, which have no such page: make a team's key there",
        narrow=f"Settings > Integrations > the integration, {_ACCESS}",
    ),
    "account": KindOfKey(
        purpose="users, teams, schedules and reports of the whole account; it cannot create, acknowledge or close an alert or add a note",
        menu="Settings > App settings > API key management",
        steps=(
            "open Settings, and under App settings choose API key management",
            "choose Add new API key, name it, and tick only the access rights it needs",
            "copy the key before you save: it is shown this once",
        ),
        makers="an Owner or Admin, or a custom role that may edit the configuration",
        plans="on every plan",
        narrow="Settings > App settings > API key management > the key, its access rights",
    ),
    "heartbeat": KindOfKey(
        purpose="heartbeats and nothing else: the narrowest key for a dead man's switch",
        menu="Settings > Integrations",
        steps=(
            "open Settings, then Integrations, then Add integration, and look for Heartbeat",
            "name it, save it, switch it on, and copy its API key",
        ),
        makers="an Owner or Admin, or a custom role that may edit the configuration",
        plans="not on Free and Essentials, which have no such page",
        narrow="Settings > Integrations > the integration, its access settings",
    ),
}
"""By the word the configuration uses; in the order in which people should consider them."""
