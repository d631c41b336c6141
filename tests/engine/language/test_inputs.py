"""Inputs: from the command line, from files, by default; every problem at once."""

import json

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from engine.language import inputs
from engine.errors import Invalid, UsageError
from engine.model import Runbook

USERS = {
    "type": "array",
    "items": {
        "type": "object",
        "required": ["name"],
        "properties": {
            "name": {"type": "string", "minLength": 1},
            "age": {"type": "integer"},
            "on": {"type": "boolean"},
            "code": {"type": "string"},
            "ratio": {"type": "number"},
        },
        "additionalProperties": False,
    },
}


def collect(declared, *given, file=None):
    return inputs.collect(Runbook(file="x.yaml", text="", sha256="", name="book", inputs=declared), given, file)


def messages(declared, *given, file=None):
    with pytest.raises(Invalid) as caught:
        collect(declared, *given, file=file)
    assert caught.value.exit_status == 3
    return [finding.message for finding in caught.value.findings]


@pytest.mark.parametrize(
    ("kind", "text", "value"),
    [
        ("string", "5", "5"),
        ("string", "", ""),
        ("string", "a=b", "a=b"),
        ("integer", "5", 5),
        (["integer", "null"], "3.0", 3),
        ("number", "0.5", 0.5),
        ("boolean", "true", True),
        ("array", '["a"]', ["a"]),
        ("object", '{"a": 1}', {"a": 1}),
        (["null", "integer"], "null", None),
        (["string", "null"], "null", "null"),
    ],
)
def test_text_becomes_what_the_schema_asks_for(kind, text, value):
    found = collect({"x": {"type": kind}}, f"x={text}")
    assert repr(found) == repr({"x": value})


@pytest.mark.parametrize(
    ("kind", "text"),
    [
        ("integer", "5.5"),
        ("integer", "05"),
        ("integer", "true"),
        ("boolean", "yes"),
        ("boolean", "1"),
        ("array", "a"),
        ("number", "NaN"),
        ("number", "Infinity"),
        ("number", "1e999"),
        ("array", "[" * 100_000),
    ],
)
def test_text_that_cannot_be_read_so_is_refused_by_the_schema(kind, text):
    (message,) = messages({"x": {"type": kind}}, f"x={text}")
    assert message.startswith("inputs.x: found text, expected") or message.startswith("inputs.x: found ")


def test_every_problem_is_said_at_once(tmp_path):
    declared = {
        "a": {"type": "integer"},
        "b": {"type": "string", "enum": ["x", "y"]},
        "c": {},
        "d": {"type": "array"},
        "colour": {"default": 1},
    }
    said = messages(declared, "a=many", "b=z", "color=red", f"d=@{tmp_path}/absent.json")
    assert len(said) == 5
    assert [message.split(":")[0].split(" ")[0] for message in sorted(said)] == ["book", "cannot", "inputs.a", "inputs.b", "inputs.c"]


def test_a_mistyped_name_gets_advice():
    with pytest.raises(Invalid) as caught:
        collect({"service": {"default": "x"}}, "sevice=db")
    assert caught.value.findings[0].hint == "did you mean service?"


def test_a_runbook_without_inputs_says_so():
    with pytest.raises(Invalid) as caught:
        collect({}, "x=1")
    assert caught.value.findings[0].hint == "book takes no inputs"


@pytest.mark.parametrize("argument", ["name", "=value", ""])
def test_an_argument_without_name_or_value_is_wrong_usage(argument):
    with pytest.raises(UsageError, match="name=value"):
        collect({"name": {}}, argument)


def test_defaults_stand_in_and_the_command_line_wins_over_the_file(tmp_path):
    (tmp_path / "in.yaml").write_text("a: 1\nb: 2\n")
    declared = {name: {"type": "integer", "default": 0} for name in "abc"}
    assert collect(declared, "b=3", file=str(tmp_path / "in.yaml")) == {"a": 1, "b": 3, "c": 0}


def test_an_inputs_file_must_hold_a_mapping(tmp_path):
    (tmp_path / "in.yaml").write_text("[1]\n")
    assert messages({}, file=str(tmp_path / "in.yaml")) == [f"{tmp_path}/in.yaml must hold a mapping of inputs"]


def test_a_broken_inputs_file_does_not_hide_other_problems(tmp_path):
    (tmp_path / "in.yaml").write_text("a: [1\n")
    assert len(messages({"n": {"type": "integer"}}, "n=x", file=str(tmp_path / "in.yaml"))) == 2


def test_numbers_inside_a_value_count_as_its_schema_says():
    declared = {"type": "array", "items": {"properties": {"n": {"type": "integer"}, "r": {"type": "number"}}}}
    assert repr(collect({"x": declared}, 'x=[{"n": 3.0, "r": 3.0, "s": 3.0}]')) == "{'x': [{'n': 3, 'r': 3.0, 's': 3.0}]}"


@pytest.mark.parametrize("argument", ["x=a\udcff", "y\udcff=1", "x=@\udcff.txt"])
def test_text_that_is_not_utf8_is_refused(argument):
    said = messages({"x": {"type": "string", "default": ""}}, argument)
    assert len("".join(said).encode()) > 0
    with pytest.raises(UsageError) as caught:
        collect({}, "\udcff")
    assert caught.value.message.encode()


def test_half_a_character_in_json_is_refused(tmp_path):
    (tmp_path / "x.json").write_text('[{"a": "\\ud800"}]')
    for argument in (f"x=@{tmp_path}/x.json", 'x=[{"\\udfff": 1}]'):
        assert "half of a character" in messages({"x": {"type": "array"}}, argument)[0]


def test_a_key_that_stands_twice_is_refused(tmp_path):
    (tmp_path / "x.json").write_text('[{"a": 1, "a": 2}]')
    for argument in (f"x=@{tmp_path}/x.json", 'x=[{"a": 1, "a": 2}]'):
        assert messages({"x": {"type": "array"}}, argument) == ["inputs.x: the key 'a' stands twice in one mapping"]


def places(runbook, *given, file=None):
    with pytest.raises(Invalid) as caught:
        inputs.collect(runbook, given, file)
    return [(finding.message.split(":")[0], str(finding.place), finding.source) for finding in caught.value.findings]


def test_what_is_wrong_is_said_with_its_place(tmp_path):
    declared = {"n": {"type": "integer"}, "absent": {"type": "string"}, "users": USERS}
    runbook = Runbook(file="r.yaml", text="inputs:\n  n: {}\n  absent: {}\n", sha256="", name="book", inputs=declared)
    file, users, table = tmp_path / "in.yaml", tmp_path / "users.yaml", tmp_path / "users.csv"
    file.write_text("m: 1\nn: hidden\nusers:\n  - name: a\n  - age: 1\n")
    users.write_text("- {name: a}\n- {name: b, age: x}\n")
    table.write_text("name,age\na,1\n\nb,x\n")
    missing = ("inputs.absent is missing", "r.yaml:3:3", "  absent: {}")
    assert places(runbook, file=str(file)) == [
        ("book has no input 'm'", f"{file}:1:1", None),
        ("inputs.n", f"{file}:2:4", None),
        missing,
        ("inputs.users[1]", f"{file}:5:5", None),
    ]
    assert places(runbook, "n=1", f"users=@{users}") == [missing, ("inputs.users[1].age", f"{users}:2:18", None)]
    assert places(runbook, "n=1", f"users=@{table}") == [missing, ("inputs.users[1].age", f"{table}:4:1", None)]


# -- files -----------------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("name", "text"),
    [
        ("v.json", '[{"name": "ana"}]'),
        ("v.yaml", "- {name: ana}"),
        ("v.yml", "- name: ana"),
        ("v.JSON", '[{"name": "ana"}]'),
        ("v.csv", "name\nana\n"),
    ],
)
def test_a_file_gives_the_value(tmp_path, name, text):
    (tmp_path / name).write_text(text)
    assert collect({"x": USERS}, f"x=@{tmp_path / name}") == {"x": [{"name": "ana"}]}


def test_a_text_input_takes_a_whole_text_file(tmp_path):
    (tmp_path / "note.txt").write_text("line one\nline two\n")
    assert collect({"x": {"type": "string"}}, f"x=@{tmp_path}/note.txt") == {"x": "line one\nline two\n"}


def test_another_kind_of_file_is_refused(tmp_path):
    (tmp_path / "v.txt").write_text("[]")
    assert ".csv, .json, .yaml or .yml" in messages({"x": USERS}, f"x=@{tmp_path}/v.txt")[0]


@pytest.mark.parametrize("text", ["", "{", "[NaN]", "[1e999]", "[" * 100_000])
def test_what_is_no_json_is_refused(tmp_path, text):
    (tmp_path / "v.json").write_text(text)
    (message,) = messages({"x": {"type": "array"}}, f"x=@{tmp_path}/v.json")
    assert message.endswith("v.json is not JSON")


def table(tmp_path, text):
    (tmp_path / "users.csv").write_bytes(text if isinstance(text, bytes) else text.encode())
    return f"x=@{tmp_path}/users.csv"


@pytest.mark.parametrize(
    ("text", "rows"),
    [
        ("name,age,on,code,ratio\nana,30,true,0123,1.5\n", [{"name": "ana", "age": 30, "on": True, "code": "0123", "ratio": 1.5}]),
        ("\ufeffname,age\r\nana,30\r\n", [{"name": "ana", "age": 30}]),
        ("name,age\nana,\n", [{"name": "ana"}]),
        (" name , age \n ana , 30 \n", [{"name": "ana", "age": 30}]),
        ('name,code\n"An ""A"", Lovelace","a\nb"\n', [{"name": 'An "A", Lovelace', "code": "a\nb"}]),
        ("name\nana\n\nbo\n", [{"name": "ana"}, {"name": "bo"}]),
        ("name\n", []),
    ],
)
def test_a_table_is_typed_by_its_items_schema(tmp_path, text, rows):
    assert collect({"x": USERS}, table(tmp_path, text)) == {"x": rows}


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("name,age\nana\n", "line 2: the row has more or fewer cells"),
        ("name,age\nana,1,2\n", "line 2: the row has more or fewer cells"),
        ("name,name\na,b\n", "line 1: the first line must name each column once"),
        ("name, name\na,b\n", "line 1: the first line must name each column once"),
        ("name,\na,b\n", "line 1: the first line must name each column once"),
        ("", "is empty; its first line must name the columns"),
        (" \n\n", "is empty; its first line must name the columns"),
        ("\na\n", "line 1: the first line must name each column once"),
        ('name\n"ana\n', "unexpected end of data"),
        ("name,age\nana,old\n", "inputs.x[0].age: found text, expected a whole number"),
        ("name,age\nana,03\n", "inputs.x[0].age: found text, expected a whole number"),
        ("name,salary\nana,1\n", "inputs.x[0].salary: unknown key 'salary'"),
        ("name,age\n,3\n", "inputs.x[0].name: shorter than 1 characters"),
        ("age\n3\n", "inputs.x[0]: name is missing"),
        (b"name\n\xff\n", "is not UTF-8"),
    ],
)
def test_a_bad_table_is_refused_with_its_place(tmp_path, text, said):
    assert said in "\n".join(messages({"x": USERS}, table(tmp_path, text)))


def test_every_bad_row_is_said(tmp_path):
    rows = "".join(f"p{number},{'x' if number % 3 == 0 else number}\n" for number in range(12))
    said = messages({"x": USERS}, table(tmp_path, "name,age\n" + rows))
    assert [message.split(".age")[0] for message in said] == [f"inputs.x[{number}]" for number in (0, 3, 6, 9)]


cells = st.text(st.characters(blacklist_categories=("Cs", "Cc", "Zs", "Zl", "Zp")), min_size=1).filter(lambda text: text.strip() == text)


@given(rows=st.lists(st.tuples(cells, st.integers(-(10**12), 10**12), st.booleans()), max_size=5))
@settings(max_examples=40, deadline=None)
def test_what_a_spreadsheet_writes_is_read_back(tmp_path_factory, rows):
    import csv
    import io

    out = io.StringIO()
    writer = csv.writer(out)
    writer.writerow(["name", "age", "on"])
    writer.writerows([name, age, str(on).lower()] for name, age, on in rows)
    folder = tmp_path_factory.mktemp("csv")
    assert collect({"x": USERS}, table(folder, out.getvalue()))["x"] == [{"name": name, "age": age, "on": on} for name, age, on in rows]


@given(
    value=st.recursive(
        st.none() | st.booleans() | st.integers(-(2**53), 2**53),
        lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=3), inner, max_size=3),
    )
)
@settings(max_examples=40, deadline=None)
def test_any_json_value_goes_through_an_argument(value):
    anything = {"type": ["null", "boolean", "integer", "array", "object"]}
    assert collect({"x": anything}, f"x={json.dumps(value)}") == {"x": value}
