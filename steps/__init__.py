"""The steps a runbook may use, one folder a provider."""
