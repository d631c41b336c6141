"""opsgenie.user.offboard: out of the teams, and out of the account only when that leaves no hole."""

from __future__ import annotations

import pytest

from engine.errors import StepError
from engine.template.unknown import Unknown
from steps.opsgenie.composites import COMPOSITES

OFFBOARD = COMPOSITES["opsgenie.user.offboard"]
ANA = "ana@example.com"
DUTY = {"id": "s1", "name": "duty", "enabled": True}


@pytest.fixture
def there(service):
    service.add_user(ANA)
    service.teams |= {"dba": [ANA], "sre": [ANA], "web": []}
    return service


def test_leaves_every_team_and_reports_duties(run, there):
    there.duties["schedules"] = [DUTY]
    outputs, sent = run(OFFBOARD, identifier=ANA)
    assert sent == [("team.remove_member", {"identifier": f"id-{team}", "memberIdentifier": "id-" + ANA}) for team in ("dba", "sre")]
    assert outputs == {
        "id": "id-" + ANA,
        "username": ANA,
        "found": True,
        "changed": True,
        "teams_removed": ["dba", "sre"],
        "escalations": [],
        "schedules": [{"id": "s1", "name": "duty"}],
        "deleted": False,
    }


@pytest.mark.parametrize("kept", ["dba", "DBA", "id-dba"])
def test_stays_in_kept_teams(run, there, kept):
    assert run(OFFBOARD, identifier="id-" + ANA, keep_teams=[kept])[0]["teams_removed"] == ["sre"]


def test_deletes_when_asked_and_is_done_the_second_time(run, there):
    outputs, sent = run(OFFBOARD, identifier=ANA, delete=True)
    assert (outputs["deleted"], sent[-1]) == (True, ("user.delete", {"identifier": "id-" + ANA}))
    outputs, sent = run(OFFBOARD, identifier=ANA, delete=True)
    assert sent == []
    assert outputs == {
        "username": ANA, "found": False, "changed": False, "deleted": False, "teams_removed": [], "escalations": [], "schedules": [],
    }  # fmt: skip


@pytest.mark.parametrize("kind", ["escalations", "schedules"])
def test_refuses_to_delete_whoever_is_on_duty_before_anything_is_changed(run, there, kind):
    there.duties[kind] = [DUTY]
    with pytest.raises(StepError, match="duty") as caught:
        run(OFFBOARD, identifier=ANA, delete=True)
    assert (caught.value.code, there.sent) == ("still_on_duty", [])


def test_nothing_to_do_is_no_change(run, service):
    service.add_user(ANA)
    assert run(OFFBOARD, identifier=ANA)[0]["changed"] is False


def test_a_plan_shows_what_it_can_know(run, there):
    outputs, sent = run(OFFBOARD, planning=True, identifier=ANA, delete=True)
    assert [name for name, _ in sent] == ["team.remove_member", "team.remove_member", "user.delete"]
    assert (outputs["teams_removed"], there.teams["dba"]) == (["dba", "sre"], [ANA])


def test_a_plan_that_cannot_look_shows_all(plan_offline):
    outputs, sent = plan_offline(OFFBOARD, identifier=ANA, delete=Unknown("inputs.delete"))
    assert [name for name, _ in sent] == ["team.remove_member", "user.delete"]
    assert isinstance(outputs["teams_removed"], Unknown)


def test_on_the_emulator(emulated):
    context = emulated({"users": [{"username": ANA}], "teams": [{"name": "dba", "members": [{"username": ANA}]}]})
    outputs = OFFBOARD.perform({"identifier": ANA, "delete": True}, context)
    assert (outputs["teams_removed"], outputs["deleted"]) == (["dba"], True)
    assert not OFFBOARD.perform({"identifier": ANA, "delete": True}, context)["found"]
