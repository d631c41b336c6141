"""Who is on call.

Unconfirmed, and chosen here: next is, rotation by rotation, whoever takes over from those on call and is somebody else, within a year;
exact next is who of them does so first.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import datetime

from steps.opsgenie.emulator.call import Answer, Answering, Call
from steps.opsgenie.emulator.domains.schedules import EXPORTED
from steps.opsgenie.emulator.icalendar import calendar
from steps.opsgenie.emulator.people import wanted_user
from steps.opsgenie.emulator.rosters import meta, moment_of, participant, rotas, usernames, wanted_schedule
from steps.opsgenie.emulator.rota import Period
from steps.opsgenie.emulator.store import Entity


def _at(call: Call) -> datetime:
    return moment_of(call.query, "date") if "date" in call.query else call.now


def _on_call(call: Call, schedule: Entity) -> Entity:
    duties = [duty for rota in rotas(call.store, schedule) if (duty := rota.on_call(_at(call)))]
    whom = _distinct([who for who, _ in duties])
    return {"_parent": meta(schedule), **_told(call, whom, "onCallParticipants", "onCallRecipients")}


def _told(call: Call, whom: Sequence[Entity], fields: str, flat: str) -> Entity:
    if call.query.get("flat"):
        return {flat: usernames(call.store, whom)}
    return {fields: [participant(call.store, who) for who in whom]}


def _distinct(whom: Sequence[Entity]) -> list[Entity]:
    return list({(who["type"], who["id"]): who for who in whom}.values())


def _get_on_calls(call: Call) -> Answer:
    return Answer({"data": _on_call(call, wanted_schedule(call))})


def _list_on_calls(call: Call) -> Answer:
    return Answer({"data": [_on_call(call, schedule) for schedule in call.store.schedules.values()]})


def _get_next_on_calls(call: Call) -> Answer:
    schedule = wanted_schedule(call)
    periods = [period for rota in rotas(call.store, schedule) if (period := rota.next_period(_at(call)))]
    first = min((one.start for one in periods), default=None)
    following = _told(call, _whom(periods), "nextOnCallRecipients", "nextOnCallParticipants")
    exact = _told(call, _whom([one for one in periods if one.start == first]), "exactNextOnCallRecipients", "exactNextOnCallParticipants")
    return Answer({"data": {"_parent": meta(schedule), **following, **exact}})


def _whom(periods: Sequence[Period]) -> list[Entity]:
    return _distinct([one.who for one in periods])


def _export(call: Call) -> Answer:
    name = wanted_user(call)["username"]
    turns = [
        (schedule["name"], period)
        for schedule in call.store.schedules.values()
        for rota in rotas(call.store, schedule)
        for period in rota.periods(call.now, call.now + EXPORTED)
        if name in usernames(call.store, [period.who])
    ]
    return Answer({}, calendar=calendar(name, sorted(turns, key=lambda turn: turn[1].start), call.now))


ANSWERS: Mapping[str, Answering] = {
    "GET /v2/schedules/on-calls": _list_on_calls,
    "GET /v2/schedules/on-calls/{}.ics": _export,
    "GET /v2/schedules/{}/next-on-calls": _get_next_on_calls,
    "GET /v2/schedules/{}/on-calls": _get_on_calls,
}
