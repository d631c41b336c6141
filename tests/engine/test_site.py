import pytest

from engine.analysis.site import Absence, Ran, Site, View, conjuncts


@pytest.mark.parametrize(
    ("condition", "parts"),
    [
        ("a", {"a"}),
        ("a  and b and c", {"a", "b", "c"}),
        ("not a and b", {"not a", "b"}),
        ("a or b and c", {"a or b and c"}),
        ("(a or b) and c", {"(a or b) and c"}),
        ("a and b if c else d", {"a and b if c else d"}),
    ],
)
def test_conjuncts(condition, parts):
    assert conjuncts(condition) == parts


def test_a_view_knows_which_doubts_its_conditions_rule_out():
    ran = {"x": Ran({}, (Absence("if", "x", frozenset({"a", "b"})), Absence("block", "outer", frozenset())))}
    view = View({}, ran)
    assert [doubt.why for doubt in view.doubts("x")] == ["if", "block"]
    assert [doubt.why for doubt in view.under("b and c").under("a").doubts("x")] == ["block"]
    assert [doubt.why for doubt in view.under('steps.outer.status == "succeeded"').doubts("x")] == ["if"]
    assert view.under('steps.x.status == "succeeded"').doubts("x") == ()
    assert view.under("steps.x.outputs is defined").doubts("x") == ()
    assert len(view.under("steps.x.outputs").doubts("x")) == 2


def test_a_condition_that_cannot_be_read_promises_nothing():
    assert View({}).under("a and (").there == frozenset()


def test_a_site_that_cannot_be_read_has_a_fault_and_nothing_else():
    site = Site("{{ x", ("vars", "a"), False, None, View({}), None)
    assert site.fault is not None
    assert (site.references, site.schema, site.problems, site.is_static) == ((), {}, (), False)


def test_a_site_is_typed_by_what_it_sees():
    site = Site(
        "{{ steps.a.outputs.n }}",
        (),
        False,
        None,
        View({}, {"a": Ran({"properties": {"outputs": {"properties": {"n": {"type": "integer"}}}}})}),
        None,
    )
    assert (site.schema, site.problems, site.fault) == ({"type": "integer"}, (), None)
