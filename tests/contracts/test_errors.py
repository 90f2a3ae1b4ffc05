"""Each of the five contracts says each error in its own words, and nothing that is ours alone to know."""

from __future__ import annotations

import re
from typing import Any

import pytest
from flask import Blueprint, jsonify
from pydantic import BaseModel

from app.core import ratelimit
from app.core.contracts import CONTRACTS, find_contract
from app.core.errors import Conflict, InvalidTransition, NotFound, ProviderFailed, ValidationFailed
from app.core.http import read_json
from app.core.ratelimit import Limit

PREFIXES = {
    "insight": "/audience",
    "tobermory": "/api",
    "stratum": "/api/v1",
    "sync": "/api/v1/cdp/audience-sync",
    "messaging": "/messaging/api/v1",
}
WORDS = {
    400: "malformed_json", 401: "unauthorized", 403: "forbidden", 404: "not_found", 405: "method_not_allowed",
    409: "conflict", 413: "payload_too_large", 415: "unsupported_media_type", 422: "validation_error",
    429: "rate_limited", 500: "internal_error",
}  # fmt: skip
OF_INSIGHT = {401: "unauthenticated", 403: "permission_denied", 422: "validation_failed"}
ASKED: dict[int, tuple[str, str, dict[str, Any]]] = {
    400: ("POST", "thing", {"data": "{", "content_type": "application/json"}),
    401: ("GET", "thing", {}),
    403: ("POST", "admins", {"json": {}}),
    404: ("GET", "thing/7", {}),
    405: ("PATCH", "thing", {}),
    409: ("POST", "taken", {"json": {}}),
    413: ("POST", "thing", {"data": b" " * 3_000_000, "content_type": "application/json"}),
    415: ("POST", "thing", {"data": "name=x", "content_type": "application/x-www-form-urlencoded"}),
    422: ("POST", "thing", {"json": {"name": 7}}),
    429: ("POST", "limited", {"json": {}}),
    500: ("GET", "broken", {}),
}
EVERY = pytest.mark.parametrize("contract", PREFIXES)


class Named(BaseModel):
    name: str
    colour: str


def _probes(contract: str) -> Blueprint:
    """Routes of a contract that go wrong each in its way."""
    from app.accounts.guards import require_permission

    bp = Blueprint(f"probe_{contract}", __name__, url_prefix=f"{PREFIXES[contract]}/probe")

    def route(method: str, path: str, permission: str = "insights.read"):
        return lambda view: bp.add_url_rule(path, view.__name__, require_permission(permission)(view), methods=[method])

    @route("GET", "/thing")
    def show():
        return jsonify(ok=True)

    @route("POST", "/thing")
    def make():
        return jsonify(read_json(Named).model_dump())

    @route("GET", "/thing/<int:thing_id>")
    def find(thing_id):
        raise NotFound("There is no such thing.", resource="thing", id=thing_id)

    @route("POST", "/admins", "members.manage")
    def manage():
        return jsonify(ok=True)

    @route("POST", "/taken")
    def take():
        raise Conflict("There is one with this name.")

    @route("POST", "/started")
    def start():
        raise InvalidTransition("It has begun already.")

    @route("POST", "/nobody")
    def send():
        raise ValidationFailed("Nobody would receive it.", code="no_recipients")

    @route("GET", "/outside")
    def call_outside():
        raise ProviderFailed("The platform refused.", retryable=True)

    @route("POST", "/limited")
    def hurry():
        ratelimit.check("probe", "all")
        return jsonify(ok=True)

    @route("GET", "/broken")
    def break_down():
        raise RuntimeError("password=hunter2 in /srv/parley/secret.py")

    return bp


@pytest.fixture(scope="module")
def probed(_app):
    """The product with these routes besides its own."""
    from app import create_app

    app = create_app()
    for contract in PREFIXES:
        app.register_blueprint(_probes(contract))
    return app


@pytest.fixture
def client_of(app, probed, monkeypatch):
    """A client of the probed app, signed in as someone."""
    monkeypatch.setitem(ratelimit.LIMITS, "probe", Limit("1/minute", "Slowly."))

    def sign_in(who):
        client = probed.test_client()
        answer = client.post("/login", json={"email": who.email, "password": who.password})
        assert answer.status_code == 200
        return client

    return sign_in


def answer_with(status, contract, client_of, make_member, probed):
    """The contract's answer to a call that goes wrong in this way."""
    method, path, more = ASKED[status]
    client = probed.test_client() if status == 401 else client_of(make_member("viewer" if status == 403 else "admin"))
    url = f"{PREFIXES[contract]}/probe/{path}"
    if status == 429:
        assert client.open(url, method=method, **more).status_code == 200
    return client.open(url, method=method, **more)


def check_form(contract, answer, word):
    """The exact keys, and the word for programs."""
    body = answer.get_json()
    find_contract(contract).error.model_validate(body)
    if contract == "insight":
        assert set(body) - {"details"} == {"error", "code"}
        assert body["code"] == word
        assert body["error"]
    elif contract == "tobermory":
        assert set(body) == {"error", "details", "code"}
        assert body["code"] == word.upper()
        assert body["error"]
        assert body["details"]
    elif contract == "stratum":
        assert set(body) == {"success", "error", "code", "details"}
        assert (body["success"], body["code"]) == (False, word.upper())
        assert body["error"]
        assert isinstance(body["details"], dict)
    elif contract == "sync":
        assert set(body) == {"error"}
        assert set(body["error"]) == {"code", "message", "details"}
        assert body["error"]["code"] == ("RATE_LIMIT_EXCEEDED" if word == "rate_limited" else word.upper())
        assert body["error"]["message"]
        assert isinstance(body["error"]["details"], dict)
    else:
        extra = {"validation_error": {"field"}, "rate_limited": {"retry_after_seconds"}}.get(word, set())
        assert set(body) == {"error", "message", "details", "timestamp", "request_id"} | extra
        assert body["error"] == ("rate_limit_exceeded" if word == "rate_limited" else word)
        assert re.fullmatch(r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d(\.\d+)?Z", body["timestamp"])
        assert body["request_id"] == answer.headers["X-Request-Id"]
        assert body["message"]


@EVERY
@pytest.mark.parametrize("status", ASKED)
def test_each_error_in_the_words_of_its_contract(contract, status, client_of, make_member, probed):
    answer = answer_with(status, contract, client_of, make_member, probed)
    is_400_there = status == 422 and contract in ("tobermory", "messaging")
    assert answer.status_code == (400 if is_400_there else status)
    assert answer.mimetype == "application/json"
    check_form(contract, answer, OF_INSIGHT.get(status, WORDS[status]) if contract == "insight" else WORDS[status])
    assert answer.headers.get("WWW-Authenticate") == ("Bearer" if status == 401 else None)
    assert ("Retry-After" in answer.headers) == (status == 429)
    if status == 405:
        assert {"GET", "POST"} <= set(answer.headers["Allow"].split(", "))
    if status == 429:
        assert 1 <= int(answer.headers["Retry-After"]) <= 60
        assert answer.headers["X-Rate-Limit-Remaining"] == "0"
    if status == 500:
        assert "hunter2" not in answer.text
        assert "RuntimeError" not in answer.text
        assert "secret.py" not in answer.text


@EVERY
@pytest.mark.parametrize("path", ["nowhere", "probe/thing/x", "probe/thing/99999999999999999999"])
@pytest.mark.parametrize("is_known", [True, False])
def test_an_unknown_address_speaks_the_contract_it_stands_under(contract, path, is_known, client_of, member, probed):
    client = client_of(member) if is_known else probed.test_client()
    answer = client.get(f"{PREFIXES[contract]}/{path}")
    assert answer.status_code == 404
    check_form(contract, answer, "not_found")


@EVERY
@pytest.mark.parametrize(("token", "word"), [("x.y.z", "token_invalid"), ("key_unknown", "api_key_invalid")])
def test_a_bad_credential_is_refused_even_beside_a_good_cookie(contract, token, word, client_of, member):
    headers = {"Authorization": f"Bearer {token}"}
    answer = client_of(member).get(f"{PREFIXES[contract]}/probe/thing", headers=headers)
    assert (answer.status_code, answer.headers["WWW-Authenticate"]) == (401, "Bearer")
    check_form(contract, answer, word)


@EVERY
def test_a_bad_field_is_named(contract, client_of, member):
    answer = client_of(member).post(f"{PREFIXES[contract]}/probe/thing", json={"name": 7, "colour": "blue"})
    body = answer.get_json()
    if contract == "tobermory":
        assert body["details"].startswith("name: ")
        return
    details = body["error"]["details"] if contract == "sync" else body["details"]
    assert details["field"] == "name"
    assert [problem["field"] for problem in details["errors"]] == ["name"]
    if contract == "messaging":
        assert body["field"] == "name"


@EVERY
def test_what_is_known_of_a_missing_thing_is_said(contract, client_of, member):
    body = client_of(member).get(f"{PREFIXES[contract]}/probe/thing/7").get_json()
    details = body["error"]["details"] if contract == "sync" else body["details"]
    assert details == ("There is no such thing." if contract == "tobermory" else {"resource": "thing", "id": 7})


@pytest.mark.parametrize(
    ("contract", "path", "status"),
    [
        ("messaging", "started", 422), ("messaging", "nobody", 422), ("messaging", "taken", 409),
        ("stratum", "started", 409), ("stratum", "nobody", 422), ("sync", "started", 409), ("tobermory", "nobody", 400),
    ],
)  # fmt: skip
def test_what_a_rule_of_the_business_refuses(contract, path, status, client_of, member):
    answer = client_of(member).post(f"{PREFIXES[contract]}/probe/{path}", json={})
    assert answer.status_code == status
    words = {"started": "invalid_transition", "nobody": "no_recipients", "taken": "conflict"}
    check_form(contract, answer, words[path])


def test_a_platform_that_fails_is_the_sync_contracts_platform_error(client_of, member):
    client = client_of(member)
    answer = client.get(f"{PREFIXES['sync']}/probe/outside")
    assert (answer.status_code, answer.get_json()["error"]["code"]) == (502, "PLATFORM_ERROR")
    other = client.get(f"{PREFIXES['stratum']}/probe/outside")
    assert (other.status_code, other.get_json()["code"]) == (502, "PROVIDER_FAILED")


def test_every_contract_is_in_this_table():
    assert set(PREFIXES) == {contract.name for contract in CONTRACTS}


@pytest.mark.parametrize("path", ["/apiv1", "/api-docs", "/messaging/api/v10", "/audiences-of-mine"])
def test_an_address_that_only_begins_alike_belongs_to_no_contract(probed, app, path):
    answer = probed.test_client().get(path)
    assert answer.status_code == 404
    assert answer.mimetype == "text/html"
