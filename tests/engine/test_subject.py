import pytest

from engine import source
from engine.language import loader
from engine.analysis.subject import Subject


def subject(text):
    document = source.read("apiVersion: runbook/v1\nname: example\n" + text, "example.yaml")
    return Subject(document, loader.read(document, lambda name: None), lambda name: None)


@pytest.mark.parametrize(
    ("written", "fragment", "shown"),
    [
        ("inputs.a == 'x'", '"x"', "'x'"),
        ("inputs.a|length > 1", "inputs.a | length", "inputs.a|length"),
        ("inputs.a  | length > 1", "inputs.a | length", "inputs.a  | length"),
        ('inputs.a == "x"', '"x"', '"x"'),
        ("inputs.a > 1", "inputs.b", "inputs.a > 1"),
    ],
)
def test_a_fragment_is_found_as_the_author_wrote_it(written, fragment, shown):
    looked_at = subject(f"steps:\n  - if: {written}\n    wait: 1s\n")
    site = next(site for site in looked_at.sites if site.bare)
    finding = looked_at.at(site, "RB000", "m", fragment=fragment)
    line = looked_at.document.line(finding.place.line)
    assert line[finding.place.column - 1 :][: finding.width] == shown


def test_steps_inside_blocks_are_steps():
    looked_at = subject("steps:\n  - {id: a, block: [{id: b, wait: 1s}], rescue: [{id: c, wait: 1s}]}\nfinally: [{id: d, wait: 1s}]\n")
    assert [step.id for step in looked_at.steps] == ["a", "b", "c", "d"]
    assert [looked_at.kind(step) for step in looked_at.steps] == [None] * 4
