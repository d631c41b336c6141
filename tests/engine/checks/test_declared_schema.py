import pytest

from engine.checks import declared_schema


@pytest.mark.parametrize(
    ("declared", "marks"),
    [
        ("{type: text}", ["text!"]),
        ("{type: string, minLength: -1}", ["-1!"]),
        ("{type: string, required: true}", ["true!"]),
        ('{type: string, pattern: "^[a"}', ['"^[a"!']),
        ('{type: object, properties: {a: {pattern: "(", items: {type: nothing}}}}', ['"("!', "nothing!"]),
        ("{type: array, items: {$ref: 'http://example.com/x'}}", ["$ref!"]),
        ("{type: string, enum: [a, b], default: c}", ["c!"]),
        ("{type: object, properties: {n: {type: integer}}, default: {n: x}}", ["x!"]),
        ("{type: string, format: duration, default: soon}", ["soon!"]),
        ('{patternProperties: {"(": {}}, default: {a: 1}}', ['"("!']),
        ("{type: string, defualt: a}", ["defualt"]),
        ("{type: string, x-default: a, note: b}", []),
        ("{type: string, enum: [a, b], default: a}", []),
        ('{type: [string, "null"], default: null}', []),
        ("{}", []),
    ],
)
def test_inputs(marked, declared, marks):
    assert marked(declared_schema, f"inputs:\n  x: {declared}\n") == marks


@pytest.mark.parametrize(
    ("declared", "marks"),
    [
        ("{type: integer, value: many}", ["many!"]),
        ("{type: strng, value: many}", ["strng!"]),
        ('{type: integer, value: "{{ run.id }}"}', []),
        ("{type: integer, value: 3}", []),
        ('{type: array, items: {type: integer}, value: ["{{ run.id }}", 2, x]}', ["x!"]),
    ],
)
def test_outputs(marked, declared, marks):
    assert marked(declared_schema, f"outputs:\n  x: {declared}\n") == marks
