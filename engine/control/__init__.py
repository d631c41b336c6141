"""What a step can be: one file a construct, listed by the key that names it."""

from __future__ import annotations

from engine.contracts import Construct
from engine.control import block, fail, return_, uses, wait

CONSTRUCTS: dict[str, Construct] = {
    "block": block,
    "fail": fail,
    "return": return_,
    "uses": uses,
    "wait": wait,
}
