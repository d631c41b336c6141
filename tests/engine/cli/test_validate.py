import json


def test_without_paths_the_folder_runbooks_is_checked(command):
    done = command("validate")
    assert done.code == 2 and "no folder runbooks/" in done.err
    command.write("runbooks/r.yaml", "apiVersion: runbook/v1\nname: r\nsteps: [{wait: 1s}]\n")
    assert command("validate").code == 0


def test_findings_make_it_exit_1_and_warnings_only_when_strict(command):
    command.write("w.yaml", "apiVersion: runbook/v1\nname: w\ninputs: {unused: {type: string}}\nsteps: [{wait: 1s}]\n")
    assert command("validate", "w.yaml").code == 0
    assert command("validate", "w.yaml", "--strict").code == 1
    document = json.loads(command("validate", "w.yaml", "--json").out)
    assert [(one["id"], one["severity"], one["line"]) for one in document["findings"]] == [("RB215", "warning", 3)]
