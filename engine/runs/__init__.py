"""Runs from their beginning to their end: begun, resumed, retried, and what follows."""
