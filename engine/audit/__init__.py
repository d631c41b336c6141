"""The audit log: chained events in files, their ledger over runs, and second places for them."""
