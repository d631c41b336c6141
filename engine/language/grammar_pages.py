"""The pages of findings that are made before the static checks: by the reader of YAML, the loader, the inputs and the configuration."""

from __future__ import annotations

from typing import Final

PAGES: Final[dict[str, str]] = {
    "RB001": """\
# RB001: the file cannot be read.

It is not there, may not be read, is no regular file, or is not UTF-8.

What to do: check the name and the permissions; save the file as UTF-8.
""",
    "RB002": """\
# RB002: not YAML.

The text breaks the syntax of YAML, or holds characters that a reviewer could not see. Most often a template or a condition needs quotes.

Bad:

```yaml
steps:
  - uses: core.log
    with: {message: {{ inputs.summary }}}
```

Good:

```yaml
steps:
  - uses: core.log
    with: {message: "{{ inputs.summary }}"}
```

What to do: follow the hint; quote text that starts with a special character or holds `: ` or ` #`.
""",
    "RB003": """\
# RB003: a key stands twice in one mapping.

Other readers of YAML keep the last one without a word.

Bad:

```yaml
name: first
name: second
```

Good:

```yaml
name: second
```

What to do: delete one of them.
""",
    "RB004": """\
# RB004: YAML that a runbook may not hold.

Tags, directives, merge keys, a second document in the file, aliases of nothing.

Bad:

```yaml
description: !!str 5
```

Good:

```yaml
description: "5"
```

What to do: write the value out.
""",
    "RB005": """\
# RB005: too large, too deep or too long.

The file, its nesting, the number of its values or of its aliases is above the limit.

What to do: split the runbook, or move its data to inputs.
""",
    "RB101": """\
# RB101: the grammar is broken.

A key that the language does not have, one that is missing, or a value of the wrong kind.

Bad:

```yaml
apiVersion: runbook/v1
name: disk-full
step: []
```

Good:

```yaml
apiVersion: runbook/v1
name: disk-full
steps:
  - uses: core.log
    with: {message: disk full}
```

What to do: follow the hint; `opsbook schema` prints the whole grammar.
""",
    "RB102": """\
# RB102: keys that do not go together.

A step is one thing: one of `uses`, `block`, `wait`, `return`, `fail`. `with` belongs to `uses`, `rescue` and `always` to `block`, `as` and
`key` to `for_each`.

Bad:

```yaml
steps:
  - uses: core.log
    wait: 10m
```

Good:

```yaml
steps:
  - wait: 10m
  - uses: core.log
    with: {message: ten minutes later}
```

What to do: make two steps of it, or move the key to where it belongs.
""",
    "RB103": """\
# RB103: there is no such step.

Bad:

```yaml
steps:
  - uses: opsgenie.alert.ack
    with: {identifier: disk-full}
```

Good:

```yaml
steps:
  - uses: opsgenie.alert.acknowledge
    with: {identifier: disk-full}
```

What to do: `opsbook steps list` shows every step.
""",
    "RB104": """\
# RB104: `with` is not what the step takes.

A field that the step does not have, one that is missing, or a value that breaks the field's rules. Names are the vendor's own, letter
for letter.

Bad:

```yaml
steps:
  - uses: opsgenie.alert.create
    with: {messages: disk full}
```

Good:

```yaml
steps:
  - uses: opsgenie.alert.create
    with: {message: disk full}
```

What to do: `opsbook steps show NAME` lists a step's fields.
""",
    "RB110": """\
# RB110: an input of the run is missing, unknown or wrong.

The values given with `-i` and `--inputs-file` are compared with the schemas under `inputs:` before anything is sent; all that is wrong
is said at once.

What to do: give the input, `-i name=value`, or correct it.
""",
    "RB111": """\
# RB111: a step that was done reads otherwise in the new runbook.

`opsbook retry RUN --use-new` keeps what RUN had done, so each step that it had done must still be there and say the same; its name, and
the steps inside a block, may change. Bad: `create` was done, and its alias is another now.

What to do: put the step back as it was, or do it and all after it again with `--from STEP`.
""",
    "RB120": """\
# RB120: the configuration is wrong.

A key that the configuration does not have, one that is missing, or a value of the wrong kind. Secrets are named there by reference only,
such as `env:OPSGENIE_KEY` or `file:/run/credentials/opsbook/key`; a value that stands there itself is refused and never shown.

What to do: correct the configuration at the place shown.
""",
    "RB121": """\
# RB121: the state for the emulator is wrong.

The file given with `--emulator-state` must hold a mapping that says who and what is there before the run, such as `teams: [{name: dba}]`.

What to do: correct the file.
""",
}
"""Markdown by id."""
