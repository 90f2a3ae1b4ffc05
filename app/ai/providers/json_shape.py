"""Words a Pydantic model as the JSON schema a platform keeps to strictly, and reads the answer back.

Strict modes know no open maps (`dict[str, X]`): they are asked for as lists of {key, value} and turned back into maps.
"""

from __future__ import annotations

import json
import re
from typing import Any

from pydantic import BaseModel

# Platforms refuse these words in strict mode; said in the description they still guide the model.
TOLD_IN_WORDS = (
    "minLength", "maxLength", "uniqueItems", "minProperties", "maxProperties", "propertyNames", "multipleOf",
)  # fmt: skip
_FENCED = re.compile(r"```(?:json)?\s*\n(.*?)\n?\s*```", re.S)


def schema_name(model: type[BaseModel]) -> str:
    """A name for the schema that every platform accepts."""
    return re.sub(r"[^a-zA-Z0-9_-]", "_", model.__name__)[:64]


def plain_schema(model: type[BaseModel]) -> dict[str, Any]:
    """The model's schema with open maps as lists of pairs, else as Pydantic words it."""
    return _closed(model.model_json_schema())


def strict_schema(model: type[BaseModel]) -> dict[str, Any]:
    """The model's schema for strict mode: every object closed, every field required, no unsupported words."""
    return _strict(plain_schema(model))


def in_words(model: type[BaseModel]) -> str:
    """The instruction that stands in where a platform takes no schema."""
    schema = json.dumps(model.model_json_schema(), ensure_ascii=False)
    return f"Answer with one JSON object that fits this JSON Schema, and with nothing else:\n{schema}"


def read_back(text: str, model: type[BaseModel]) -> str:
    """The answer as JSON text meant for the model; what is not JSON is returned as it came."""
    bare = text.strip()
    fenced = _FENCED.search(bare)
    if not bare.startswith("{") and fenced:
        bare = fenced.group(1).strip()
    try:
        data = json.loads(bare)
    except ValueError:
        return bare
    root = model.model_json_schema()
    return json.dumps(_open(data, root, root), ensure_ascii=False)


def _is_open_map(schema: dict[str, Any]) -> bool:
    return (
        schema.get("type") == "object"
        and not schema.get("properties")
        and schema.get("additionalProperties") is not False
    )


def _closed(schema: Any) -> Any:
    """Open maps as lists of pairs, at every depth."""
    if isinstance(schema, list):
        return [_closed(part) for part in schema]
    if not isinstance(schema, dict):
        return schema
    if not _is_open_map(schema):
        return {name: _closed(part) for name, part in schema.items()}
    value = schema.get("additionalProperties")
    pair = {
        "key": schema.get("propertyNames") or {"type": "string"},
        "value": _closed(value) if isinstance(value, dict) and value else {"type": "string"},
    }
    items = {"type": "object", "properties": pair, "required": ["key", "value"], "additionalProperties": False}
    kept = {name: part for name, part in schema.items() if name in ("title", "description")}
    return {**kept, "type": "array", "items": items}


def _strict(schema: Any) -> Any:
    if isinstance(schema, list):
        return [_strict(part) for part in schema]
    if not isinstance(schema, dict):
        return schema
    if "$ref" in schema:
        return {"$ref": schema["$ref"], **({"$defs": _each(schema["$defs"])} if "$defs" in schema else {})}
    out = {name: _strict_part(name, part) for name, part in schema.items() if name not in (*TOLD_IN_WORDS, "default")}
    if "oneOf" in out:
        out["anyOf"] = out.pop("oneOf")
        out.pop("discriminator", None)
    told = {name: schema[name] for name in TOLD_IN_WORDS if name in schema}
    if told:
        words = ", ".join(f"{name}: {value}" for name, value in told.items())
        out["description"] = f"{out.get('description', '')} ({words})".strip()
    if out.get("type") == "object":
        out.update(additionalProperties=False, required=list(out.get("properties", {})))
    return out


def _strict_part(name: str, part: Any) -> Any:
    """Under these names stand fields, not schema words."""
    return _each(part) if name in ("properties", "$defs") else _strict(part) if name != "enum" else part


def _each(parts: dict[str, Any]) -> dict[str, Any]:
    return {name: _strict(part) for name, part in parts.items()}


def _open(data: Any, schema: Any, root: dict[str, Any]) -> Any:
    """Lists of pairs as maps again, where the model's own schema has maps."""
    schema = _resolved(schema, root)
    for option in schema.get("anyOf") or schema.get("oneOf") or ():
        data = _open(data, option, root)
    if _is_open_map(schema) and isinstance(data, list):
        pairs = [item for item in data if isinstance(item, dict) and "key" in item]
        data = {str(item["key"]): item.get("value") for item in pairs}
    if isinstance(data, list):
        return [_open(item, schema.get("items", {}), root) for item in data]
    if isinstance(data, dict):
        fields, rest = schema.get("properties", {}), schema.get("additionalProperties")
        return {name: _open(value, fields.get(name, rest), root) for name, value in data.items()}
    return data


def _resolved(schema: Any, root: dict[str, Any]) -> dict[str, Any]:
    while isinstance(schema, dict) and "$ref" in schema:
        found: Any = root
        for step in schema["$ref"].removeprefix("#/").split("/"):
            found = found[step]
        schema = found
    return schema if isinstance(schema, dict) else {}
