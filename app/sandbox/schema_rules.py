"""What the platforms ask of a JSON schema before they promise to keep to it."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

OPENAI_UNSUPPORTED = (
    "default",
    "minLength",
    "maxLength",
    "uniqueItems",
    "contains",
    "patternProperties",
    "oneOf",
    "not",
)
ANTHROPIC_UNSUPPORTED = {
    "integer": ("minimum", "maximum", "exclusiveMinimum", "exclusiveMaximum", "multipleOf"),
    "number": ("minimum", "maximum", "exclusiveMinimum", "exclusiveMaximum", "multipleOf"),
    "string": ("minLength", "maxLength"),
    "array": ("maxItems", "uniqueItems"),
    "object": ("minProperties", "maxProperties", "patternProperties", "propertyNames"),
}


def walk(schema: Any, path: tuple[str, ...] = ()) -> Iterator[tuple[tuple[str, ...], dict[str, Any]]]:
    """Every schema within a schema, with the way to it."""
    if not isinstance(schema, dict):
        return
    yield path, schema
    for group in ("properties", "$defs", "definitions"):
        for name, part in (schema.get(group) or {}).items():
            yield from walk(part, (*path, group, name))
    for name in ("items", "additionalProperties"):
        yield from walk(schema.get(name), (*path, name))
    for name in ("anyOf", "oneOf", "allOf"):
        for number, part in enumerate(schema.get(name) or []):
            yield from walk(part, (*path, name, str(number)))


def openai_strict_problem(schema: dict[str, Any]) -> str | None:
    """Why OpenAI would refuse the schema in strict mode, in its words; None when it would not."""
    if schema.get("type") != "object":
        return f"schema must be a JSON Schema of 'type: \"object\"', got 'type: \"{schema.get('type')}\"'."
    for path, part in walk(schema):
        where = f"In context={path!r}, "
        if "$ref" in part and len(part) > 1:
            extra = sorted(set(part) - {"$ref"})
            return f"{where}$ref cannot have keywords {extra!r}."
        unsupported = [word for word in OPENAI_UNSUPPORTED if word in part]
        if unsupported:
            return f"{where}'{unsupported[0]}' is not permitted."
        if part.get("type") == "object":
            problem = _object_problem(part)
            if problem:
                return where + problem
    return None


def _object_problem(part: dict[str, Any]) -> str | None:
    if part.get("additionalProperties") is not False:
        return "'additionalProperties' is required to be supplied and to be false."
    missing = [name for name in part.get("properties", {}) if name not in part.get("required", [])]
    if missing:
        return (
            "'required' is required to be supplied and to be an array including every key in properties. "
            f"Missing '{missing[0]}'."
        )
    return None


def anthropic_problem(schema: dict[str, Any]) -> str | None:
    """Why Anthropic would refuse the schema, in its words; None when it would not."""
    for _path, part in walk(schema):
        kind = part.get("type")
        if kind == "object" and part.get("additionalProperties") is not False:
            return "For 'object' type, 'additionalProperties' must be explicitly set to false"
        unsupported = [word for word in ANTHROPIC_UNSUPPORTED.get(str(kind), ()) if word in part]
        if unsupported:
            return f"For '{kind}' type, property '{unsupported[0]}' is not supported"
        if kind == "array" and part.get("minItems", 0) not in (0, 1):
            return f"For 'array' type, 'minItems' values other than 0 or 1 are not supported, got: {part['minItems']}"
    return None
