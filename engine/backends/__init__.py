"""Where a run happens: one file a backend, each meeting engine.contracts.Backend."""

from __future__ import annotations

from engine.backends.dry import DryBackend
from engine.backends.local import LocalBackend

__all__ = ["BACKENDS", "DryBackend", "LocalBackend"]

BACKENDS = {"dry": DryBackend, "local": LocalBackend}
