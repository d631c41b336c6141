from __future__ import annotations

import pytest

from steps.opsgenie.operations import OPERATIONS


def test_a_file_is_named_by_its_path(faults):
    row = OPERATIONS["opsgenie.alert.add_attachment"]
    assert [name for name, field in row.form.items() if field.get("x-file")] == ["file"]
    assert faults(row.name, identifier="a", file="logs/db.txt") == set()
    assert faults(row.name, identifier="a") == {"required"}


@pytest.mark.parametrize("number", [1545658912, "1545658912"])
def test_an_attachment_is_named_as_the_list_gives_it(faults, number):
    assert faults("opsgenie.alert.get_attachment", identifier="a", attachmentId=number) == set()
    assert OPERATIONS["opsgenie.alert.get_attachment"].url_path({"identifier": "a", "attachmentId": number}).endswith("/1545658912")


def test_the_kind_of_identifier_has_a_name_of_its_own_here(faults):
    assert faults("opsgenie.alert.list_attachments", identifier="a", alertIdentifierType="alias") == set()
    assert faults("opsgenie.alert.list_attachments", identifier="a", identifierType="alias") == {"additionalProperties"}
