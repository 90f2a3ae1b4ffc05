"""Which calls of /api/v1 speak the messaging contract."""

from __future__ import annotations

import pytest


def where(client, **headers):
    return client.get(
        "/api/v1/seen", headers={key.replace("_", "-"): value for key, value in headers.items()}
    ).get_json()


@pytest.fixture
def plain(make_app):
    return make_app().test_client()


@pytest.mark.parametrize("header", ["Bearer msg_abc", "bearer msg_abc", "BEARER  msg_abc "])
def test_a_messaging_key_speaks_the_messaging_contract(plain, header):
    """The key is none, so the guards refuse it: in the words of the contract it was sent to."""
    answer = plain.get("/api/v1/seen", headers={"Authorization": header})
    assert answer.status_code == 401
    assert answer.get_json()["error"] == "api_key_invalid"
    assert "request_id" in answer.get_json()
    assert answer.headers["X-Rate-Limit-Limit"] == "1000"


@pytest.mark.parametrize("header", ["Bearer key_abc", "Bearer xmsg_abc", "Bearer MSG_abc", "Basic msg_abc", "msg_abc"])
def test_no_other_credential_does(plain, header):
    answer = plain.get("/api/v1/seen", headers={"Authorization": header})
    assert (answer.status_code, answer.get_json()["success"]) == (401, False)


@pytest.mark.parametrize(
    ("path", "lands"),
    [
        ("/api/v1", True), ("/api/v1/", True), ("/api/v1/users", True), ("/api/v1/cdp/audience-sync/audiences", True),
        ("/api/v1/whatsapp/send", False), ("/api/v1/whatsapps", True),
        ("/api/v10/users", False), ("/api/audiences", False), ("/api", False), ("/API/v1/users", False),
    ],
)  # fmt: skip
def test_only_what_is_below_its_address_is_carried_over(plain, path, lands):
    answer = plain.get(path, headers={"Authorization": "Bearer msg_abc"})
    assert ("request_id" in (answer.get_json(silent=True) or {})) == lands


@pytest.mark.parametrize("path", ["/audience", "/stream"])
def test_a_messaging_key_elsewhere_is_a_key_like_any_other(plain, path):
    assert set(plain.get(path, headers={"Authorization": "Bearer msg_abc"}).get_json()) == {"error", "code"}


def test_without_key_and_host_nothing_is_carried_over(plain):
    assert where(plain)["path"] == "/api/v1/seen"


@pytest.mark.parametrize(
    ("setting", "host", "is_carried"),
    [
        ("messages.example", "messages.example", True),
        ("messages.example", "MESSAGES.example", True),
        ("Messages.example", "messages.example:8080", True),
        ("messages.example", "messages.example.", True),
        ("messages.example", "parley.example", False),
        ("messages.example", "messages.example.evil.example", False),
        ("messages.example", "xmessages.example", False),
        ("messages.example:9000", "messages.example:9000", True),
        ("messages.example:9000", "messages.example", False),
        ("messages.example:80", "messages.example", True),
        ("[::1]:9000", "[::1]:9000", True),
        ("", "", False),
        ("messages.example", "[::1", False),
    ],
)
def test_at_the_messaging_host_every_call_speaks_it(make_app, setting, host, is_carried):
    seen = where(make_app(messaging_host=setting).test_client(), Host=host)
    assert seen["path"] == ("/messaging/api/v1/seen" if is_carried else "/api/v1/seen")


def test_behind_a_proxy_the_forwarded_host_decides(make_app):
    client = make_app(messaging_host="messages.example", trusted_proxies=1).test_client()
    assert where(client, X_Forwarded_Host="messages.example")["path"] == "/messaging/api/v1/seen"
    assert where(client, Host="messages.example", X_Forwarded_Host="parley.example")["path"] == "/api/v1/seen"
    assert where(client, X_Forwarded_Host="messages.example, parley.example")["path"] == "/api/v1/seen"


def test_a_forwarded_host_of_a_stranger_decides_nothing(make_app):
    client = make_app(messaging_host="messages.example").test_client()
    assert where(client, X_Forwarded_Host="messages.example")["path"] == "/api/v1/seen"


def test_a_good_key_reaches_the_messaging_contract(make_app, member, in_tenant):
    from app.accounts.models import Scope
    from app.accounts.services import api_keys
    from app.core.db import unit_of_work

    with in_tenant(member.tenant_id), unit_of_work():
        _key, text = api_keys.create("Sender", [Scope.MESSAGING], created_by=member.id, expires_at=None)
    answer = make_app().test_client().get("/api/v1/seen?a=1", headers={"Authorization": f"Bearer {text}"})
    assert answer.status_code == 200
    assert answer.get_json()["url"] == "http://localhost/messaging/api/v1/seen?a=1"
    assert answer.headers["X-Rate-Limit-Limit"] == "10000"
