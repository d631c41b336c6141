"""What people are told while they connect: in words for somebody who has never made a key."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path

from steps.operation import KeyKind
from steps.opsgenie.kinds import KINDS
from steps.opsgenie.settings import RIGHTS

REGION = """
In which region does the account live? Its address in the browser tells: with `.eu.` in it, it is eu; else us.
A key works in its own region only."""

RIGHTS_QUESTION = f"""
Which access rights was the key given? One or more of {", ".join(RIGHTS)}, with commas.
What it may write does not show in reads. When you are not sure, it counts as able."""


def kinds() -> str:
    """The kinds of key there are, and what each is for."""
    rows = [f"  {kind:<12} {found.purpose}" for kind, found in KINDS.items()]
    return "\n".join(
        ["", "Which kind of key will be used? Several may be added, one after the other; each call goes with the narrowest.", *rows]
    )


def recipe(kind: KeyKind) -> str:
    """How a key of a kind is made."""
    found = KINDS[kind]
    steps = [f"  {number}. {step}" for number, step in enumerate(found.steps, 1)]
    return "\n".join(
        ["", f"A key of kind {kind} is made in Opsgenie's web pages, under {found.menu}:", *steps, f"  by {found.makers}; {found.plans}."]
    )


def places(forms: Mapping[str, str]) -> str:
    """Where a key may live."""
    width = max(map(len, forms))
    rows = [f"  {form:<{width}}  {what}" for form, what in forms.items()]
    return "\n".join(["", "Where does the key live? The configuration holds this reference and never the key.", *rows])


def files(own: Path, projects: Path) -> str:
    """The files a connection may be saved in."""
    rows = [
        f"  user     {own}: for everything you run",
        f"  project  {projects}: for what is run in this folder; it may be shared, it holds no key",
    ]
    return "\n".join(["", "In whose configuration should the connection be?", *rows])


def following(name: str) -> str:
    """What to do next."""
    other = "" if name == "opsgenie" else f"; a step uses it by `connection: {name}`, a run by --connection {name}"
    return f"Next: opsbook connections   opsbook connections --needs runbooks   opsbook plan RUNBOOK{other}"
