from __future__ import annotations

from steps.operation import Idempotency
from steps.opsgenie.operations import OPERATIONS


def test_an_incident_needs_a_message_and_a_service(faults):
    assert faults("opsgenie.incident.create", message="m", serviceId="s", responders=[{"type": "team", "name": "dba"}]) == set()
    assert faults("opsgenie.incident.create", message="m") == {"required"}
    assert faults("opsgenie.incident.create", message="m" * 131, serviceId="s") == {"message maxLength"}


def test_an_incident_is_never_opened_twice_by_itself():
    assert OPERATIONS["opsgenie.incident.create"].idempotency is Idempotency.ONCE


def test_a_list_needs_a_query(faults):
    assert faults("opsgenie.incident.list", query="status:open", limit=500) == set()
    assert faults("opsgenie.incident.list") == {"required"}


def test_an_incident_has_no_alias(faults):
    assert faults("opsgenie.incident.get", identifier="7", identifierType="tiny") == set()
    assert faults("opsgenie.incident.get", identifier="7", identifierType="alias") == {"identifierType enum"}


def test_notes_are_listed_page_by_page(faults):
    assert faults("opsgenie.incident.list_notes", identifier="7", identifierType="tiny", limit=5, order="asc") == set()
