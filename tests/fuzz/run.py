"""Mutates YAML, templates and whole runbooks for a while: `python tests/fuzz/run.py --seconds 60 --seed 1 [--target yaml]`.

Prints how many inputs each target took; each input that broke a target is written to tests/fuzz/found/ and shown by its seed. Exit code 1
when there is one. What was found and mended goes to tests/fuzz/corpus/, where later mutations begin.
"""

from __future__ import annotations

import argparse
import hashlib
import random
import sys
import time
from collections import Counter
from pathlib import Path

HERE = Path(__file__).parent
sys.path.insert(0, str(HERE.parents[1]))

from tests.fuzz.targets import TARGETS, corpus, mutation, tried  # noqa: E402


def fuzz(seconds: float, seed: int, names: list[str], most: int | None = None) -> tuple[Counter[str], list[tuple[str, str, str]]]:
    """Inputs tried by target, and (target, text, what is wrong) for each that broke one."""
    chance, seeds = random.Random(seed), corpus()
    counts: Counter[str] = Counter()
    broken: list[tuple[str, str, str]] = []
    ends = time.monotonic() + seconds
    while time.monotonic() < ends and (most is None or counts.total() < most):
        name = names[counts.total() % len(names)]
        text = mutation(name, chance.choice(seeds[name]), chance)
        wrong = tried(name, text)
        counts[name] += 1
        if wrong:
            broken.append((name, text, wrong))
    return counts, broken


def main() -> int:
    """The command."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--seconds", type=float, default=60)
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--target", choices=sorted(TARGETS), action="append")
    given = parser.parse_args()
    counts, broken = fuzz(given.seconds, given.seed, given.target or sorted(TARGETS))
    for name, count in sorted(counts.items()):
        print(f"{name}: {count} inputs")
    for name, text, wrong in broken:
        data = text.encode("utf-8", "surrogatepass")
        path = HERE / "found" / f"{name}-{hashlib.sha256(data).hexdigest()[:12]}"
        path.parent.mkdir(exist_ok=True)
        path.write_bytes(data)
        print(f"{name}: {path}: {wrong}")
    print(f"seed {given.seed}: {counts.total()} inputs, {len(broken)} broke a target")
    return 1 if broken else 0


if __name__ == "__main__":
    sys.exit(main())
