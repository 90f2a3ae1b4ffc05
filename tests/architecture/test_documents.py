"""Sweeps over the API documents: nothing of a contract is left out of its document, and each document is sound."""

from __future__ import annotations

import json
from collections.abc import Iterator

import jsonschema_rs
import schemathesis
from schemathesis.specs.openapi.definitions import OPENAPI_31_VALIDATOR

from app.core import openapi
from app.core.contracts import CONTRACTS
from app.core.dialects import speaks_only_json

NOT_OF_A_CONTRACT = {"static", "health.healthz", "health.readyz", "health.metrics"}
SHARED_WITH_PAGES = {"auth_api.sign_up", "auth_api.sign_in", "auth_api.sign_out"}


def documents(app):
    return {contract.name: openapi.document(app, contract) for contract in openapi.live_contracts(app)}


def test_each_route_of_a_contract_is_described(app):
    for rule in app.url_map.iter_rules():
        if rule.endpoint in NOT_OF_A_CONTRACT:
            continue
        if speaks_only_json(rule.rule) or rule.endpoint in SHARED_WITH_PAGES or "_api." in rule.endpoint:
            assert hasattr(app.view_functions[rule.endpoint], "operation"), f"{rule.endpoint} is not described"


def test_each_described_route_is_in_just_one_document(app):
    described = [
        (route.method, route.rule.rule) for contract in CONTRACTS for route in openapi.described_routes(app, contract)
    ]
    assert len(described) == len(set(described))
    shown = sum(len(methods) for document in documents(app).values() for methods in document["paths"].values())
    assert shown == len(described)


def test_a_document_is_the_same_each_time_it_is_made(app):
    for contract in openapi.live_contracts(app):
        assert json.dumps(openapi.build(app, contract)) == json.dumps(openapi.build(app, contract))


def test_each_document_is_an_openapi_document(app):
    for name, document in documents(app).items():
        assert not problems(document), name
        loaded = schemathesis.openapi.from_dict(document)
        operations = [result.ok() for result in loaded.get_all_operations()]
        assert len(operations) == sum(len(methods) for methods in document["paths"].values())


def problems(document) -> list[str]:
    """What the OpenAPI and JSON Schema specifications have against it, dead references and names taken twice."""
    found = [str(error) for error in OPENAPI_31_VALIDATOR.iter_errors(document)]
    for name, schema in document["components"]["schemas"].items():
        found += [] if jsonschema_rs.meta.is_valid(schema) else [f"{name} is not a JSON schema"]
    found += [f"{ref} leads nowhere" for ref in references(document) if find(document, ref) is None]
    ids = [operation["operationId"] for methods in document["paths"].values() for operation in methods.values()]
    return found + [f"{name} is used twice" for name in set(ids) if ids.count(name) > 1]


def references(node) -> Iterator[str]:
    if isinstance(node, dict):
        if isinstance(node.get("$ref"), str):
            yield node["$ref"]
        for value in node.values():
            yield from references(value)
    elif isinstance(node, list):
        for value in node:
            yield from references(value)


def find(document, reference: str):
    node = document
    for part in reference.removeprefix("#/").split("/"):
        node = node.get(part, {})
    return node or None


def test_a_document_with_a_fault_is_found_out(app):
    document = json.loads(json.dumps(next(iter(documents(app).values()))))
    document["paths"]["/audience"]["get"]["responses"]["400"]["$ref"] = "#/components/responses/Nothing"
    document["paths"]["/audience"]["post"]["operationId"] = "audience_index"
    document["components"]["schemas"]["AudienceIn"]["type"] = "thing"
    document["info"].pop("title")
    assert len(problems(document)) == 4
