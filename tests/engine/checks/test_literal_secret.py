import json

import pytest

from engine import checks
from engine.checks import literal_secret
from engine.errors import Finding, Place

SECRETS = [
    "GenieKey 70413a06-38d6-4c85-92b8-5ebc900d42e2",
    "send Bearer abcdef0123456789abcdef",
    "Basic YWRtaW46aHVudGVyMg==",
    "ghp_" + "a1" * 18,
    "https://admin:hunter2@db.example.com/x",
    "eyJhbGciOiJIUzI1NiJ9.eyJzdWIiOiIxMjM0NTYifQ.c2lnbmF0dXJl",
    "-----BEGIN RSA PRIVATE KEY-----",
    "xoxb-1234567890-abcdef",
    "AKIA" + "A1B2C3D4E5F6G7H8",
]
HARMLESS = [
    "70413a06-38d6-4c85-92b8-5ebc900d42e2",
    "Basic troubleshooting",
    "the bearer of bad news",
    "https://example.com:8080/a@b",
    "the password has expired",
    "eyJhbG",
]


def said(text):
    return f"steps:\n  - uses: fake.say\n    with:\n      message: {json.dumps(text)}\n"


@pytest.mark.parametrize("secret", SECRETS)
def test_forms_of_secrets(subject, secret):
    found = checks.findings(subject(said(secret)))
    assert [finding.id for finding in found] == ["RB209"]
    assert secret not in repr(found)


@pytest.mark.parametrize("text", HARMLESS)
def test_harmless_text(marked, text):
    assert marked(literal_secret, said(text)) == []


@pytest.mark.parametrize("name", ["password", "apiKey", "api_key", "X-Api-Key", "clientSecret", "access_token", "Authorization"])
def test_fields_by_name(marked, name):
    assert marked(literal_secret, f"labels: {{{name}: abc}}\n") == ["abc!"]


@pytest.mark.parametrize("auth", ["{bearer: abc}", "{basic: {username: u, password: abc}}", "{header: {name: X-It, value: abc}}"])
def test_what_should_be_a_secret_of_the_configuration(marked, auth):
    assert marked(literal_secret, f"steps: [{{uses: core.set, with: {{auth: {auth}}}}}]\n") == ["abc!"]


def test_a_template_in_a_secret_field_is_no_literal(marked):
    text = """
        inputs: {password: {type: string, minLength: 8}, token_file: {type: string, default: /run/token}}
        steps:
          - {uses: fake.close, with: {id: a, password: "{{ inputs.password }}"}}
    """
    assert marked(literal_secret, text) == []


def test_the_default_of_a_secret_input(marked):
    assert marked(literal_secret, "inputs: {password: {type: string, default: abc}}\n") == ["abc!"]


@pytest.mark.parametrize(
    ("line", "shown"),
    [
        ("with: {pasword: 1, password: hunter2}", False),
        ("  'apiKey':  'abc'", False),
        ("  message: GenieKey 70413a06-38d6-4c85-92b8-5ebc900d42e2", False),
        ('  password: "{{ inputs.password }}"', True),
        ("  message: the password is wrong", True),
    ],
)
def test_findings_of_others_do_not_show_a_secret_either(line, shown):
    finding = Finding("RB104", "error", "unknown key", Place("example.yaml", 3, 1), source=line)
    assert [one.source for one in literal_secret.hidden([finding])] == [line if shown else None]


def test_no_finding_shows_the_line(subject):
    found = checks.findings(subject("vars: {password: hunter2}\n"))
    assert [(finding.id, finding.source) for finding in found] == [("RB215", None), ("RB209", None)]
