"""Compares every row with the vendor's API definition and with the catalogue of facts; each deviation is meant and has its reason."""

from __future__ import annotations

import json
import re
from collections.abc import Iterator
from fnmatch import fnmatch
from itertools import chain
from typing import Any

import pytest
from jsonschema import Draft7Validator

from steps.operation import Operation, rights_for
from steps.opsgenie.operations import DOMAINS, OPERATIONS

Definition = dict[str, Any]

DEVIATIONS = {
    ("opsgenie.alert.*_attachment", "path.attachmentId: ours string/integer, vendor's integer"): "upload answers with text",
    ("opsgenie.alert.list_attachments", "data.id: ours string/integer, vendor's string"): "numbers were seen in lists",
    ("opsgenie.alert.[gl]*t", "data.teams: not the vendor's"): "the service answers with it beside the responders",
    ("opsgenie.alert.[gl]*t", "data.ownerTeamId: not the vendor's"): "the service answers with it; empty while no team owns the alert",
    ("opsgenie.alert.*", "data.success: not the vendor's"): "documented examples and recordings have it beside isSuccess",
    ("opsgenie.alert.*_saved_search", "data.result: not the vendor's"): "every other synchronous write names its result",
    ("opsgenie.heartbeat.ping", "data.id: not ours"): "a ping is answered before the service knows whether there is such a heartbeat",
    ("opsgenie.heartbeat.ping", "data.name: not ours"): "as its id",
    ("opsgenie.heartbeat.ping", "data.requestId: not the vendor's"): "the one thing of a ping that the vendor's support may ask for",
    ("opsgenie.heartbeat.*", "data.ownerTeam: not the vendor's"): "the service answers with it",
    ("opsgenie.heartbeat.*", "data.alertMessage: not the vendor's"): "the service answers with it",
    ("opsgenie.heartbeat.*", "data.alertTags: not the vendor's"): "the service answers with it",
    ("opsgenie.heartbeat.*", "data.alertPriority: not the vendor's"): "the service answers with it",
    ("opsgenie.heartbeat.update", "body.ownerTeam: not the vendor's"): "the vendor's Go SDK and Terraform provider send it",
    ("opsgenie.heartbeat.update", "body.alertMessage: not the vendor's"): "the vendor's Go SDK and Terraform provider send it",
    ("opsgenie.heartbeat.update", "body.alertTags: not the vendor's"): "the vendor's Go SDK and Terraform provider send it",
    ("opsgenie.heartbeat.update", "body.alertPriority: not the vendor's"): "the vendor's Go SDK and Terraform provider send it",
    (
        "opsgenie.incident.create",
        "body.statusPageEntry.*: ours any, vendor's object",
    ): "documentation shows one entry, the definition a map",
    ("opsgenie.team.*", "body.members[].user: required by us alone"): "a member without a user is no member",
    ("opsgenie.user.list", "query.sort: not the vendor's"): "the vendor's Go SDK and the service's own page links say sort",
}

ANSWERED_AND_NOT_FOLLOWED = {"opsgenie.heartbeat.ping"}
JSM_DEVIATIONS = {"opsgenie.alert.get": "two paths stand in the catalogue; the row names the one that is asked by id"}

ROWS = [pytest.param(row, id=row.name) for rows in DOMAINS.values() for row in rows]
DEFINED = [param for param in ROWS if param.values[0].vendor]


class Vendor:
    """Reads the vendor's definition with references, inheritance and kinds of recipients folded flat."""

    def __init__(self, swagger: Definition) -> None:
        self.swagger = swagger
        self.operations = {
            operation["operationId"]: (method, path, operation)
            for path, methods in swagger["paths"].items()
            for method, operation in methods.items()
            if "operationId" in operation
        }

    def follow(self, node: Definition) -> Definition:
        while "$ref" in node:
            _, section, name = node["$ref"].split("/")
            node = self.swagger[section][name]
        return node

    def endless(self, node: Definition) -> bool:
        """Whether a schema is one that holds itself, or a list of them: ours is compared as deep as it goes."""
        reference = node.get("items", node).get("$ref", "")
        return bool(reference) and f'"{reference}"' in json.dumps(self.follow({"$ref": reference}))

    def flat(self, node: Definition, *, kinds: bool = True) -> Definition:
        """One schema without references."""
        node = self.follow(node)
        parts = [self.flat(part, kinds=False) for part in node.get("allOf", [])]
        if kinds and "discriminator" in node:
            parts += self.kinds(node)
        fields = dict(chain.from_iterable(part.get("properties", {}).items() for part in (*parts, node)))
        required = [name for part in (*parts, node) if isinstance(part.get("required"), list) for name in part["required"]]
        if kind := node.get("x-discriminator-value"):
            fields["type"] = {"type": "string", "enum": [kind]}
            required = [name for name in required if name != "type"]  # there is but one: it goes without saying
        return {**node, "properties": fields, "required": sorted(set(required))}

    def kinds(self, base: Definition) -> list[Definition]:
        """The fields that each kind of a base adds."""
        heirs = [node for node in self.swagger["definitions"].values() if any(self.follow(part) is base for part in node.get("allOf", []))]
        own = [part for heir in heirs for part in heir["allOf"] if "$ref" not in part]
        return [{"properties": part.get("properties", {})} for part in own]

    def fields(self, name: str) -> dict[str, Definition]:
        """Fields of a request by the part they go into: path, query, body, form."""
        _, path, operation = self.operations[name]
        parts: dict[str, Definition] = {place: {"properties": {}, "required": []} for place in ("path", "query", "body", "form")}
        for reference in self.swagger["paths"][path].get("parameters", []) + operation.get("parameters", []):
            parameter = self.follow(reference)
            if parameter["in"] == "body":
                parts["body"] = self.flat(parameter["schema"])
                continue
            part = parts[{"formData": "form"}.get(parameter["in"], parameter["in"])]
            part["properties"][parameter["name"]] = parameter
            part["required"] += [parameter["name"]] if parameter.get("required") else []
        return parts

    def success(self, name: str) -> tuple[str, Definition]:
        """Status and body of the answer to a call that went well."""
        responses = self.operations[name][2]["responses"]
        (status,) = [status for status in responses if status.startswith("2")]
        return status, self.flat(self.follow(responses[status])["schema"])


@pytest.fixture(scope="module")
def vendor(swagger: Definition) -> Vendor:
    return Vendor(swagger)


def kind(schema: Definition) -> str:
    """The type of a schema as text."""
    given = schema.get("type") or ("object" if schema.get("properties") or schema.get("allOf") else "any")
    return {"file": "string"}.get(given, given) if isinstance(given, str) else "/".join(given)


def differences(vendor: Vendor, ours: Definition, theirs: Definition, where: str) -> Iterator[str]:
    """What two schemas do not have in common; our own limits, where the vendor's definition gives none, do not count."""
    theirs = vendor.flat(theirs)
    if kind(ours) != kind(theirs):
        yield f"{where}: ours {kind(ours)}, vendor's {kind(theirs)}"
        return
    for word in ("enum", "default", "maxLength", "maxItems", "format"):
        if word in theirs and theirs[word] != ours.get(word) and not ours_to_say(where, word, theirs):
            yield f"{where}: {word} differs"
    if (theirs.get("collectionFormat") == "csv") != (ours.get("x-style") == "csv"):
        yield f"{where}: only one is joined by commas"
    yield from record_differences(vendor, ours, theirs, where)
    if theirs.get("items"):
        yield from differences(vendor, ours.get("items", {}), theirs["items"], f"{where}[]")
    if isinstance(theirs.get("additionalProperties"), dict):
        yield from differences(vendor, ours.get("additionalProperties") or {}, theirs["additionalProperties"], f"{where}.*")


def ours_to_say(where: str, word: str, theirs: Definition) -> bool:
    """Whether a row may say nothing here: the width of a number, a default in an answer, where a page begins and how long it is."""
    if word == "format":
        return theirs["type"] in {"integer", "number"}
    return word == "default" and (where.startswith("data") or where in {"query.limit", "query.offset"})


def record_differences(vendor: Vendor, ours: Definition, theirs: Definition, where: str) -> Iterator[str]:
    """What the fields of two records do not have in common; answers of ours require nothing."""
    mine, other = ours.get("properties", {}), theirs["properties"]
    yield from (f"{where}.{name}: not the vendor's" for name in mine.keys() - other.keys())
    yield from (f"{where}.{name}: not ours" for name in other.keys() - mine.keys() if not vendor.endless(other[name]))
    if not where.startswith("data"):
        yield from (f"{where}.{name}: required by us alone" for name in set(ours.get("required", [])) - set(theirs["required"]))
        yield from (f"{where}.{name}: required by the vendor alone" for name in set(theirs["required"]) - set(ours.get("required", [])))
    for name in mine.keys() & other.keys():
        yield from differences(vendor, mine[name], other[name], f"{where}.{name}")


def request_differences(vendor: Vendor, row: Operation) -> Iterator[str]:
    """What row and definition do not have in common about the request."""
    inputs = row.inputs["properties"]
    parts = {"path": {name: inputs[name] for name in row.path_names}, "query": row.query, "body": row.body, "form": row.form}
    required = {*row.path_names, *row.required}
    for place, theirs in vendor.fields(row.vendor).items():
        ours = {"type": "object", "properties": parts[place], "required": sorted(required & parts[place].keys())}
        yield from differences(vendor, ours, {"type": "object", **theirs}, place)


def answer_differences(vendor: Vendor, row: Operation) -> Iterator[str]:
    """What row and definition do not have in common about the data of the answer."""
    source = next(other for other in OPERATIONS.values() if other.request == f"GET {row.follow}") if row.follow else row
    _, body = vendor.success(source.vendor)
    if row.frame:
        yield from () if (body["type"], list(row.data["properties"])) == ("string", ["content"]) else ("data: only one is a text",)
        return
    theirs = vendor.flat(body["properties"]["data"])
    if row.listing:
        theirs = vendor.flat((theirs["properties"][row.listing.items] if row.listing.items else theirs)["items"])
    added = {"requestId": {"type": "string"}} if row.follow else {}
    added |= {"result": {"type": "string"}} if "result" in body["properties"] else {}
    yield from differences(vendor, row.data, {**theirs, "type": "object", "properties": theirs["properties"] | added}, "data")


def meant(row: Operation) -> set[str]:
    """The deviations this row may have."""
    return {difference for pattern, difference in DEVIATIONS if fnmatch(row.name, pattern)}


@pytest.mark.parametrize("row", DEFINED)
def test_method_and_path(row: Operation, vendor: Vendor):
    method, path, _ = vendor.operations[row.vendor]
    assert row.request == f"{method.upper()} {path}"


@pytest.mark.parametrize("row", DEFINED)
def test_fields_of_the_request(row: Operation, vendor: Vendor):
    assert set(request_differences(vendor, row)) <= meant(row)


@pytest.mark.parametrize("row", DEFINED)
def test_fields_of_the_answer(row: Operation, vendor: Vendor):
    assert set(answer_differences(vendor, row)) <= meant(row)


@pytest.mark.parametrize("row", DEFINED)
def test_202_is_asynchronous(row: Operation, vendor: Vendor):
    status, _ = vendor.success(row.vendor)
    assert row.asynchronous == (status == "202" and row.name not in ANSWERED_AND_NOT_FOLLOWED)


def test_every_deviation_is_still_one(vendor: Vendor):
    rows = [param.values[0] for param in DEFINED]
    found = {(row.name, text) for row in rows for text in chain(request_differences(vendor, row), answer_differences(vendor, row))}
    for pattern, difference in DEVIATIONS:
        assert any(fnmatch(name, pattern) and text == difference for name, text in found), (pattern, difference)


@pytest.mark.parametrize("row", ROWS)
def test_facts_of_the_catalogue(row: Operation, catalogue):
    fact = catalogue[row.method, row.path_template]
    assert row.rate_limit_domain == fact["rate_limit_domain"]
    assert row.asynchronous == fact["async"]
    assert ("account" not in row.keys) == fact["blocked_for_account_key"]
    rights = [right.split(" (")[0].lower().replace(" ", "_") for right in fact["account_key_rights"]]
    assert rights_for("account", row.rights) == rights
    assert (fact["operation"] if row.vendor else None) == row.vendor


@pytest.mark.parametrize("row", [param for param in ROWS if param.values[0].name not in JSM_DEVIATIONS])
def test_counterpart_in_jira_service_management(row: Operation, catalogue):
    fact = catalogue[row.method, row.path_template]["jsm"]
    assert row.jsm == (f"{fact['method']} {fact['path'].split(' (')[0]}" if fact else None)


def test_every_operation_of_these_domains_has_its_row(catalogue):
    domains = {
        "alerts",
        "users",
        "user-contacts",
        "custom-user-roles",
        "teams",
        "team-members",
        "account",
        "heartbeats",
        "schedules",
        "schedule-rotations",
    }
    domains |= {"schedule-overrides", "who-is-on-call"}
    wanted = {f"{method} {path}" for (method, path), fact in catalogue.items() if fact["domain"] in domains}
    assert wanted <= {row.request for row in OPERATIONS.values()}


def unknown(data: Any, schema: Definition, where: str = "data") -> Iterator[str]:
    """Fields of an answer that its schema does not name."""
    if isinstance(data, list):
        yield from chain.from_iterable(unknown(item, schema.get("items", {}), f"{where}[]") for item in data)
    elif isinstance(data, dict) and "properties" in schema:
        yield from (f"{where}.{name}" for name in data.keys() - schema["properties"].keys())
        for name in data.keys() & schema["properties"].keys():
            yield from unknown(data[name], schema["properties"][name], f"{where}.{name}")


def test_recorded_answers_hold_what_the_rows_say(recordings):
    told = 0
    for row, data in ((row, data) for row in OPERATIONS.values() for data in recordings(row)):
        held = data[row.listing.items] if row.listing and row.listing.items else data
        schema = row.outputs["properties"]["items"] if row.listing else row.outputs
        assert list(unknown(held, schema)) == [], row.name
        assert [error.message for error in Draft7Validator(schema).iter_errors(held)] == [], row.name
        told += 1
    assert told >= 8


def words(text: str) -> list[str]:
    """Words in lower case."""
    return re.findall(r"[a-z]+", text.lower())


def runs(text: str, length: int) -> set[tuple[str, ...]]:
    """Every run of so many words."""
    found = words(text)
    return {tuple(found[start : start + length]) for start in range(len(found) - length + 1)}


@pytest.mark.parametrize("row", ROWS)
def test_summaries_are_our_own_words(row: Operation, catalogue):
    description = catalogue[row.method, row.path_template]["description"] or ""
    assert words(row.summary) != words(description)
    assert not runs(row.summary, 5) & runs(description, 5)
