"""The JSON Schemas that others read, written to schemas/ and proven fresh by a test.

python -m engine.published          writes them
python -m engine.published --check  exits 1 when one is stale
"""

from __future__ import annotations

import json
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

from engine import config
from engine.audit import events
from engine.catalog import Catalog
from engine.language import grammar
from engine.project import PROVIDERS, connection_schema
from engine.shipped import folder

NAMES = ("audit-event", "config", "runbook")


def document(name: str, catalog: Catalog) -> dict[str, Any]:
    """One schema by name."""
    makers: dict[str, Callable[[], dict[str, Any]]] = {
        "audit-event": events.schema,
        "config": lambda: config.published(connection_schema(catalog), grammar.as_written_fields(catalog.get("alert"))),
        "runbook": lambda: grammar.published(catalog.steps(), grammar.as_written_fields(catalog.get("alert"))),
    }
    return makers[name]()


def files() -> dict[Path, str]:
    """Every schema file and what must stand in it."""
    catalog = Catalog(PROVIDERS)
    return {folder("schemas") / f"{name}.schema.json": json.dumps(document(name, catalog), indent=1) + "\n" for name in NAMES}


def main() -> int:
    """Writes the files, or checks them."""
    stale = [path for path, text in files().items() if not path.exists() or path.read_text() != text]
    if "--check" in sys.argv:
        for path in stale:
            print(f"{path.name} is stale: run python -m engine.published")
        return 1 if stale else 0
    for path in stale:
        path.write_text(files()[path])
    return 0


if __name__ == "__main__":
    sys.exit(main())
