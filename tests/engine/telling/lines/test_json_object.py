"""Lines for machines."""

import json
import unicodedata

from hypothesis import given
from hypothesis import strategies as some

from engine.telling.lines import json_object

VALUES = some.recursive(some.none() | some.integers() | some.text(), lambda inner: some.dictionaries(some.text(), inner), max_leaves=5)


@given(some.dictionaries(some.text(), VALUES))
def test_a_record_is_one_printable_line_and_comes_back_as_it_was(record):
    line = json_object.line(record)
    assert not {unicodedata.category(char) for char in line} & {"Cc", "Cf", "Cs", "Zl", "Zp"}
    assert json.loads(line) == record


def test_what_comes_first_stays_first():
    assert json_object.line({"time": "t", "a": "ü"}) == '{"time": "t", "a": "ü"}'
