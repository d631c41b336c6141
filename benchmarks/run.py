"""Measures opsbook against a plain synchronous httpx script that makes the same calls, in the same, shuffled run.

    python benchmarks/run.py                 # 7 rounds, a few minutes
    python benchmarks/run.py --quick         # 3 rounds of smaller loops
    python benchmarks/run.py --only W1 W3 --rounds 15

Absolute times say little on a shared machine; the ratios are what to compare.
"""

from __future__ import annotations

import argparse
import random
import shutil
import tempfile
from pathlib import Path

import workloads
from measure import Cost, environment, measure
from serving import Server, serving
from workloads import Workload

DELAY = 0.05
"""Seconds the slow server takes."""

Costs = dict[tuple[str, str], list[Cost]]


def main() -> None:
    options = _arguments()
    with tempfile.TemporaryDirectory(prefix="opsbook-bench-") as name:
        folder = Path(name)
        with serving(folder) as fast, serving(folder, DELAY) as slow:
            workloads.write_config(folder / "fast.yaml", fast.url)
            workloads.write_config(folder / "slow.yaml", slow.url)
            chosen = [one for one in _workloads(folder, fast, options) if not options.only or one.name.split()[0] in options.only]
            costs = _measure(chosen, {False: fast, True: slow}, folder, options.rounds)
    items = {one.name: one.calls for one in chosen}
    print(f"{options.rounds} rounds, shuffled; medians; server: {fast.name}, for W6 own")
    _table(costs, items)


def _arguments() -> argparse.Namespace:
    parser = argparse.ArgumentParser(description=(__doc__ or "").splitlines()[0])
    parser.add_argument("--rounds", type=int, help="how often each is measured; 7 by default, 3 with --quick")
    parser.add_argument("--quick", action="store_true", help="smaller loops")
    parser.add_argument("--large", action="store_true", help="also W3 with ten times the items, for the growth of memory")
    parser.add_argument("--only", nargs="+", metavar="W", help="only these rows, such as W1 W3")
    options = parser.parse_args()
    options.rounds = options.rounds or (3 if options.quick else 7)
    return options


def _workloads(folder: Path, fast: Server, options: argparse.Namespace) -> list[Workload]:
    items, steps = (400, 50) if options.quick else (2000, 100)
    chosen = [
        workloads.cold(folder),
        workloads.cold(folder, first=True),
        workloads.plain("W1", fast.url, 1),
        workloads.chained(folder, steps),
        workloads.plain("W2", fast.url, steps),
        workloads.loop("W3", folder, items, 20),
        workloads.plain("W3", fast.url, items),
        workloads.loop("W6@20", folder, items, 20, slow=True),
        workloads.loop("W6@100", folder, items, 100, slow=True),
    ]
    return [*chosen, workloads.loop("W5", folder, items * 10, 20)] if options.large else chosen


def _measure(chosen: list[Workload], servers: dict[bool, Server], folder: Path, rounds: int) -> Costs:
    """Every workload once a round, in an order of chance; a first round that is not counted writes bytecode."""
    costs: Costs = {(one.name, one.by): [] for one in chosen}
    for number in range(rounds + 1):
        for one in random.sample(chosen, len(chosen)):
            server, state = servers[one.slow], folder / ("first" if one.first else "state")
            before = server.count()
            cost = measure(one.command, environment(state), folder)
            seen = server.count() - before
            if seen != one.calls:
                raise SystemExit(f"{one.name} by {one.by}: the server saw {seen} requests, not {one.calls}")
            if number:
                costs[one.name, one.by].append(cost)
            shutil.rmtree(state if one.first else state / "runs", ignore_errors=True)
    return costs


def _table(costs: Costs, items: dict[str, int]) -> None:
    """A row for each: medians, and ratios to the plain script; W6 to what waiting alone would take."""
    medians = {key: Cost.median(found) for key, found in costs.items()}
    print(f"{'':9}{'':12}{'calls':>7}{'wall s':>9}{'cpu s':>9}{'MiB':>8}{'wall ×':>9}{'cpu ×':>8}{'MiB ×':>8}")
    for (name, by), cost in sorted(medians.items()):
        line = f"{name:9}{by:12}{items[name]:7}{cost.wall:9.3f}{cost.cpu:9.3f}{cost.memory:8.1f}"
        peer = medians.get((name.removesuffix(" first"), "plain httpx"))
        if name.startswith("W6"):
            ideal = items[name] / int(name.partition("@")[2]) * DELAY
            line += f"{cost.wall / ideal:9.2f}   (to the ideal {ideal:.2f} s{_without_start(cost, medians, ideal)})"
        elif peer is not None and by == "opsbook":
            line += f"{cost.wall / peer.wall:9.2f}{cost.cpu / peer.cpu:8.2f}{cost.memory / peer.memory:8.2f}"
        print(line)
    small, large = medians.get(("W3", "opsbook")), medians.get(("W5", "opsbook"))
    if small and large:
        print(f"W5: memory grows by {large.memory - small.memory:.1f} MiB from {items['W3']} to {items['W5']} items")


def _without_start(cost: Cost, medians: dict[tuple[str, str], Cost], ideal: float) -> str:
    start = medians.get(("W1", "opsbook"))
    return f"; {(cost.wall - start.wall) / ideal:.2f} without the time of W1" if start else ""


if __name__ == "__main__":
    main()
