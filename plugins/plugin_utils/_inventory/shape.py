# Copyright: (c) 2026, The lunworks.iscsi authors
# SPDX-License-Identifier: GPL-3.0-or-later
"""Variables held against the JSON Schema of the roles, by jsonschema."""

from __future__ import annotations

from typing import Any, Iterator, Mapping

from .fault import Path, nearest
from .formats import refusal
from .secret import beside_secret, items_of, shown_text, unknown

try:
    from jsonschema import Draft7Validator, ValidationError, validators
except ImportError:
    HAS_JSONSCHEMA = False
else:
    HAS_JSONSCHEMA = True

WORDS = {
    "array": "a list",
    "boolean": "true or false",
    "integer": "a whole number",
    "object": "a dictionary",
    "string": "a text",
}
KINDS = (
    (bool, "boolean"),
    (str, "text"),
    (int, "number"),
    (float, "number"),
    (list, "list"),
    (dict, "dictionary"),
)
LONGEST = 60  # characters of a value that are shown
SHOWN = 12  # options that are named where none is like the wrong one
Found = Iterator["tuple[Path, str, str]"]  # the place, what is wrong there, and the key below it that is


def _format(_validator: Any, form: str, instance: Any, _schema: Any) -> Iterator[Any]:
    why = refusal(form, instance) if isinstance(instance, (str, int, float)) else ""
    if why:
        yield ValidationError(why)


class Shape:
    """What the variables of a host must look like."""

    def __init__(self, schema: Mapping[str, Any]) -> None:
        self.names = list(schema["properties"])
        own = {"format": _format, "if": self._if, "properties": self._properties}
        self.validator = validators.extend(Draft7Validator, own)(schema)
        self.right: set[Any] = set()

    def _if(self, validator: Any, free: Any, instance: Any, schema: Any) -> Iterator[Any]:
        """As jsonschema does it, knowing that no list or dictionary is a template."""
        nested = isinstance(instance, (dict, list))
        if nested or not validator.evolve(schema=free).is_valid(instance):
            yield from validator.descend(instance, schema["else"], schema_path="else")

    def _properties(self, validator: Any, properties: Any, instance: Any, _schema: Any) -> Iterator[Any]:
        """As jsonschema does it, but once for each value: a fleet has the same ones again and again."""
        for name in [name for name in properties if name in instance] if isinstance(instance, dict) else ():
            value, nested = instance[name], isinstance(instance[name], (dict, list))
            key = () if nested else (id(properties[name]), type(value), value)
            if key in self.right:
                continue
            errors = list(validator.descend(value, properties[name], path=name, schema_path=name))
            yield from errors
            if key and not errors:
                self.right.add(key)

    def faults(self, values: Mapping[str, Any]) -> Found:
        """What is wrong where."""
        errors = list(self.validator.iter_errors(values))
        typed = {tuple(error.absolute_path) for error in errors if error.validator == "type"}
        for error in errors:
            if error.validator == "type" or tuple(error.absolute_path) not in typed:
                hidden = beside_secret(self.validator.schema, tuple(error.absolute_path))
                yield from _said(error, {**error.schema, "writeOnly": True} if hidden else error.schema)


def _said(error: Any, schema: Any) -> Found:
    path, value = tuple(error.absolute_path), error.instance
    if error.validator == "additionalProperties":
        yield from _unknown(path, schema, value)
    elif error.validator == "required":
        if not _renamed(schema, value):
            yield path, f"'{_quoted(error.message)}' is missing", ""
    elif error.validator == "anyOf":
        if not _renamed(schema, value):
            yield path, f"must have {' or '.join(_and(one['required']) for one in schema['anyOf'])}", ""
    elif error.validator == "dependencies":
        name = _quoted(error.message)
        if name not in [nearest(one, schema["properties"]) for one in _extra(schema, value)]:
            yield path, f"'{name}' is missing: the two are given together", ""
    elif error.validator == "type":
        yield path, f"must be {_kind(schema)}, {_found(schema, value)}", ""
    elif error.validator == "enum":
        yield path, _choice(schema, value), ""
    else:
        yield path, _hidden(error.message.rstrip("."), schema, value), ""


def _quoted(message: str) -> str:
    """The name with which jsonschema's own message begins."""
    return message.split("'")[1]


def _and(names: Any) -> str:
    return " and ".join(f"'{name}'" for name in names)


def _missing(schema: Any, value: Any) -> list[str]:
    """What is required and not there; of sets of which one is required, the one that has most there."""
    sets = [one["required"] for one in schema.get("anyOf", ())]
    lacks = [[name for name in names if name not in value] for names in sets]
    either = [] if [] in lacks else min(lacks, key=len, default=[])
    return [name for name in schema.get("required", ()) if name not in value] + either


def _extra(schema: Any, value: Any) -> list[str]:
    return [name for name in value if name not in schema["properties"]]


def _renamed(schema: Any, value: Any) -> str:
    """The one option that is missing where there is one too many that is like no other: it stands there under another name."""
    missing, extra = _missing(schema, value), _extra(schema, value)
    if len(missing) != 1 or len(extra) != 1:
        return ""
    return missing[0] if nearest(extra[0], schema["properties"]) in ("", missing[0]) else ""


def _unknown(path: Path, schema: Any, value: Any) -> Found:
    known, renamed = list(schema["properties"]), _renamed(schema, value)
    for name in _extra(schema, value):
        like = nearest(name, known)
        hidden = unknown(schema, name)
        if hidden:
            yield path, hidden, name
            continue
        if renamed:
            hint = f"; did you mean '{renamed}', which is missing?"
        elif like:
            hint = f"; did you mean '{like}'?"
        else:
            left = [one for one in known if one not in value]
            hint = f"; there are {', '.join(left[:SHOWN])}" + (" and more" if len(left) > SHOWN else "")
        yield path, f"there is no option '{name}'{hint}", name


def _kind(schema: Any) -> str:
    kind = schema["type"] if isinstance(schema["type"], str) else schema["type"][0]
    if kind == "array" and items_of(schema).get("required"):
        return f"a list of dictionaries with {_and(items_of(schema)['required'])}"
    required = schema.get("required") if kind == "object" else None
    return f"{WORDS[kind]} with {_and(required)}" if required else WORDS[kind]


def _found(schema: Any, value: Any) -> str:
    if value is None or value == "":
        return "and it is empty"
    kind = next((word for type_, word in KINDS if isinstance(value, type_)), "value")
    if kind in ("list", "dictionary") or schema.get("writeOnly") or not shown_text(schema, str(value)):
        return f"and it is a {kind}"
    listed = schema["type"] == "array" and items_of(schema).get("type") != "object"
    hint = f". Write [{value}]" if listed and len(str(value)) < LONGEST else ""
    return f"and it is the {kind} {_short(value)}{hint}"


def _short(value: Any) -> str:
    text = ("true" if value else "false") if isinstance(value, bool) else str(value)
    return f"'{text[:LONGEST]}{'...' if len(text) > LONGEST else ''}'"


def _choice(schema: Any, value: Any) -> str:
    choices = [str(one) for one in schema["enum"]]
    like = nearest(str(value), choices, 0.5)
    words = ", ".join(choices)
    if schema.get("writeOnly"):
        return f"must be one of {words}"
    return f"must be one of {words}, not {_short(value)}" + (f"; did you mean '{like}'?" if like else "")


def _hidden(message: str, schema: Any, value: Any) -> str:
    return "has a wrong value" if schema.get("writeOnly") and str(value) in message else message
