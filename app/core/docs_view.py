"""A document as its page shows it: groups of operations, fields in rows, examples, a curl line."""

from __future__ import annotations

import json
import shlex
from collections.abc import Iterator
from dataclasses import dataclass
from http import HTTPStatus
from typing import Any
from urllib.parse import urlencode

from app.core.describe import JSON
from app.core.docs_example import DEEPEST, Json, example, plain
from app.core.docs_words import constraints, type_words


@dataclass(frozen=True)
class Field:
    """One row: `path` says where it stands, as `items[].name`."""

    path: str
    kind: str
    is_required: bool
    limits: list[str]
    text: str


@dataclass(frozen=True)
class Answer:
    status: int
    title: str
    text: str
    fields: list[Field]
    example: str


@dataclass(frozen=True)
class Operation:
    id: str
    method: str
    path: str
    summary: str
    paragraphs: list[str]
    parameters: list[Field]
    body: list[Field]
    body_example: str
    answers: list[Answer]
    faults: list[Answer]
    curl: str


@dataclass(frozen=True)
class Group:
    tag: str
    anchor: str
    operations: list[Operation]


def groups(document: Json, base: str) -> list[Group]:
    """The operations by tag; `base` is the address of the product, as curl needs it."""
    made = [
        (operation["tags"][0], _operation(document, path, method, operation, base))
        for path, methods in document["paths"].items()
        for method, operation in methods.items()
    ]
    tags = [tag["name"] for tag in document["tags"]]
    return [Group(tag, tag.lower().replace(" ", "-"), [o for t, o in made if t == tag]) for tag in tags]


def _operation(document: Json, path: str, method: str, operation: Json, base: str) -> Operation:
    components = document["components"]["schemas"]
    body = operation.get("requestBody", {}).get("content", {}).get(JSON, {}).get("schema")
    answers = [_answer(document, int(status), answer) for status, answer in operation["responses"].items()]
    sent = example(body, components) if body else None
    return Operation(
        operation["operationId"],
        method.upper(),
        path,
        operation["summary"],
        operation["description"].split("\n\n"),
        [_parameter(parameter, components) for parameter in operation["parameters"]],
        list(fields(body, components)) if body else [],
        _pretty(sent) if body else "",
        [answer for answer in answers if answer.status < HTTPStatus.BAD_REQUEST],
        [answer for answer in answers if answer.status >= HTTPStatus.BAD_REQUEST],
        _curl(base, path, method, operation, sent),
    )


def _answer(document: Json, status: int, answer: Json) -> Answer:
    if "$ref" in answer:
        answer = document["components"]["responses"][answer["$ref"].rsplit("/", 1)[1]]
    components = document["components"]["schemas"]
    content = answer.get("content", {})
    is_file = any(name != JSON for name in content)
    schema = None if is_file or status >= HTTPStatus.BAD_REQUEST else content.get(JSON, {}).get("schema")
    return Answer(
        status,
        HTTPStatus(status).phrase,
        f"{answer['description']} As {' or '.join(content)}." if is_file else answer["description"],
        list(fields(schema, components)) if schema else [],
        _pretty(example(schema, components)) if schema else "",
    )


def error_example(document: Json, contract_error: str) -> str:
    """What an error of the contract looks like."""
    components = document["components"]["schemas"]
    return _pretty(example(components[contract_error], components))


def fields(schema: Json, components: Json, path: str = "", depth: int = 0) -> Iterator[Field]:
    """A row for each field, those of inner objects after the one that holds them."""
    schema, _ = plain(schema, components)
    if schema.get("type") == "array" and depth < DEEPEST:
        yield from fields(schema["items"], components, f"{path}[]", depth + 1)
    required = schema.get("required", [])
    for name, inner in schema.get("properties", {}).items():
        here = f"{path}.{name}" if path else name
        yield _row(here, inner, components, name in required)
        if depth < DEEPEST:
            yield from fields(inner, components, here, depth + 1)


def _row(path: str, schema: Json, components: Json, is_required: bool) -> Field:
    shown, _ = plain(schema, components)
    text = schema.get("description", "")
    return Field(path, type_words(schema, components), is_required, constraints(shown, components), text)


def _parameter(parameter: Json, components: Json) -> Field:
    row = _row(parameter["name"], parameter["schema"], components, parameter["required"])
    return Field(row.path, row.kind, row.is_required, row.limits, parameter.get("description", row.text))


def _curl(base: str, path: str, method: str, operation: Json, sent: Any) -> str:
    lines = [
        "curl " + ("" if method == "get" else f"-X {method.upper()} ") + shlex.quote(_address(base + path, operation))
    ]
    if operation["security"]:
        lines.append('-H "Authorization: Bearer $TOKEN"')
    if sent is not None:
        lines += [f"-H 'Content-Type: {JSON}'", f"-d {shlex.quote(_pretty(sent))}"]
    return " \\\n  ".join(lines)


def _address(address: str, operation: Json) -> str:
    """With something for each id, and for what the query string must have."""
    wanted = {}
    for parameter in operation["parameters"]:
        value = str(example(parameter["schema"], {}, parameter["name"]))
        if parameter["in"] == "path":
            address = address.replace(f"{{{parameter['name']}}}", value)
        elif parameter["required"]:
            wanted[parameter["name"]] = value
    return f"{address}?{urlencode(wanted)}" if wanted else address


def _pretty(value: Any) -> str:
    return json.dumps(value, indent=2, ensure_ascii=False)
