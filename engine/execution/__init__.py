"""How a runbook is carried out, step by step, over a backend's primitives."""
