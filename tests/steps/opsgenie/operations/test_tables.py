from __future__ import annotations

import re
from pathlib import Path

import pytest
from jsonschema import Draft7Validator

import steps.opsgenie.operations as tables
from steps.operation import Idempotency, Operation
from steps.opsgenie.operations import DOMAINS, OPERATIONS

ROWS = [pytest.param(row, id=row.name) for rows in DOMAINS.values() for row in rows]
NEEDS_NO_RIGHT_TO_WRITE = "opsgenie.heartbeat.ping"
TAKEN_BY_COMPOSITES = {"opsgenie.alert.update", "opsgenie.alert.route", "opsgenie.user.ensure", "opsgenie.user.offboard"}


def test_the_table_lists_every_file_sorted():
    files = sorted(file.stem for file in Path(tables.__file__).parent.glob("*.py") if file.stem != "__init__")
    assert list(DOMAINS) == files


def test_every_file_has_its_test():
    tests = {file.stem.removeprefix("test_") for file in Path(__file__).parent.glob("test_*.py")}
    assert set(DOMAINS) <= tests


@pytest.mark.parametrize("domain", DOMAINS)
def test_rows_stand_in_order(domain: str):
    names = [row.name for row in DOMAINS[domain]]
    assert names == sorted(names)


def test_no_name_is_given_twice_and_none_is_lost():
    names = [row.name for rows in DOMAINS.values() for row in rows]
    assert list(OPERATIONS) == sorted(set(names))
    assert len(names) == len(set(names))
    assert not TAKEN_BY_COMPOSITES & set(names)


def test_no_two_rows_are_the_same_request():
    requests = [re.sub(r"\{\w+\}", "{}", row.request) for row in OPERATIONS.values()]
    assert len(requests) == len(set(requests))


@pytest.mark.parametrize("row", ROWS)
def test_names_are_snake_case(row: Operation):
    assert re.fullmatch(r"opsgenie\.[a-z]+\.[a-z]+(_[a-z]+)*", row.name)


@pytest.mark.parametrize("row", ROWS)
def test_summary_is_one_sentence(row: Operation):
    assert re.fullmatch(r"[A-Z][^.\n]+\.", row.summary)
    assert len(row.summary) <= 100


@pytest.mark.parametrize("row", ROWS)
def test_schemas_are_draft_07(row: Operation):
    Draft7Validator.check_schema(row.inputs)
    Draft7Validator.check_schema(row.outputs)
    assert row.outputs["type"] == "object"


@pytest.mark.parametrize("row", ROWS)
def test_fields_do_not_hide_each_other(row: Operation):
    names = [*row.path_names, *row.query, *row.body, *row.form]
    assert len(names) == len(set(names))
    assert set(row.path) <= set(row.path_names)
    assert set(row.required) <= set(names)


@pytest.mark.parametrize("row", ROWS)
def test_idempotency_fits_the_request(row: Operation):
    assert (row.idempotency is Idempotency.SAFE) == (row.effect == "read")
    assert (row.idempotency in {Idempotency.CLASH, Idempotency.MARKED}) == (row.lookup is not None)
    assert (row.idempotency is Idempotency.DELETE) == (row.right == "delete")
    assert (row.right == "read") == (row.effect == "read" or row.name == NEEDS_NO_RIGHT_TO_WRITE)


@pytest.mark.parametrize("row", [param for param in ROWS if param.values[0].lookup])
def test_lookup_is_a_read_that_exists(row: Operation):
    assert OPERATIONS[row.lookup].effect == "read"


@pytest.mark.parametrize("row", [param for param in ROWS if param.values[0].follow])
def test_an_asynchronous_write_is_followed_at_a_status_that_exists(row: Operation):
    status = next(other for other in OPERATIONS.values() if other.request == f"GET {row.follow}")
    assert set(row.data["properties"]) == {*status.data["properties"], "requestId"}


@pytest.mark.parametrize("row", ROWS)
def test_keys_run_from_the_least_privileged_up(row: Operation):
    order = ["heartbeat", "team", "integration", "account"]
    assert list(row.keys) == sorted(set(row.keys), key=order.index)
    assert "integration" in row.keys


@pytest.mark.parametrize("row", [param for param in ROWS if param.values[0].listing])
def test_a_list_takes_what_its_paging_sends(row: Operation):
    assert row.listing is not None
    paged = {"limit", "offset"}
    assert (paged <= set(row.query)) == (row.listing.style != "whole")
    if row.listing.style == "whole":
        assert not paged & set(row.query)
    else:
        assert row.query["offset"]["type"] == {"offset": "integer", "cursor": "string"}[row.listing.style]
        assert "maximum" not in row.query["limit"]
