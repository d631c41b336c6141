"""The house law: each family is a folder, a table, tests and, where it has them, pages; and only one file speaks HTTP."""

import ast
import importlib
from pathlib import Path

import pytest

ROOT = Path(__file__).parent.parent
SOURCES = sorted(path for folder in ("engine", "steps") for path in (ROOT / folder).rglob("*.py"))

FAMILIES = {
    "engine/backends": "BACKENDS",
    "engine/checks": "CHECKS",
    "engine/control": "CONSTRUCTS",
    "engine/doctor": "EXAMINATIONS",
    "engine/installers": "INSTALLERS",
    "engine/modifiers": "MODIFIERS",
    "engine/report": "FORMATS",
    "engine/secrets": "SOURCES",
    "engine/audit/sinks": "SINKS",
    "engine/telling": "LISTENERS",
    "engine/telling/lines": "FORMS",
    "steps/core": "STEPS",
    "steps/opsgenie/commands": "COMMANDS",
    "steps/opsgenie/composites": "COMPOSITES",
    "steps/opsgenie/operations": "DOMAINS",
}


def table(folder):
    module = importlib.import_module(folder.replace("/", "."))
    return {**getattr(module, FAMILIES[folder]), **getattr(module, "RUN_FORMATS", {})}


def home(member):
    """The file a table's member is written in."""
    module = getattr(member, "__module__", None) or getattr(member, "__name__", None)
    if module is None or not isinstance(module, str) or module in ("builtins",):
        module = type(member).__module__
    return module.rpartition(".")[2]


def files(folder):
    return sorted(path.stem for path in (ROOT / folder).glob("*.py") if path.stem != "__init__")


@pytest.mark.parametrize("folder", FAMILIES)
def test_the_files_of_a_family_are_those_of_its_table(folder):
    members = table(folder)
    named = (
        sorted(members) if folder.endswith(("commands", "operations", "secrets")) else sorted(home(member) for member in members.values())
    )
    assert files(folder) == named


@pytest.mark.parametrize("folder", FAMILIES)
def test_a_table_is_sorted(folder):
    keys = list(table(folder))
    if folder not in ("engine/modifiers", "engine/checks", "engine/report"):  # from the outside in; by id; two tables
        assert keys == sorted(keys)


@pytest.mark.parametrize("folder", FAMILIES)
def test_each_member_of_a_family_has_its_tests(folder):
    if folder == "engine/report":  # the formats of findings are tested together, each against the same findings
        return
    present = {path.stem.removeprefix("test_") for path in (ROOT / "tests" / folder).glob("test_*.py")}
    assert [name for name in files(folder) if name not in present] == []


def test_each_check_has_its_page():
    ids = sorted(id for check in table("engine/checks").values() for id in check.IDS)
    pages = {path.stem for path in (ROOT / "docs" / "checks").glob("*.md")}
    assert [id for id in ids if id not in pages] == []


def imports(path):
    for node in ast.walk(ast.parse(path.read_text())):
        if isinstance(node, ast.Import):
            yield from (alias.name for alias in node.names)
        elif isinstance(node, ast.ImportFrom) and node.module:
            yield node.module


@pytest.mark.parametrize("path", SOURCES, ids=lambda path: str(path.relative_to(ROOT)))
def test_a_file_keeps_to_its_floor(path):
    place = path.relative_to(ROOT).as_posix()
    names = set(imports(path))
    assert ast.get_docstring(ast.parse(path.read_text())), "each file says what it is for"
    if place.startswith("engine/"):
        assert not any(name.split(".")[0] == "steps" for name in names), "the engine knows no vendor"
    if place != "steps/transport.py":
        assert not any(name.split(".")[0] == "httpx" for name in names), "one file speaks HTTP"


def test_shipped_runbooks_are_all_tested():
    shipped = {path.stem for path in (ROOT / "runbooks").glob("*.yaml")}
    tested = (ROOT / "tests" / "runbooks" / "test_shipped.py").read_text()
    assert [name for name in sorted(shipped) if name not in tested] == []


def test_no_file_names_a_place_or_a_registry():
    forbidden = ("/work/", "/root/", "pypi." + "org", "file" + "s.pythonhosted")
    tracked = [
        path for path in ROOT.rglob("*") if path.suffix in (".py", ".md", ".yaml", ".toml", ".json", ".yml") and ".venv" not in path.parts
    ]
    found = [str(path) for path in tracked if path.is_file() and any(word in path.read_text(errors="ignore") for word in forbidden)]
    assert [path for path in found if not path.endswith("test_house.py")] == []
