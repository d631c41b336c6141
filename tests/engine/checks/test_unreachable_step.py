import pytest

from engine.checks import unreachable_step

SAY = "{uses: fake.say, with: {message: hello}}"


@pytest.mark.parametrize(
    ("steps", "marks"),
    [
        ([{"return": {}}], 1),
        ([{"fail": "no"}], 1),
        ([{"fail": "no", "continue_on_error": True}], 0),
        ([{"fail": "no", "if": "run.id != ''"}], 0),
        ([{"return": {}, "for_each": ["a"]}], 0),
    ],
)
def test_what_follows_a_leaver(marked, steps, marks):
    import json

    written = "".join(f"  - {json.dumps(step)}\n" for step in steps)
    assert len(marked(unreachable_step, f"steps:\n{written}  - {SAY}\n  - {SAY}\n")) == marks


def test_every_list_is_looked_at(marked):
    inside = f"[{{fail: no}}, {SAY}]"
    text = f"steps:\n  - block: {inside}\n    rescue: {inside}\n    always: {inside}\nfinally: {inside}\n"
    assert len(marked(unreachable_step, text)) == 4
    assert marked(unreachable_step, f"steps:\n  - {SAY}\n  - fail: no\n") == []
