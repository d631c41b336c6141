"""The yardstick: the same calls as straight synchronous httpx: `plain.py URL CALLS`."""

from __future__ import annotations

import sys

import httpx


def main() -> None:
    url, calls = sys.argv[1], int(sys.argv[2])
    last = "start"
    with httpx.Client(base_url=url, headers={"Authorization": "GenieKey bench-0123456789"}) as client:
        for _ in range(calls):
            answer = client.post("/v2/teams", json={"name": last})
            answer.raise_for_status()
            last = answer.json()["data"]["id"]


if __name__ == "__main__":
    main()
