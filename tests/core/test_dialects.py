"""Errors of the insight contract: `{"error", "code", "details"?}` for each status."""

from __future__ import annotations

import pytest

ASKED = {
    400: ("POST", "/audience", {"data": "{", "content_type": "application/json"}),
    401: ("GET", "/audience", {}),
    403: ("POST", "/audience", {"json": {"name": "x"}, "headers": {"Sec-Fetch-Site": "cross-site"}}),
    404: ("GET", "/audience/424242", {}),
    405: ("PATCH", "/audience", {}),
    413: ("POST", "/audience", {"data": b" " * 3_000_000, "content_type": "application/json"}),
    415: ("POST", "/audience", {"data": "name=x", "content_type": "application/x-www-form-urlencoded"}),
    422: ("POST", "/audience", {"json": {}}),
}


@pytest.mark.parametrize("status", ASKED)
def test_each_error_speaks_the_contracts_json(client, anonymous, status):
    method, path, more = ASKED[status]
    answer = (anonymous if status == 401 else client).open(path, method=method, **more)
    assert answer.status_code == status
    body = answer.get_json()
    assert set(body) <= {"error", "code", "details"}
    assert isinstance(body["error"], str)
    assert body["error"]


def test_409_and_429_and_500_do_too(client, anonymous, member, app):
    conflict = anonymous.post("/signup", json={"email": member.email, "password": member.password})
    assert (conflict.status_code, conflict.get_json()["code"]) == (409, "conflict")
    body = {"email": "nobody@example.com", "password": "a wrong password"}
    limited = [anonymous.post("/login", json=body) for _ in range(9)][-1]
    assert (limited.status_code, limited.get_json()["code"]) == (429, "rate_limited")

    with app.test_request_context("/audience"):
        from app.core.dialects import respond

        broken = respond(ZeroDivisionError("secret detail"))
    assert (broken.status_code, broken.get_json()["code"]) == (500, "internal_error")
    assert "secret" not in broken.get_data(as_text=True)


def test_an_unknown_address_is_a_page_for_people(client):
    answer = client.get("/app/nowhere", headers={"Accept": "text/html"})
    assert answer.status_code == 404
    assert "<!doctype html>" in answer.text.lower()


def test_htmx_gets_a_toast_and_keeps_its_page(client):
    answer = client.get("/app/audiences/424242/brief", headers={"HX-Request": "true"})
    assert answer.status_code == 404
    assert "toast" in answer.headers["HX-Trigger"]
    assert answer.headers["HX-Reswap"] == "none"
