"""Golden runs: each file of run/ is a runbook, what the emulator holds before, the inputs, and what comes of it."""

import json
from pathlib import Path

import pytest
import yaml

RUNS = sorted((Path(__file__).parent / "run").glob("*.yaml"))


def test_there_are_some():
    assert len(RUNS) >= 10


@pytest.mark.parametrize("file", RUNS, ids=lambda file: file.stem)
def test_it_ends_as_expected(file, command, emulators):
    golden = yaml.safe_load(file.read_text())
    command.write("state.yaml", yaml.safe_dump(golden.get("state", {})))
    command.write("inputs.yaml", yaml.safe_dump(golden.get("inputs", {})))
    command.write("book.yaml", golden["runbook"])
    given = ["book.yaml", "--emulator", "--emulator-state", "state.yaml", "--inputs-file", "inputs.yaml"]
    done = command("--json", "run", *given)
    document = json.loads(done.out)
    expected = golden["expect"]
    found = {
        "exit": done.code,
        "status": document["status"],
        "steps": {step["id"]: step["status"] for step in document["steps"]},
        "outputs": document["outputs"],
        "error": document["error"] and document["error"]["message"],
        "writes": [
            line.partition("?")[0].split("/", 1)[0]
            + "/"
            + "/".join(part for part in line.partition("?")[0].split("/")[1:] if "-" not in part)
            for line in emulators[0].writes()
        ]
        if emulators
        else [],
        "alerts": [{key: alert["fields"][key] for key in ("status", "message", "count")} for alert in emulators[0].alerts()]
        if emulators
        else [],
    }
    assert {key: found[key] for key in expected} == expected
    verified = command("audit", "verify")
    assert verified.code == 0, verified.err
