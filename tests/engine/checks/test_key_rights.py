from dataclasses import replace

from engine.checks import key_rights

TEXT = "steps:\n  - {uses: fake.open, connection: other, with: {message: hello}}\n  - {uses: fake.say, with: {message: hello}}\n"


def test_each_need_is_compared_with_the_keys(marked, subject):
    asked = []

    def keys(step, need):
        asked.append((step.connection, need.right))
        return "the connection has integration keys only"

    assert marked(key_rights, TEXT, keys) == ["fake.open!"]
    assert asked == [("other", "create_and_update")]
    (finding,) = key_rights.check(subject(TEXT, keys))
    assert finding.message == "fake.open: the connection has integration keys only"
    assert "account" in finding.hint


def test_a_need_that_is_met_or_unknown_is_no_finding(marked):
    assert marked(key_rights, TEXT, lambda step, need: None) == []
    assert marked(key_rights, TEXT) == []


def test_a_connection_that_is_not_there(subject):
    looked_at = subject(TEXT)
    (finding,) = key_rights.check(replace(looked_at, connections=lambda: ("opsgenie", "others")))
    assert (finding.message, finding.hint) == ("there is no connection 'other' in the configuration", "did you mean others?")
    assert looked_at.document.line(finding.place.line)[finding.place.column - 1 :].startswith("other")
    assert list(key_rights.check(replace(looked_at, connections=lambda: ("opsgenie", "other")))) == []
    assert list(key_rights.check(looked_at)) == []
