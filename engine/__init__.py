"""The runbook engine: reads, checks, plans, carries out and audits runbooks; knows no vendor."""
