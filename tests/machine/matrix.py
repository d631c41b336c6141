"""What the commands have in common: which cases are wanted, and the workers that judge them."""

from __future__ import annotations

import argparse
import multiprocessing
import random
from collections.abc import Callable, Sequence
from typing import Any

WORKERS = 2

_judge: Callable[[Any], Any]


def read(description: str | None, arguments: Sequence[str] | None, scenarios: Sequence[str]) -> argparse.Namespace:
    """The command line of a matrix."""
    parser = argparse.ArgumentParser(description=description, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--sample", type=int, metavar="N", help="so many cases, spread over all")
    parser.add_argument("--only", choices=scenarios, help="one scenario")
    parser.add_argument("--seed", type=int, default=0)
    parser.add_argument("--workers", type=int, default=WORKERS)
    return parser.parse_args(arguments)


def sample(cases: Sequence[Any], wanted: int | None, chance: random.Random) -> list[Any]:
    """So many of the cases, in an order that spreads the long ones; how many is said, since the whole takes its time."""
    chosen = chance.sample(cases, min(wanted or len(cases), len(cases)))
    print(f"{len(chosen)} cases", flush=True)
    return chosen


def judged(make: Callable[[], Callable[[Any], Any]], cases: Sequence[Any], workers: int) -> list[Any]:
    """Every case's verdict; each worker makes its own judge."""
    with multiprocessing.get_context("fork").Pool(workers, _begin, (make,)) as pool:
        return list(pool.imap_unordered(_verdict, cases, chunksize=4))


def _begin(make: Callable[[], Callable[[Any], Any]]) -> None:
    global _judge
    _judge = make()


def _verdict(case: Any) -> Any:
    return _judge(case)
