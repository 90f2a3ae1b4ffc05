"""A JSON schema in words: what kind of value, and within which bounds."""

from __future__ import annotations

from typing import Any

from app.core.docs_example import Json, plain, resolve

_KINDS = {"string": "text", "integer": "whole number", "number": "number", "boolean": "true or false", "null": "null"}
_FORMATS = {"date-time": "time", "date": "date", "email": "e-mail", "uuid": "UUID", "uri": "address"}


def type_words(schema: Json, components: Json) -> str:
    """`text`, `list of whole numbers`, `object or null`."""
    schema, may_be_null = plain(schema, components)
    words = _kind(schema, components)
    return f"{words} or null" if may_be_null else words


def _kind(schema: Json, components: Json) -> str:
    kind = schema.get("type", "")
    if kind == "array":
        return f"list of {_many(type_words(schema.get('items', {}), components))}"
    if kind == "object" or "properties" in schema:
        return "object"
    if schema.get("format") in _FORMATS:
        return _FORMATS[schema["format"]]
    if "const" in schema and not kind:
        return "fixed"
    return _KINDS.get(str(kind), "anything")


def _many(words: str) -> str:
    return words if words.startswith("list") or words in ("text", "anything") else f"{words}s"


def constraints(schema: Json, components: Json) -> list[str]:
    """Bounds, choices and the default, each in a few words."""
    said = [*_choices(schema), *_bounds(schema)]
    items = schema.get("items")
    if isinstance(items, dict):
        inner = resolve(items, components)
        said += [f"each {words}" for words in (*_choices(inner), *_bounds(inner))]
    if "default" in schema and schema["default"] not in (None, "", [], {}):
        said.append(f"without it {_show(schema['default'])}")
    return said


def _choices(schema: Json) -> list[str]:
    if "enum" in schema:
        return ["one of " + ", ".join(_show(value) for value in schema["enum"])]
    return [f"always {_show(schema['const'])}"] if "const" in schema else []


def _bounds(schema: Json) -> list[str]:
    said = []
    for low, high, unit in (
        ("minimum", "maximum", ""),
        ("minLength", "maxLength", " characters"),
        ("minItems", "maxItems", " items"),
    ):
        if low in schema and high in schema:
            said.append(f"{_number(schema[low])} to {_number(schema[high])}{unit}")
        elif high in schema:
            said.append(f"at most {_number(schema[high])}{unit}")
        elif low in schema:
            said.append(f"at least {_number(schema[low])}{unit}")
    return said


def _number(value: float) -> str:
    return f"{value:,}"


def _show(value: Any) -> str:
    if isinstance(value, list):
        return ", ".join(map(_show, value))
    return str(value).lower() if isinstance(value, bool) else str(value)
