"""Runbooks as they are written: their grammar, and from a file to a frozen runbook with its inputs."""
