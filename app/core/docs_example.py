"""Example values for a JSON schema of a document: its own examples first, then something of the right kind."""

from __future__ import annotations

from typing import Any

Json = dict[str, Any]
DEEPEST = 5
_BY_FORMAT = {
    "date-time": "2026-11-23T09:30:00.000000Z",
    "date": "2026-11-23",
    "email": "ada@example.com",
    "uuid": "0b5c6b7e-1f7a-4a52-9c55-5f0b1f6e3d11",
    "uri": "https://example.com",
    "binary": "",
}
_BY_NAME = {
    "email": "ada@example.com",
    "full_name": "Ada Okafor",
    "password": "three quiet walnut trees",
    "role": "analyst",
    "token_type": "bearer",
    "address": "203.0.113.7",
    "timezone": "Europe/Lisbon",
}
_BY_TYPE: Json = {"string": "text", "integer": 1, "number": 1.5, "boolean": True, "null": None}


def resolve(schema: Json, components: Json) -> Json:
    """The schema itself, a reference followed; what stands beside the reference is kept."""
    if "$ref" not in schema:
        return schema
    found: Json = components[schema["$ref"].rsplit("/", 1)[1]]
    return found | {key: value for key, value in schema.items() if key != "$ref"}


def plain(schema: Json, components: Json) -> tuple[Json, bool]:
    """The schema without its null, and whether null is allowed."""
    schema = resolve(schema, components)
    options = schema.get("anyOf", [])
    others = [option for option in options if option.get("type") != "null"]
    if not others:
        return schema, False
    beside = {key: value for key, value in schema.items() if key != "anyOf"}
    return resolve(others[0], components) | beside, len(others) < len(options)


def example(schema: Json, components: Json, name: str = "", depth: int = 0) -> Any:
    schema, _ = plain(schema, components)
    for key in ("examples", "enum"):
        if schema.get(key):
            return schema[key][0]
    if "const" in schema:
        return schema["const"]
    if schema.get("default") not in (None, "", [], {}):
        return schema["default"]
    kind = schema.get("type")
    if kind == "object" or "properties" in schema:
        return _object(schema, components, depth)
    if kind == "array":
        return [example(schema.get("items", {}), components, name, depth + 1)] if depth < DEEPEST else []
    return _scalar(schema, name)


def _object(schema: Json, components: Json, depth: int) -> Json:
    if depth >= DEEPEST:
        return {}
    if "properties" in schema:
        return {name: example(field, components, name, depth + 1) for name, field in schema["properties"].items()}
    inner = schema.get("additionalProperties")
    if not isinstance(inner, dict):
        return {}
    keys = schema.get("propertyNames", {}).get("enum", ["name"])
    return {key: example(inner, components, key, depth + 1) for key in keys}


def _scalar(schema: Json, name: str) -> Any:
    if schema.get("format") in _BY_FORMAT:
        return _BY_FORMAT[schema["format"]]
    value = _BY_TYPE.get(str(schema.get("type")), None)
    if schema.get("type") == "string":
        return _BY_NAME.get(name) or name.replace("_", " ") or value
    if isinstance(value, int | float) and not isinstance(value, bool):
        return max(value, schema.get("minimum", value))
    return value
