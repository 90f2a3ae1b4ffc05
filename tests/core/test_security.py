"""What every answer carries, and what no write gets past."""

from __future__ import annotations

import pytest
from structlog.testing import capture_logs

from app.core import requests
from app.core.logs import get_logger

CROSS_SITE = [
    {"Sec-Fetch-Site": "cross-site"},
    {"Sec-Fetch-Site": "same-site"},
    {"Origin": "https://evil.example"},
    {"Origin": "null"},
]


@pytest.mark.parametrize("headers", CROSS_SITE, ids=str)
def test_cookie_borne_json_from_another_site_is_refused(client, headers):
    for method, path, body in (
        ("POST", "/audience", {"name": "Forged"}),
        ("DELETE", "/audience/1", None),
        ("POST", "/admin/users/1/make-admin", None),
    ):
        answer = client.open(path, method=method, json=body, headers=headers)
        assert (answer.status_code, answer.get_json()["code"]) == (403, "cross_site")
    assert client.get("/audience").get_json() == []


def test_another_site_cannot_sign_someone_out(client):
    assert client.get("/logout", headers={"Sec-Fetch-Site": "cross-site"}).status_code == 403
    assert client.get("/audience").status_code == 200


@pytest.mark.parametrize("headers", [{}, {"Sec-Fetch-Site": "same-origin"}, {"Origin": "http://localhost"}], ids=str)
def test_the_sites_own_pages_and_programs_may_write(client, headers):
    assert client.post("/audience", json={"name": "Ours"}, headers=headers).status_code == 201


@pytest.mark.parametrize("path", ["/", "/login", "/signup", "/app", "/app/audiences", "/nowhere", "/app/settings/ai"])
def test_every_page_forbids_inline_script_framing_and_sniffing(client, path):
    headers = client.get(path, headers={"Accept": "text/html"}).headers
    policy = headers["Content-Security-Policy"]
    assert "default-src 'self'" in policy
    assert "unsafe" not in policy
    assert "frame-ancestors 'none'" in policy
    assert headers["X-Content-Type-Options"] == "nosniff"
    assert headers["X-Frame-Options"] == "DENY"
    assert headers["Cache-Control"] == "no-store"


def test_the_session_cookie_is_kept_from_scripts_and_other_sites(anonymous, member):
    answer = anonymous.post("/login", json={"email": member.email, "password": member.password})
    cookie = next(c for c in answer.headers.getlist("Set-Cookie") if c.startswith("parley_session"))
    assert "HttpOnly" in cookie
    assert "SameSite=Lax" in cookie


@pytest.mark.parametrize(
    "path", ["/audience/99999999999999999999", "/personas/-1", "/audience/1%00", "/app/audiences/99999999999999999999"]
)
def test_ids_that_cannot_be_are_not_found(client, path):
    assert client.get(path).status_code in (400, 404)


@pytest.mark.parametrize(
    "path", ["/app/search?q=%00", "/app/audiences?q=%00&page=0", "/app/audiences?page=x", "/audience?limit=-1"]
)
def test_odd_query_strings_are_refused_or_ignored_never_a_fault(client, path):
    assert client.get(path).status_code < 500


def test_secrets_never_reach_the_log(client, anonymous, member, caplog):
    from app.core.logs import _hide_secrets

    hidden = _hide_secrets(None, "info", {"password": "p", "api_key": "k", "event": "x", "csrf_token": "t"})
    assert set(hidden.values()) == {"[hidden]", "x"}
    with caplog.at_level("DEBUG"):
        anonymous.post("/login", json={"email": member.email, "password": "hunter2-not-mine"})
    assert "hunter2" not in caplog.text


def test_a_wrong_method_says_which_would_be_right(client):
    answer = client.patch("/audience")
    assert (answer.status_code, answer.get_json()["code"]) == (405, "method_not_allowed")
    assert "GET" in answer.headers["Allow"]


def test_a_request_id_is_kept_and_a_hostile_one_replaced(client):
    assert client.get("/healthz", headers={"X-Request-Id": "abc-12345678"}).headers["X-Request-Id"] == "abc-12345678"
    given = client.get("/healthz", headers={"X-Request-Id": "bad id {}"}).headers["X-Request-Id"]
    assert given != "bad id {}"
    assert len(given) == 32


@pytest.mark.parametrize("path", ["/password/reset/{}", "/password/reset/{}/", "/invitations/{}", "/invitations/{}/x"])
@pytest.mark.parametrize("method", ["GET", "PUT"])
def test_a_token_in_an_address_never_reaches_the_log_wherever_it_leads(anonymous, monkeypatch, path, method):
    token = "eyJ1c2VyIjoxfQ.aSMhBg.8Yw0tQm4b1c3d5e7f9g2h4i6j8k0l1m3n5o7p9q1r3s"
    monkeypatch.setattr(requests, "log", get_logger())  # one used before keeps the set-up of another application
    with capture_logs() as lines:
        anonymous.open(path.format(token), method=method)
    assert [line for line in lines if line["event"] == "request"]
    assert token not in str(lines)
