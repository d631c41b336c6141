"""Measures what verifying the audit log costs, and how that grows with the number of events.

    python benchmarks/verify.py                  # 10,000 and 100,000 events, 5 rounds
    python benchmarks/verify.py --events 2000    # 2,000 and 20,000

The events are like those of a run's requests; the time is the processor's. The log goes on in several files, as a large one does.
A round verifies both logs.
"""

from __future__ import annotations

import argparse
import statistics
import sys
import tempfile
import time
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parents[1]))

from engine.audit import chain
from engine.audit.journal import Journal

GROWTH = 10
SEGMENT = 8 * 1024**2
CALL = {
    "action": "opsgenie.alert.acknowledge", "attempt": 1, "boot": "7d0f6a52-5c0e-4a1e-9d3e-0b7d7f3f9f10", "domain": "alert",
    "effect": "write", "host": "api.eu.opsgenie.com",
    "ids": {"identifier": "86b71ba7-72c6-4c95-bab0-d89bb86e0ed5-1795424293471"}, "item": "host-17",
    "key": "notify[host-17]@1.1", "key_used": {"fingerprint": "2be73505b25f30b7", "kind": "integration", "reference": "env:OPSGENIE_KEY"},
    "method": "POST", "monotonic": 12.345678, "path": "/v2/alerts/{identifier}/acknowledge", "request_hash": "44136fa355b3678a" * 4,
    "step": "notify", "time": "2026-11-23T08:58:13.471Z",
}  # fmt: skip


def main() -> None:
    parser = argparse.ArgumentParser(description=(__doc__ or "").splitlines()[0])
    parser.add_argument("--events", type=int, default=10_000)
    parser.add_argument("--rounds", type=int, default=5)
    options = parser.parse_args()
    with tempfile.TemporaryDirectory(prefix="opsbook-bench-") as name:
        small, large = (_log(Path(name) / str(events), events) for events in (options.events, options.events * GROWTH))
        rounds = [(_seconds(small), _seconds(large)) for _ in range(options.rounds)]
    few, many = (statistics.median(times) for times in zip(*rounds, strict=True))
    print(f"{options.rounds} rounds; medians")
    for events, seconds in ((options.events, few), (options.events * GROWTH, many)):
        print(f"{events:>8} events  {seconds:7.3f} s  {events / seconds:8.0f} events/s")
    print(f"{GROWTH} times the events cost {many / few:.1f} times the time")


def _log(folder: Path, events: int) -> Path:
    """A log of so many events."""
    folder.mkdir()
    journal = Journal(folder / "audit.jsonl", fields={"run": "20261123T085813-f940b016", "runbook": "notify"}, segment=SEGMENT)
    while journal.events < events:
        journal.append("step.intent", **CALL)
    journal.close()
    return journal.path


def _seconds(path: Path) -> float:
    began = time.process_time()
    if chain.verify(path).flaws:
        raise SystemExit("the log does not hold")
    return time.process_time() - began


if __name__ == "__main__":
    main()
