"""How many calls each contract takes, and whose they are."""

from __future__ import annotations

from types import SimpleNamespace

import pytest

from app.core import contract_limits, ratelimit
from app.core.contract_limits import find_uses
from app.core.contracts import CONTRACTS

SYNC = "/api/v1/cdp/audience-sync"


def a_caller(credential="browser:3", tenant=7, user=5):
    person = SimpleNamespace(id=user) if user else None
    return SimpleNamespace(credential=credential, tenant=SimpleNamespace(id=tenant), user=person)


def rates(method, path, caller=None):
    return {use.name: use.limit.rate for use in find_uses(method, path, caller, "192.0.2.1")}


@pytest.mark.parametrize(
    ("method", "path", "named", "anonymous"),
    [
        ("GET", "/messaging/api/v1/users", {"messaging.credential": "10000/hour"}, {"messaging.address": "1000/hour"}),
        ("GET", "/api/audiences", {"tobermory.user": "100/minute"}, {"tobermory.address": "100/minute"}),
        ("GET", "/api/v1/users", {"stratum.credential": "600/minute"}, {"stratum.address": "120/minute"}),
        ("GET", "/audience", {"insight.credential": "600/minute"}, {"insight.address": "120/minute"}),
        ("POST", "/webhooks/inbound", {}, {}),
        ("POST", "/webhooks/status", {}, {}),
        ("GET", f"{SYNC}/platforms", {"sync.credential": "600/minute"}, {"sync.address": "120/minute"}),
    ],
)
def test_each_contract_has_the_limits_of_its_text(method, path, named, anonymous):
    assert rates(method, path, a_caller()) == named
    assert rates(method, path) == anonymous


@pytest.mark.parametrize(
    ("method", "path", "name", "rate"),
    [
        ("GET", "/audiences", "sync.list", "60/minute"),
        ("GET", "/audiences/", "sync.list", "60/minute"),
        ("POST", "/audiences", "sync.create", "10/minute"),
        ("POST", "/audiences/7d0e/sync", "sync.run", "10/minute"),
        ("POST", "/audiences/export", "sync.export", "5/minute"),
    ],
)
def test_the_operations_of_the_sync_contract_have_limits_of_their_own(method, path, name, rate):
    found = rates(method, SYNC + path, a_caller())
    assert found == {"sync.credential": "600/minute", name: rate}


@pytest.mark.parametrize(
    ("method", "path"),
    [
        ("GET", "/audiences/7d0e"), ("PATCH", "/audiences"), ("GET", "/audiences/7d0e/sync"),
        ("POST", "/audiences/7d0e/x/sync"), ("GET", "/audiences/export"),
    ],
)  # fmt: skip
def test_no_other_operation_has(method, path):
    assert set(rates(method, SYNC + path, a_caller())) == {"sync.credential"}


def test_a_sync_is_counted_for_its_audience_whoever_of_the_tenant_asks():
    def key(audience, **caller):
        return find_uses("POST", f"{SYNC}/audiences/{audience}/sync", a_caller(**caller), "192.0.2.1")[1].store_key

    assert key("a") == key("a", credential="api_key:9", user=None)
    assert key("a") != key("b")
    assert key("a") != key("a", tenant=8)


def test_tobermory_adds_up_the_sign_ins_of_a_person_and_the_others_do_not():
    def key(path, credential):
        return find_uses("GET", path, a_caller(credential), "192.0.2.1")[0].store_key

    assert key("/api/audiences", "browser:1") == key("/api/audiences", "tokens:2")
    assert key("/api/audiences", "browser:1") != key("/api/audiences", "api_key:1")
    assert key("/api/v1/users", "browser:1") != key("/api/v1/users", "tokens:2")


def test_every_contract_has_its_limits_in_the_table():
    assert set(contract_limits.ALLOWANCES) == {contract.name for contract in CONTRACTS}
    for allowance in contract_limits.ALLOWANCES.values():
        assert {allowance.known, allowance.unknown} <= set(contract_limits.LIMITS)
    for limit in [*contract_limits.LIMITS.values(), *ratelimit.LIMITS.values()]:
        assert limit.uses > 0
        assert limit.window_seconds > 0


def test_signing_in_and_its_kin_fail_closed_and_nothing_else_does():
    closed = {name for name, limit in ratelimit.LIMITS.items() if limit.fails_closed}
    assert closed == {"login.account", "login.address", "mfa.account", "password.confirm", "token.refresh"}
    assert not any(limit.fails_closed for limit in contract_limits.LIMITS.values())
