"""Pieces of an OpenAPI document: parameters, headers, names and prose."""

from __future__ import annotations

import inspect
import re
from collections.abc import Callable
from typing import Any

from pydantic import BaseModel
from werkzeug.routing import AnyConverter, IntegerConverter, Rule, UUIDConverter

Json = dict[str, Any]
ANSWERS = {
    200: "Done.",
    201: "Made.",
    202: "Taken on; it is done in the background.",
    204: "Done; there is no body.",
}
_WHOLE = {"type": "integer", "minimum": 0}
LIMIT_HEADERS: Json = {
    "X-Rate-Limit-Limit": {"description": "Calls allowed in the current window.", "schema": _WHOLE},
    "X-Rate-Limit-Remaining": {"description": "Calls left in it.", "schema": _WHOLE},
    "X-Rate-Limit-Reset": {"description": "When it is whole again, in seconds since 1970 (UTC).", "schema": _WHOLE},
    "Retry-After": {"description": "Seconds to wait before trying again.", "schema": _WHOLE},
}
LIMIT_HEADER_REFS: Json = {
    name: {"$ref": f"#/components/headers/{name}"} for name in LIMIT_HEADERS if name != "Retry-After"
}
_SLOT = re.compile(r"<(?:[^<>]*:)?(\w+)>")


def path_of(rule: Rule) -> str:
    """`/audience/<int:id>` as `/audience/{id}`."""
    return _SLOT.sub(r"{\1}", rule.rule)


def operation_id(rule: Rule, method: str) -> str:
    """The endpoint's name; with the method where it answers several."""
    name = rule.endpoint.replace("_api.", "_").replace(".", "_")
    several = len((rule.methods or set()) - {"HEAD", "OPTIONS"}) > 1
    return f"{name}_{method.lower()}" if several else name


def file_content(media_type: str) -> Json:
    """What is in a file or a stream: text as it comes, or JSON of any kind."""
    return {"schema": {"type": "string"} if media_type.startswith("text/") else {}}


def prose(view: Callable[..., Any], needs: str) -> str:
    """The view's own words, and what it needs."""
    words = " ".join((inspect.getdoc(view) or "").split())
    return f"{words}\n\n{needs}".strip()


def path_parameters(rule: Rule) -> list[Json]:
    names = _SLOT.findall(rule.rule)
    return [{"name": name, "in": "path", "required": True, "schema": _slot_schema(rule, name)} for name in names]


def _slot_schema(rule: Rule, name: str) -> Json:
    converter = rule._converters[name]
    if isinstance(converter, IntegerConverter):
        return {"type": "integer", "minimum": 1, "maximum": converter.max or 2**31 - 1}
    if isinstance(converter, AnyConverter):
        return {"type": "string", "enum": sorted(converter.items)}
    if isinstance(converter, UUIDConverter):
        return {"type": "string", "format": "uuid"}
    return {"type": "string", "pattern": "^[^/]+$"}


def query_parameters(query: type[BaseModel] | None) -> list[Json]:
    """One parameter for each field. A schema of plain values only: a query string has no nesting."""
    if query is None:
        return []
    schema = query.model_json_schema()
    required = schema.get("required", [])
    return [
        _parameter(name, _resolved(field, schema.get("$defs", {})), name in required)
        for name, field in schema["properties"].items()
    ]


def _parameter(name: str, schema: Json, is_required: bool) -> Json:
    made: Json = {"name": name, "in": "query", "required": is_required}
    if not is_required:
        made["allowEmptyValue"] = True  # an empty one counts as not given
    if "description" in schema:
        made["description"] = schema.pop("description")
    return made | {"schema": schema}


def _resolved(field: Json, definitions: Json) -> Json:
    """The field's schema on its own: references filled in, and no null, which a query string cannot say."""
    field = {key: value for key, value in field.items() if key != "title" and (key, value) != ("default", None)}
    options = [option for option in field.pop("anyOf", []) if option != {"type": "null"}]
    if len(options) == 1:
        field = options[0] | field
    elif options:
        field["anyOf"] = options
    if "$ref" in field:
        found = definitions[field.pop("$ref").rsplit("/", 1)[1]]
        field = {key: value for key, value in found.items() if key not in ("title", "description")} | field
    return field
