"""Walks a runbook in the order of a run and finds every template and expression, with what can be seen from it.

Control is structured, so what surely ran before can be read off the structure; the rules are those of engine.execution.executor.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

from engine import template
from engine.analysis.site import Absence, Ran, Site, View, conjuncts
from engine.contracts import Schema, Written
from engine.contracts import Step as StepType
from engine.control import CONSTRUCTS
from engine.language import notices
from engine.language.names import ERROR, ITEMS, LOOP, RUN, SECRETS, STEP_STATUS, TEXT, WHOLE, record
from engine.model import Block, Path, Runbook, Step, Uses, Wait
from engine.modifiers import MODIFIERS

_TYPES = ("string", "integer", "number", "boolean", "array", "object", "null")
_OPEN = ("$ref", "allOf", "anyOf", "oneOf", "patternProperties")

GIVES_BACK = "core.set"
"""The step whose outputs are its own fields: their types are those of the templates."""


def sites(runbook: Runbook, catalogue: Callable[[str], StepType | None]) -> tuple[Site, ...]:
    """Every text that is or could be a template or an expression, in the order of a run."""
    walk = _Walk(catalogue)
    walk.runbook(runbook)
    return tuple(walk.found)


class _Walk:
    """Collects sites; each method returns what later ones need: a schema, a view, or the steps that ran."""

    def __init__(self, catalogue: Callable[[str], StepType | None]) -> None:
        self.found: list[Site] = []
        self._catalogue = catalogue
        self._step: Step | None = None

    def runbook(self, runbook: Runbook) -> None:
        inputs = {name: plain(declared) for name, declared in runbook.inputs.items()}
        view = self._vars(runbook, View({"inputs": record(inputs, open_=True), "run": RUN, "secrets": SECRETS}))
        self._frame(runbook, view)
        main = self._sequence(runbook.steps, view.also(now=TEXT))
        self._step = None
        for name, declared in runbook.outputs.items():
            self._value(declared["value"], ("outputs", name, "value"), view.also(main), plain(declared))
        early = {name: Ran(ran.schema, (Absence("the run may have ended before it"),)) for name, ran in main.items()}
        self._sequence(runbook.finally_, view.also(early, now=TEXT))
        self._step = None
        for key, path, value, wanted in notices.templates(runbook, self._catalogue):
            self._value(value, path, View(notices.NAMES[key]), wanted)

    def _vars(self, runbook: Runbook, view: View) -> View:
        known: dict[str, Schema] = {}
        for name, value in runbook.vars.items():
            before = view.also(vars=record(known, open_=True), now=TEXT)
            known[name] = self._value(value, ("vars", name), before, {})
        return view.also(vars=record(known, open_=True))

    def _frame(self, runbook: Runbook, view: View) -> None:
        """What stands around the steps and is looked at before them."""
        for index, check in enumerate(runbook.checks):
            path: Path = ("checks", index)
            held = self._condition(check.condition, (*path, "if"), view)
            self._expression(check.that, (*path, "that"), held)
            self._value(check.message, (*path, "message"), held, {})
        if runbook.concurrency is not None:
            alone = View({name: view.names[name] for name in ("inputs", "secrets")})  # the group is locked before the run has an id
            self._value(runbook.concurrency.group, ("concurrency", "group"), alone, {})
        self._value(runbook.timeout, ("timeout",), view, TEXT)
        if runbook.default_retry is not None:
            self._condition(runbook.default_retry.condition, ("defaults", "retry", "if"), view.also(error=ERROR))

    def _sequence(self, steps: tuple[Step, ...], view: View) -> dict[str, Ran]:
        ran: dict[str, Ran] = {}
        for step in steps:
            ran |= self._one(step, view.also(ran))
        return ran

    def _one(self, step: Step, view: View) -> dict[str, Ran]:
        """The step and what is inside it, as seen after it."""
        self._step = step
        per_item = is_about_item(step)
        outer = view if per_item else self._condition(step.condition, (*step.path, "if"), view)
        inner = self._loop(step, outer)
        inner = self._condition(step.condition, (*step.path, "if"), inner) if per_item else inner
        self._value(step.timeout, (*step.path, "timeout"), inner, TEXT)
        outputs, nested = self._body(step, inner)
        self._step = step
        self._around(step, inner, outputs)
        if step.for_each is not None:
            nested = {name: Ran(record({"status": STEP_STATUS, "outputs": _list(ran.schema)})) for name, ran in nested.items()}
        own = Ran(_state(outputs) if step.for_each is None else _loop_state(outputs))
        reasons = _absences(step, per_item=per_item)
        return {name: ran.doubted(*reasons) for name, ran in {**nested, step.id: own}.items()}

    def _loop(self, step: Step, view: View) -> View:
        loop = step.for_each
        if loop is None:
            return view
        schema = self._value(loop.items, (*step.path, "for_each"), view, {"type": "array"})
        item = schema.get("items", {})
        inner = view.also(**{loop.name: item if isinstance(item, Mapping) else {}, "loop": LOOP})
        self._value(loop.key, (*step.path, "key"), inner.also(loop=record({"index": WHOLE})), {})
        return inner

    def _body(self, step: Step, view: View) -> tuple[Schema, dict[str, Ran]]:
        for written in CONSTRUCTS[step.kind].written(step.body):
            self._written(written, step, view)
        if isinstance(step.body, Uses):
            return self._uses(step, step.body, view), {}
        if isinstance(step.body, Block):
            return self._block(step, step.body, view)
        return record({"until": TEXT} if isinstance(step.body, Wait) else {}), {}

    def _uses(self, step: Step, body: Uses, view: View) -> Schema:
        kind = self._catalogue(body.name)
        if kind is None:
            return {}
        typed = self._value(dict(body.given), (*step.path, "with"), view, kind.inputs)
        return typed if body.name == GIVES_BACK else plain(kind.outputs(body.given))

    def _block(self, step: Step, body: Block, view: View) -> tuple[Schema, dict[str, Ran]]:
        done = self._sequence(body.steps, view)
        shaken = _doubted(done, f"an earlier step of the block {step.id} may have failed")
        rescued = self._sequence(body.rescue, view.also(shaken, error=ERROR))
        rescued = _doubted(rescued, f"it runs only when the block {step.id} fails")
        always = self._sequence(body.always, view.also({**shaken, **rescued}))
        after = {**(shaken if body.rescue else done), **rescued, **always}
        told = {**done, **rescued, **always}
        children = (*body.steps, *body.rescue, *body.always)
        outputs = {child.id: told[child.id].schema["properties"]["outputs"] for child in children}
        return record(outputs), after

    def _around(self, step: Step, view: View, outputs: Schema) -> None:
        """The templates of `until`, `retry` and `expect`; their conditions know more names."""
        seen = view.also(result=outputs)
        for modifier, value, names in (("until", step.until, seen), ("retry", step.retry, view.also(error=ERROR))):
            if value is not None:
                for written in MODIFIERS[modifier].written(value):
                    self._written(written, step, names if written.expression else view)
        for index, condition in enumerate(step.expect):
            self._expression(condition, (*step.path, "expect", index), seen)

    def _written(self, written: Written, step: Step, view: View) -> None:
        path = (*step.path, *written.path)
        if written.expression:
            self._expression(written.value, path, view)
        else:
            self._value(written.value, path, view, written.schema or {})

    def _condition(self, condition: str | None, path: Path, view: View) -> View:
        """The view behind a condition."""
        if condition is None:
            return view
        self._expression(condition, path, view)
        return view.under(condition)

    def _expression(self, source: str, path: Path, view: View) -> Schema:
        self.found.append(Site(source, path, True, {"type": "boolean"}, view, self._step))
        return {"type": "boolean"}

    def _value(self, value: Any, path: Path, view: View, wanted: Schema) -> Schema:
        """Notes every text in a value, as engine.rendering would render it, and returns the schema of the whole."""
        if wanted.get("x-literal"):
            return {}
        if "x-binds" in wanted:
            view = view.also(**wanted["x-binds"])
        if isinstance(value, str):
            return self._text(value, path, view, wanted)
        if isinstance(value, list):
            items = [self._value(item, (*path, index), view, wanted.get("items") or {}) for index, item in enumerate(value)]
            return {"type": "array", "items": items[0] if items and all(item == items[0] for item in items) else {}}
        if isinstance(value, Mapping):
            return record({name: self._value(part, (*path, name), view, _below(wanted, name)) for name, part in value.items()})
        return {"type": _json_type(value)}

    def _text(self, source: str, path: Path, view: View, wanted: Schema) -> Schema:
        if wanted.get("format") == "expression":
            return self._expression(source, path, view)
        site = Site(source, path, False, wanted, view, self._step)
        self.found.append(site)
        return TEXT if site.is_static else site.schema


def plain(schema: Any) -> Schema:
    """What inference needs of a schema. Authors write schemas too: what is malformed in one is left out; another check speaks of it."""
    if not isinstance(schema, Mapping):
        return {}
    told: dict[str, Any] = {key: schema[key] for key in ("const", *_OPEN) if key in schema}
    types = schema.get("type")
    if types in _TYPES if isinstance(types, str) else isinstance(types, list) and all(name in _TYPES for name in types):
        told["type"] = types
    if isinstance(schema.get("enum"), list):
        told["enum"] = schema["enum"]
    if isinstance(schema.get("properties"), Mapping):
        told["properties"] = {name: plain(part) for name, part in schema["properties"].items()}
    if isinstance(schema.get("items"), Mapping):
        told["items"] = plain(schema["items"])
    rest = schema.get("additionalProperties")
    return told if rest is None else {**told, "additionalProperties": rest if isinstance(rest, bool) else plain(rest)}


def is_about_item(step: Step) -> bool:
    """Whether a loop's condition is about each item, rather than about the loop."""
    if step.condition is None or step.for_each is None:
        return False
    try:
        references = template.expression(step.condition).references
    except template.TemplateError:
        return False
    return any(reference.path[0] in {step.for_each.name, "loop"} for reference in references)


def _below(schema: Schema, name: str) -> Schema:
    """Schema of one field, as engine.rendering finds it."""
    rest = schema.get("additionalProperties")
    found: Schema = schema.get("properties", {}).get(name) or (rest if isinstance(rest, Mapping) else {})
    return found


def _json_type(value: Any) -> str:
    kinds = ((bool, "boolean"), (int, "integer"), (float, "number"))
    return next((name for kind, name in kinds if isinstance(value, kind)), "null")


def _state(outputs: Schema) -> Schema:
    """Schema of `steps.<id>`."""
    return record({"status": STEP_STATUS, "outputs": outputs, "error": ERROR, "continued": {"type": "boolean"}})


def _loop_state(outputs: Schema) -> Schema:
    """Schema of `steps.<id>` after a loop."""
    fields = _state({"type": "array", "items": outputs})["properties"]
    return record({**fields, "items": ITEMS})


def _list(state: Schema) -> Schema:
    """What the outputs of a step inside a loop are after the loop."""
    return {"type": "array", "items": state["properties"]["outputs"]}


def _doubted(ran: Mapping[str, Ran], why: str) -> dict[str, Ran]:
    return {name: one.doubted(Absence(why)) for name, one in ran.items()}


def _absences(step: Step, *, per_item: bool) -> list[Absence]:
    """Why the step, and all that is inside it, may have no outputs. A loop that began has its list."""
    reasons = []
    if step.condition is not None and not per_item:
        reasons.append(Absence(f"it depends on `if: {step.condition}`", step.id, conjuncts(step.condition)))
    if step.continue_on_error and step.for_each is None:
        reasons.append(Absence("it may fail and the run goes on", step.id))
    return reasons
