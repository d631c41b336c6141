from __future__ import annotations

import pytest

from steps.opsgenie.operations.contacts import ROWS


def test_a_contact_needs_a_method_and_an_address(faults):
    assert faults("opsgenie.contact.create", identifier="u", method="sms", to="1-5551234567") == set()
    assert faults("opsgenie.contact.create", identifier="u", method="sms") == {"required"}
    assert faults("opsgenie.contact.create", identifier="u", method="fax", to="1") == {"method enum"}


@pytest.mark.parametrize("verb", ["enable", "disable", "get", "delete"])
def test_one_contact_is_named_by_its_id(faults, verb):
    assert faults(f"opsgenie.contact.{verb}", identifier="u", contactId="c") == set()
    assert faults(f"opsgenie.contact.{verb}", identifier="u") == {"required"}


def test_contacts_are_configuration():
    assert all(row.configuration for row in ROWS)
