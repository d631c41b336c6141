"""core.command: arguments, environment, limits."""

from __future__ import annotations

import os
import sys
import time

import pytest

from engine.errors import InDoubt, StepError
from engine.system import process
from engine.schema import problems
from engine.secret import SecretName
from steps.core import STEPS

COMMAND = STEPS["core.command"]


def run(context, *argv, **more):
    return COMMAND.perform({"argv": list(argv), **more}, context)


def test_no_shell_reads_the_arguments(new_context):
    assert run(new_context(), "echo", "$HOME; `id` | *")["data"] == "$HOME; `id` | *"


def test_gives_both_outputs_and_feeds_stdin(new_context):
    context = new_context()
    outputs = run(context, "sh", "-c", "cat; echo two >&2; exit 3", stdin="one\n", expect_exit=[3])
    assert outputs == {"exit_code": 3, "stdout": "one\n", "stderr": "two\n", "data": "one"}
    assert context.calls[0].detail == {"argv": ["sh", "-c", "cat; echo two >&2; exit 3"], "env": []}


def test_large_input_and_output_do_not_lock_each_other(new_context):
    text = "x" * 500_000
    assert run(new_context(), "cat", stdin=text)["stdout"] == text


def test_input_that_nobody_reads_is_no_failure(new_context):
    assert run(new_context(), "true", stdin="x" * 200_000)["exit_code"] == 0


def test_environment_is_small(new_context, monkeypatch):
    monkeypatch.setenv("SOME_KEY", "hidden")
    lines = run(new_context(), "env", env={"GIVEN": "yes"}, parse="lines")["data"]
    names = {line.split("=")[0] for line in lines}
    assert "GIVEN" in names
    assert names <= {"PATH", "HOME", "LANG", "LC_ALL", "TZ", "GIVEN", "PWD", "SHLVL", "_"}


def test_starts_in_the_runs_folder_or_where_told(new_context, tmp_path):
    context = new_context()
    assert run(context, "pwd")["data"] == str(context.folder)
    assert run(context, "pwd", cwd=str(tmp_path))["data"] == str(tmp_path)


def test_data_is_parsed_and_checked(new_context):
    schema = {"type": "object", "required": ["n"], "properties": {"n": {"type": "integer"}}}
    assert run(new_context(), "echo", '{"n": 1}', parse="json", outputs=schema)["data"] == {"n": 1}
    with pytest.raises(StepError, match=r"does not fit `outputs` at \$\.n: type") as caught:
        run(new_context(), "echo", '{"n": "hidden"}', parse="json", outputs=schema)
    assert "hidden" not in caught.value.message


def test_other_exit_codes_fail_with_the_last_words(new_context):
    with pytest.raises(StepError) as caught:
        run(new_context(), "sh", "-c", "printf 'bad \\033[31mnews\\n' >&2; exit 2")
    assert (caught.value.code, caught.value.again) == ("command_failed", "maybe")
    assert caught.value.message == "'sh' ended with exit code 2: bad [31mnews"


def test_a_signal_shows_as_a_negative_code(new_context):
    assert run(new_context(), "sh", "-c", "kill -9 $$", expect_exit=[-9])["exit_code"] == -9


@pytest.mark.parametrize(
    ("given", "code"),
    [
        ({"argv": ["no-such-program-here"]}, "command_not_found"),
        ({"argv": ["true"], "cwd": "/no/such/folder"}, "command_not_started"),
        ({"argv": ["tr\0ue"]}, "command_not_started"),
        ({"argv": ["/"]}, "command_not_started"),
    ],
)
def test_what_cannot_start_is_never_tried_again(new_context, given, code):
    with pytest.raises(StepError) as caught:
        COMMAND.perform(given, new_context())
    assert (caught.value.code, caught.value.again) == (code, "never")


def test_time_is_limited_and_the_whole_group_is_ended(new_context):
    context = new_context(timeout=0.2)
    began = time.monotonic()
    with pytest.raises(StepError) as caught:
        run(context, "sh", "-c", "sleep 30 & echo $! > child; wait")
    assert caught.value.code == "timeout"
    assert time.monotonic() - began < 2
    assert_gone(int((context.folder / "child").read_text()))


def test_what_is_left_behind_holds_nothing_up_and_is_ended(new_context):
    context = new_context(timeout=5)
    began = time.monotonic()
    child = int(run(context, "sh", "-c", "sleep 30 & echo $!")["data"])
    assert time.monotonic() - began < 2
    assert_gone(child)


def test_closing_its_outputs_wins_a_program_no_time(new_context):
    with pytest.raises(StepError, match="in time"):
        run(new_context(timeout=0.2), "sh", "-c", "exec >&- 2>&-; exec sleep 30")


def test_deaf_programs_are_killed(new_context, monkeypatch):
    monkeypatch.setattr(process, "_GRACE", 0.05)
    began = time.monotonic()
    with pytest.raises(StepError, match="in time"):
        run(new_context(timeout=0.2), "sh", "-c", "trap '' TERM; while :; do sleep 0.02; done")
    assert time.monotonic() - began < 2


def test_output_is_limited(new_context):
    with pytest.raises(StepError) as caught:
        run(new_context(), "yes")
    assert caught.value.code == "output_too_large"


def test_dumps_no_core(new_context):
    assert run(new_context(), sys.executable, "-c", "import resource as r; print(r.getrlimit(r.RLIMIT_CORE)[0])")["data"] == "0"


def test_what_a_crash_left_open_is_in_doubt_and_not_run_again(new_context):
    context = new_context(interrupted=1)
    with pytest.raises(InDoubt):
        run(context, "touch", "x")
    assert len(context.calls) == 1
    assert not context.folder.exists()


def test_a_plan_runs_nothing(new_context, placeholder):
    context = new_context(planning=True)
    outputs = run(context, "touch", "x")
    assert {name: value.name for name, value in outputs.items()} == {name: name for name in ("exit_code", "stdout", "stderr", "data")}
    everything = dict.fromkeys(("argv", "env", "stdin", "cwd", "parse", "outputs", "expect_exit"), placeholder)
    COMMAND.perform(everything, context)
    assert context.calls[1].detail == dict.fromkeys(("argv", "env", "cwd"), placeholder)
    assert not context.folder.exists()


def test_data_is_typed_by_what_is_written():
    typed = lambda **written: COMMAND.outputs(written)["properties"]["data"]  # noqa: E731
    assert typed() == {"type": "string"}
    assert typed(parse="lines") == {"type": "array", "items": {"type": "string"}}
    assert typed(parse="json") == {}
    assert typed(parse="json", outputs={"type": "object"}) == {"type": "object"}


def assert_gone(pid):
    """Gone, or dead and waiting for whoever adopted it."""
    for _ in range(200):
        try:
            with open(f"/proc/{pid}/stat") as stat:
                if stat.read().rsplit(")", 1)[1].split()[0] == "Z":
                    return
        except (FileNotFoundError, ProcessLookupError):
            return
        os.sched_yield()
        time.sleep(0.005)
    raise AssertionError(f"process {pid} still runs")


def test_a_variable_may_be_a_secret(new_context):
    context = new_context(store={"A_TOKEN": ["the-secret-value"]})
    given = {"argv": ["sh", "-c", 'echo "$TOKEN $PLAIN"'], "env": {"TOKEN": SecretName("A_TOKEN"), "PLAIN": "plain"}}
    assert problems(given, COMMAND.inputs) == []
    assert COMMAND.perform(given, context)["data"] == "the-secret-value plain"
    [call] = context.calls
    assert call.detail["env"] == ["PLAIN", "TOKEN"]
    assert call.detail["secrets"] == {"TOKEN": "env:A_TOKEN"}
    assert "the-secret-value" not in repr(call)


def test_a_plan_asks_for_no_secret(new_context):
    context = new_context(planning=True, store={"A_TOKEN": []})
    COMMAND.perform({"argv": ["true"], "env": {"TOKEN": SecretName("A_TOKEN")}}, context)
    assert context.calls[0].detail["secrets"] == {"TOKEN": "env:A_TOKEN"}
