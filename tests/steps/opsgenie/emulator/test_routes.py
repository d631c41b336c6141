from __future__ import annotations

import pytest

from steps.opsgenie.emulator.domains import ANSWERS, FORMS, WORK
from steps.opsgenie.emulator.problems import ApiError
from steps.opsgenie.emulator.routes import match, routes, shape_of
from steps.opsgenie.operations import OPERATIONS


def test_every_operation_has_one_behaviour_of_its_kind():
    shapes = {route.shape: route.row.asynchronous for route in routes()}
    assert {shape for shape, later in shapes.items() if later} == set(WORK)
    assert {shape for shape, later in shapes.items() if not later} == set(ANSWERS)
    assert set(FORMS) <= set(shapes)


@pytest.mark.parametrize("row", OPERATIONS.values(), ids=OPERATIONS)
def test_every_row_finds_its_own_route(row):
    names = {name: f"x/{name}" for name in row.path_names}
    route, ids = match(row.method, row.url_path(names))
    assert route.row is row
    assert ids == tuple(names.values())
    assert route.shape == shape_of(row)


@pytest.mark.parametrize("path", ["/v2/alerts/", "/v2/alerts/1/notes/", "/v1/incidents", "/v1/incidents/", "/v2/request-limits"])
def test_one_trailing_slash_is_allowed(path):
    assert match("GET", path)


@pytest.mark.parametrize(
    ("method", "path", "status"),
    [
        ("GET", "/", 404),
        ("GET", "/v3/alerts", 404),
        ("GET", "//v2/alerts", 404),
        ("GET", "/v2//alerts", 404),
        ("GET", "/v2/alerts//", 404),
        ("GET", "/v2/alerts//notes", 404),
        ("PATCH", "/v2/alerts", 405),
        ("HEAD", "/v2/alerts", 405),
    ],
)
def test_what_leads_nowhere(method, path, status):
    with pytest.raises(ApiError) as error:
        match(method, path)
    assert error.value.status == status


def test_a_literal_wins_over_a_field():
    assert match("GET", "/v2/alerts/count")[0].row.name == "opsgenie.alert.count"
    assert match("GET", "/v2/alerts/saved-searches/notes")[0].row.name == "opsgenie.alert.get_saved_search"
