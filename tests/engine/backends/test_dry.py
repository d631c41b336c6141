"""The dry run: reads are made, writes are written down, and nothing that only a real run would know is pretended."""

import textwrap
from datetime import UTC, datetime

import pytest

from engine import project, source
from engine.language import loader
from engine.backends.dry import DryBackend, holds_unknown
from engine.catalog import Catalog
from engine.system.clock import VirtualClock
from engine.contracts import Call
from engine.execution.executor import Executor
from engine.system.stop import Stop
from engine.template.unknown import Unknown
from engine.state.values import Values


@pytest.fixture
def plan(fake):
    def plan(text, inputs=None, **more):
        catalog = Catalog(project.PROVIDERS)
        runbook = loader.read(source.read("apiVersion: runbook/v1\nname: test\n" + textwrap.dedent(text), "test.yaml"), catalog.find)
        clock = VirtualClock(datetime(2026, 3, 1, 12, tzinfo=UTC), Stop())
        backend = DryBackend(
            runbook="test", run="<run.id>", clock=clock, settings={}, catalogue=catalog.get, credential=None,
            open=lambda *_: None, values=Values(None, lambda value: value), learn=list, **more
        )  # fmt: skip
        facts = {"id": Unknown("run.id", {"type": "string"}), "started_at": "2026-03-01T12:00:00.000Z", "trigger": "cli"}
        return backend, backend.carry_out(Executor(runbook, backend, catalog.get, inputs or {}, facts).run())

    return plan


WRITE = "{id: w, uses: fake.write, with: {title: one}}"


def calls(backend):
    return [(call.step, call.item, call.made) for call in backend.plan.calls]


def test_a_write_is_written_down_and_not_done(plan, fake):
    backend, ending = plan(f"steps: [{WRITE}, {{id: s, uses: fake.say, with: {{value: 'made {{{{ steps.w.outputs.id }}}}'}}}}]")
    assert (ending.status, calls(backend)) == ("succeeded", [("w", None, False)])
    assert backend.plan.calls[0].call.body == {"title": "one"}
    assert fake.seen == ["made <steps.w.outputs.id>"]


def test_a_condition_known_only_in_a_real_run_is_marked(plan):
    backend, ending = plan(f"""
        steps:
          - {WRITE}
          - id: b
            if: steps.w.outputs.id == "x"
            block:
              - {{id: one, uses: fake.write, with: {{}}}}
              - {{id: two, if: steps.w.outputs.id != "y", for_each: [a, "b#1"], key: "{{{{ item }}}}", uses: fake.write, with: {{}}}}
          - {{id: last, uses: fake.write, with: {{}}}}
    """)
    assert ending.status == "succeeded"
    outer, inner = 'steps.w.outputs.id == "x"', 'steps.w.outputs.id != "y"'
    assert [(one.step, one.item, one.conditional) for one in backend.plan.calls] == [
        ("w", None, ()),
        ("one", None, (outer,)),
        ("two", "a", (outer, inner)),
        ("two", "b#1", (outer, inner)),
        ("last", None, ()),
    ]


@pytest.mark.parametrize("leave", ["{id: f, fail: no}", "{id: f, return: {}}", "{id: f, uses: fake.fail}"])
def test_what_may_not_happen_does_not_end_the_plan(plan, leave):
    backend, ending = plan(f"""
        steps:
          - {WRITE}
          - {leave[:-1]}, if: steps.w.outputs.id == "x"}}
          - {{id: last, uses: fake.write, with: {{}}}}
    """)
    assert [step for step, _, _ in calls(backend)] == ["w", "last"]
    assert ending.status == "succeeded"


def test_a_block_that_may_fail_does_not_end_the_plan(plan):
    backend, _ = plan(f"""
        steps:
          - {WRITE}
          - {{id: b, if: steps.w.outputs.id == "x", block: [{{id: one, uses: fake.write, with: {{}}}}, {{fail: no}}, {{id: two, uses: fake.write, with: {{}}}}]}}
          - {{id: last, uses: fake.write, with: {{}}}}
    """)
    assert [step for step, _, _ in calls(backend)] == ["w", "one", "last"]


def test_what_surely_fails_ends_the_plan(plan):
    backend, ending = plan(f"steps: [{WRITE}, {{fail: no}}, {{id: last, uses: fake.write, with: {{}}}}]")
    assert ending.error.message == "no"
    assert [step for step, _, _ in calls(backend)] == ["w"]


def test_a_loop_over_what_is_not_known_is_shown_once(plan):
    backend, _ = plan(f"""
        steps:
          - {WRITE}
          - {{id: loop, for_each: "{{{{ steps.w.outputs.id }}}}", uses: fake.write, with: {{of: "{{{{ item }}}}"}}}}
    """)
    assert [str(one.call.body) for one in backend.plan.calls] == ["{'title': 'one'}", "{'of': <steps.w.outputs.id[0]>}"]


def test_polling_is_shown_as_one_poll_whose_end_is_not_known(plan, fake):
    backend, ending = plan("""
        steps:
          - {id: c, uses: fake.count, until: {condition: result.n > 3, every: 1s, timeout: 10m, on_timeout: continue}}
          - {id: w, if: steps.c.outputs.n > 1, uses: fake.write, with: {}}
    """)
    assert len(fake.attempts) == 1
    assert backend.plan.calls[0].conditional == ("steps.c.outputs.n > 1",)


def test_a_poll_whose_condition_can_never_hold_ends_too(plan, fake):
    _, ending = plan("steps: [{id: c, uses: fake.count, until: {condition: inputs.n > 3, every: 30s, timeout: 10m}}]", {"n": 1})
    assert ending.error.code == "timeout"
    assert len(fake.attempts) == 21


@pytest.mark.parametrize("field", ["priority", "colour", "tags", "n"])
def test_what_is_not_known_meets_every_rule(plan, fake, field):
    _, ending = plan(
        f"steps: [{WRITE}, {{uses: fake.typed, with: {{n: 1, {field}: '{{{{ steps.w.outputs.id }}}}'}}}}]".replace("priority: ", "note: ")
        .replace("tags: ", "colour: ")
        .replace("n: 1, n:", "n:")
    )
    assert ending.status == "succeeded"


def test_one_unknown_field_leaves_the_others_as_they_are(plan):
    backend, _ = plan(f"""
        steps:
          - {WRITE}
          - {{id: two, uses: fake.write, with: {{known: 1, text: "{{% for x in steps.w.outputs.id %}}x{{% endfor %}}"}}}}
    """)
    body = backend.plan.calls[1].call.body
    assert body["known"] == 1
    assert isinstance(body["text"], Unknown)


def test_limits_and_waits_that_are_not_known_do_not_matter(plan):
    backend, ending = plan(f"""
        timeout: "{{{{ run.id }}}}"
        vars: {{alias: "db-{{{{ run.id }}}}"}}
        checks: [{{that: vars.alias != "", message: no}}]
        steps:
          - {WRITE}
          - {{wait: "{{{{ steps.w.outputs.id }}}}"}}
          - {{wait: {{until: "{{{{ steps.w.outputs.id }}}}"}}}}
          - {{id: two, uses: fake.write, timeout: "{{{{ steps.w.outputs.id }}}}", with: {{alias: "{{{{ vars.alias }}}}"}}}}
        outputs: {{id: {{type: string, value: "{{{{ steps.w.outputs.id }}}}"}}}}
    """)
    assert ending.status == "succeeded"
    assert backend.plan.calls[1].call.body == {"alias": "db-<run.id>"}


def test_waiting_takes_no_time_but_lets_it_pass(plan):
    _, ending = plan("timeout: 1h\nsteps: [{id: a, wait: 50m}, {id: b, wait: 50m}]")
    assert {name: state["status"] for name, state in ending.steps.items()} == {"a": "succeeded", "b": "failed"}


@pytest.mark.parametrize(
    "url",
    [
        "https://x/v2/alerts/%3Csteps.create.outputs.alertId%3E",
        "https://x/v2/alerts/<steps.create.outputs.alertId>",
        "https://x/v2/alerts/db-%3Crun.id%3E?identifierType=alias",
        "https://x/v2/alerts/%3Csteps.list.outputs.items%5B0%5D.id%3E",
        "https://x/v2/alerts/%3Csteps.a.outputs.id%20%7C%20upper%3E",
        "https://x/v2/alerts/%3Csteps.a.outputs.id%20%E2%80%A6%3E",
    ],
)
def test_a_read_of_what_is_not_known_is_not_made(url):
    assert holds_unknown(Call("x", "read", "GET", url))


@pytest.mark.parametrize("url", ["https://x/v2/alerts/1?query=createdAt%3C3", "https://x/v2/alerts?query=a%3Cb.c+and+d%3E3", None])
def test_an_ordinary_read_is_made(url):
    assert not holds_unknown(Call("x", "read", "GET", url))
