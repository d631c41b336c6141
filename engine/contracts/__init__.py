"""The seams: one Protocol for each family that the engine puts together.

A step touches the world only through its `StepContext`; the executor only through a `Backend`. Both rules together
are what makes the same runbook plan, run, resume and scale out without knowing it.
"""

from __future__ import annotations

from engine.contracts.command_line import CommandLine, ConfigurationFile, Keychain
from engine.contracts.execution import Action, Backend, Construct, Modifier, Outcome, Runner, Written
from engine.contracts.listening import Audience, Diagnosis, Listener, Voice
from engine.contracts.places import SecretSource, SecretStore, Sink
from engine.contracts.providers import Connection, ConnectionStanding, KeyStanding, KeyUsage, Provider, Surroundings, Vendor
from engine.contracts.schemas import DRAFT, FromFile, Schema
from engine.contracts.steps import Call, Clock, Deferred, Effect, KeyUse, Need, Reply, Step, StepContext, Values

__all__ = [
    "DRAFT",
    "Action",
    "Audience",
    "Backend",
    "Call",
    "Clock",
    "CommandLine",
    "ConfigurationFile",
    "Connection",
    "ConnectionStanding",
    "Construct",
    "Deferred",
    "Diagnosis",
    "Effect",
    "FromFile",
    "KeyStanding",
    "KeyUsage",
    "KeyUse",
    "Keychain",
    "Listener",
    "Modifier",
    "Need",
    "Outcome",
    "Provider",
    "Reply",
    "Runner",
    "Schema",
    "SecretSource",
    "SecretStore",
    "Sink",
    "Step",
    "StepContext",
    "Surroundings",
    "Values",
    "Vendor",
    "Voice",
    "Written",
]
