"""What a step can see."""

from datetime import UTC

from hypothesis import given
from hypothesis import strategies as st

from engine.scope import Scope

moments = st.datetimes(timezones=st.just(UTC)) | st.none()


def test_names_are_values_and_steps_and_what_is_added():
    scope = Scope({"inputs": {"a": 1}}, {"s": {"status": "pending"}})
    assert scope.names(result=2) == {"inputs": {"a": 1}, "steps": {"s": {"status": "pending"}}, "result": 2}


def test_a_scope_inside_adds_names_and_a_prefix_and_keeps_the_item():
    outer = Scope({"a": 1}, item="x")
    inner = outer.inside("loop[x]/", b=2)
    assert (inner.key("s"), inner.item, inner.values) == ("loop[x]/s", "x", {"a": 1, "b": 2})
    assert outer.values == {"a": 1}


def test_steps_are_shared_unless_it_has_its_own():
    outer = Scope({}, {"s": {"status": "pending"}})
    outer.inside("").steps["s"] = {"status": "succeeded"}
    assert outer.steps["s"]["status"] == "succeeded"
    outer.of_item("x/", "x", {}).steps["s"] = {"status": "failed"}
    assert outer.steps["s"]["status"] == "succeeded"


@given(st.lists(moments, max_size=5))
def test_the_earliest_deadline_holds(limits):
    scope = Scope({})
    for limit in limits:
        scope = scope.until(limit)
    known = [limit for limit in limits if limit is not None]
    assert scope.deadline == (min(known) if known else None)


def test_conditions_add_up():
    assert Scope({}).perhaps("a").inside("x/").perhaps("b").maybe == ("a", "b")


@given(st.sampled_from(["item", "self", "prefix", "names", "steps", "values", "own_steps"]))
def test_a_loop_may_call_its_item_anything(name):
    assert Scope({}).of_item("x/", "k", {name: 1}).values == {name: 1}
    assert Scope({}).names(**{name: 1})[name] == 1
