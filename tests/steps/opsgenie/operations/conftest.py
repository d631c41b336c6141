"""What the tests of the operation rows share: the vendor's data where present, and a judge of inputs."""

from __future__ import annotations

import json
import re
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from jsonschema import Draft7Validator

from steps.operation import Operation
from steps.opsgenie.operations import OPERATIONS

SHARED = Path(__file__).parents[4].parent / "shared" / "opsgenie"


def _read(name: str) -> Any:
    file = SHARED / name
    if not file.exists():
        pytest.skip(f"{name} is not beside this checkout")
    return json.loads(file.read_text())


@pytest.fixture(scope="session")
def swagger() -> dict[str, Any]:
    """The vendor's API definition."""
    return _read("swagger.json")


@pytest.fixture(scope="session")
def catalogue() -> dict[tuple[str, str], dict[str, Any]]:
    """Facts about each operation by method and path."""
    return {(row["method"], row["path"]): row for row in _read("catalogue.json")["operations"]}


@pytest.fixture(scope="session")
def recordings() -> Callable[[Operation], list[Any]]:
    """The data of recorded and documented answers to an operation."""
    if not (SHARED / "examples").exists():
        pytest.skip("examples are not beside this checkout")
    files = [json.loads(file.read_text()) for file in sorted((SHARED / "examples").glob("*.json"))]
    answered = [file for file in files if (file.get("request") or {}).get("path") and isinstance(_body(file), dict)]

    def of(row: Operation) -> list[Any]:
        pattern = re.sub(r"\\{\w+\\}", "[^/]+", re.escape(row.path_template))
        asked = [file for file in answered if file["request"]["method"] == row.method and re.fullmatch(pattern, file["request"]["path"])]
        return [_body(file)["data"] for file in asked if "data" in _body(file) and not row.asynchronous]

    return of


def _body(file: dict[str, Any]) -> Any:
    return (file.get("response") or {}).get("body")


@pytest.fixture
def faults() -> Callable[..., set[str]]:
    """Judges inputs of a step: the set of `path keyword` that they break."""

    def judge(name: str, /, **given: Any) -> set[str]:
        errors = Draft7Validator(OPERATIONS[name].inputs).iter_errors(given)
        return {f"{'.'.join(map(str, error.absolute_path))} {error.validator}".strip() for error in errors}

    return judge
