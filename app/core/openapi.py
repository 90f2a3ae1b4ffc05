"""The OpenAPI 3.1 document of each contract, made from the descriptions beside its routes."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from dataclasses import dataclass
from typing import Any, cast

from flask import Flask
from pydantic import BaseModel, TypeAdapter
from werkzeug.routing import Rule

from app.core import openapi_parts as parts
from app.core.contracts import CONTRACTS, Contract, contract_at
from app.core.describe import JSON, Operation
from app.core.openapi_access import needs, security, security_schemes
from app.core.openapi_faults import fault_name, fault_responses, usual_faults

REF = "#/components/schemas/{model}"
Json = dict[str, Any]
_CACHE = "openapi_documents"


@dataclass(frozen=True)
class Route:
    """One method at one address, and the view behind it."""

    rule: Rule
    method: str
    view: Callable[..., Any]
    operation: Operation

    @property
    def faults(self) -> list[int]:
        """The statuses of every error it can answer."""
        contract = contract_at(self.rule.rule)
        return sorted({*usual_faults(contract, self.rule, self.method, self.view), *self.operation.errors})


def described_routes(app: Flask, contract: Contract) -> list[Route]:
    """What of the contract is there, by tag, and in the order it was registered."""
    found = []
    for rule in app.url_map.iter_rules():
        view = app.view_functions[rule.endpoint]
        operation = getattr(view, "operation", None)
        if operation is not None and contract_at(rule.rule) is contract:
            methods = sorted((rule.methods or set()) - {"HEAD", "OPTIONS"})
            found += [Route(rule, method, view, operation) for method in methods]
    known = {tag: place for place, tag in enumerate(contract.tags)}
    return sorted(found, key=lambda route: known.get(route.operation.tag, len(known)))


def live_contracts(app: Flask) -> list[Contract]:
    """Those that have routes now."""
    return [contract for contract in CONTRACTS if described_routes(app, contract)]


def document(app: Flask, contract: Contract) -> Json:
    """The contract's document; built once in a process."""
    cache = cast(dict[str, Json], app.extensions.setdefault(_CACHE, {}))
    if contract.name not in cache:
        cache[contract.name] = build(app, contract)
    return cache[contract.name]


def build(app: Flask, contract: Contract) -> Json:
    """The contract's document, made anew."""
    routes = described_routes(app, contract)
    schemas, components = _schemas(contract, routes)
    paths: dict[str, Json] = {}
    for route in routes:
        paths.setdefault(parts.path_of(route.rule), {})[route.method.lower()] = _operation(app, route, schemas)
    statuses = sorted({status for route in routes for status in route.faults})
    return {
        "openapi": "3.1.0",
        "info": {"title": f"Parley: {contract.title}", "version": "1", "description": contract.about},
        "servers": [{"url": "/"}],
        "tags": [{"name": tag} for tag in dict.fromkeys(route.operation.tag for route in routes)],
        "paths": paths,
        "components": {
            "schemas": dict(sorted(components.items())),
            "responses": fault_responses(contract, statuses),
            "headers": parts.LIMIT_HEADERS,
            "securitySchemes": security_schemes(app),
        },
    }


class Schemas:
    """The JSON schema of each type that routes name, all pointing into one set of components."""

    def __init__(self, made: dict[Any, Json]) -> None:
        self._made = made

    def of(self, shape: Any, mode: str) -> Json:
        return self._made[(repr(shape), mode)]


def _schemas(contract: Contract, routes: list[Route]) -> tuple[Schemas, Json]:
    wanted: dict[tuple[str, str], Any] = {(repr(contract.error), "serialization"): contract.error}
    for route in routes:
        wanted |= {(repr(shape), mode): shape for shape, mode in _shapes(route.operation)}
    inputs: Any = [(key[0], key[1], TypeAdapter(shape)) for key, shape in wanted.items()]
    made, definitions = TypeAdapter.json_schemas(inputs, ref_template=REF)
    return Schemas(cast(dict[Any, Json], made)), definitions.get("$defs", {})


def _shapes(operation: Operation) -> Iterable[tuple[Any, str]]:
    if operation.body is not None:
        yield operation.body, "validation"
    if operation.is_json:
        yield from ((shape, "serialization") for shape in operation.answers.values() if shape is not None)


def _operation(app: Flask, route: Route, schemas: Schemas) -> Json:
    operation = route.operation
    made: Json = {
        "operationId": parts.operation_id(route.rule, route.method),
        "tags": [operation.tag],
        "summary": operation.summary,
        "description": parts.prose(route.view, needs(app, route.view)),
        "parameters": [*parts.path_parameters(route.rule), *parts.query_parameters(operation.query)],
        "responses": _responses(route, schemas),
        "security": security(route.view),
    }
    permission = getattr(route.view, "permission", "")
    if permission:
        made["x-permission"] = permission
    if operation.body is not None:
        made["requestBody"] = _body(operation.body, schemas)
    return made


def _body(schema: type[BaseModel], schemas: Schemas) -> Json:
    return {"required": True, "content": {JSON: {"schema": schemas.of(schema, "validation")}}}


def _responses(route: Route, schemas: Schemas) -> Json:
    made: Json = {}
    for status, shape in route.operation.answers.items():
        made[str(status)] = {"description": parts.ANSWERS.get(status, "Done."), "headers": parts.LIMIT_HEADER_REFS}
        if route.operation.media != JSON:
            kinds = route.operation.media.split(", ")
            made[str(status)]["content"] = {k: {"schema": {} if k == JSON else {"type": "string"}} for k in kinds}
        elif shape is not None:
            made[str(status)]["content"] = {JSON: {"schema": schemas.of(shape, "serialization")}}
    return made | {str(s): {"$ref": f"#/components/responses/{fault_name(s)}"} for s in route.faults}
