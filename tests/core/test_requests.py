"""Whatever is sent, the answer is an answer: never a fault of ours."""

from __future__ import annotations

import json
import re

import pytest

HUGE_INT = 10**30


@pytest.mark.parametrize(
    "raw",
    [
        b"",
        b"{",
        b"[" * 100_000,
        b'{"name": NaN}',
        b'{"name": "\xed\xa0\x80"}',
        b"\xff\xfe{",
        b'{"name": "a\x00b"}',
    ],
    ids=["empty", "cut", "deep", "NaN", "half a pair raw", "no text", "raw NUL"],
)
def test_json_that_cannot_be_kept_is_refused(client, raw):
    answer = client.post("/audience", data=raw, content_type="application/json")
    assert (answer.status_code, answer.get_json()["code"]) == (400, "malformed_json")


@pytest.mark.parametrize(
    ("raw", "field"),
    [
        (b'{"name": "\\u0000"}', "name"),
        (b'{"name": {"deep": ["\\u0000"]}}', "name.deep.0"),
        (b'{"name": "\\ud800"}', "name"),
        (b'{"\\u0000": "x"}', "a field name"),
    ],
)
def test_a_character_that_cannot_be_kept_is_named_by_its_field(client, raw, field):
    answer = client.post("/audience", data=raw, content_type="application/json")
    assert (answer.status_code, answer.get_json()["details"]["field"]) == (422, field)


@pytest.mark.parametrize("text", ["a \\u0000 written out", "emoji 🥕 and \\\\u0000", "\\ud83e written out"])
def test_text_that_only_speaks_of_such_characters_is_kept(client, text):
    made = client.post("/audience", json={"name": "Ours", "additional_info": text})
    assert made.status_code == 201
    kept = client.get(f"/audience/{made.get_json()['audience_id']}").get_json()
    assert kept["additional_info"] == text


@pytest.mark.parametrize("body", ["[]", '"text"', "null", "7"])
def test_a_body_that_is_no_object_is_refused(client, body):
    assert client.post("/audience", data=body, content_type="application/json").status_code == 422


@pytest.mark.parametrize("path", ["/app/search?q=a%00b", "/audience?%00=1", "/app/audiences?q=%00"])
def test_a_nul_in_an_address_is_refused(client, path):
    assert client.get(path).status_code == 400


def test_a_nul_in_a_form_is_refused(client):
    token = re.search(r'name="csrf_token" value="([^"]+)"', client.get("/app/settings/you").text).group(1)
    answer = client.post("/app/settings/you/name", data={"csrf_token": token, "name": "Zo\0e"})
    assert answer.status_code == 400


@pytest.mark.parametrize("n", [2**31, 2**63, HUGE_INT])
@pytest.mark.parametrize("path", ["/audience/{}", "/segments/{}", "/personas/{}", "/simulations/{}", "/chat/{}"])
def test_an_id_beyond_every_database_is_not_found(client, path, n):
    assert client.get(path.format(n)).status_code == 404


def test_ids_in_a_body_beyond_every_database_are_refused(client):
    for body in (
        {"audience_id": HUGE_INT, "name": "x", "type": "default"},
        {"audience_id": 1, "name": "x", "segment_ids": [HUGE_INT], "type": "default"},
        {"audience_id": 1, "name": "x", "persona_ids": [2**63], "type": "default"},
    ):
        assert client.post("/simulations", json=body).status_code in (404, 422)


@pytest.mark.parametrize("limit", ["0", "-1", "501", "x", "1e3", "٣", "000000000001" + "9" * 40, "9" * 5000])
def test_a_limit_that_is_none_is_refused(client, limit):
    assert client.get(f"/audience?limit={limit}").status_code == 422


@pytest.mark.parametrize(
    "cookie",
    ["parley_session=x", "parley_session=.eJx.x.y", "parley_session=", "=;;;=", "a" * 5000, "parley_session=" + "é"],
)
def test_a_broken_cookie_is_no_cookie(anonymous, cookie):
    answer = anonymous.get("/audience", headers={"Cookie": cookie})
    assert answer.status_code == 401


def test_a_cookie_signed_by_us_but_of_no_session_is_no_cookie(app, anonymous):
    for token in ("", "unknown", 7, None, {"a": 1}):
        with anonymous.session_transaction() as session:
            session["_user_id"] = token
        assert anonymous.get("/audience").status_code == 401


@pytest.mark.parametrize("host", ["evil.example", "evil.example:99999", "[::1", "a b", "-"])
def test_a_strange_host_changes_nothing(client, host):
    answer = client.get("/app/nowhere", headers={"Host": host, "Accept": "text/html"})
    assert answer.status_code in (400, 404)
    assert host not in answer.headers.get("Location", "")


@pytest.mark.parametrize("origin", ["http://[", "null", "", "localhost", "http://localhost.evil.example"])
def test_an_origin_that_is_not_ours_cannot_write(client, origin):
    assert client.post("/audience", json={"name": "x"}, headers={"Origin": origin}).status_code == 403


@pytest.mark.parametrize("method", ["HEAD", "OPTIONS", "TRACE", "BREW"])
@pytest.mark.parametrize("path", ["/audience", "/login", "/app", "/healthz", "/nowhere"])
def test_every_method_gets_an_answer(client, method, path):
    assert client.open(path, method=method).status_code < 500


def test_the_head_of_logout_signs_nobody_out_from_another_site(client):
    assert client.head("/logout", headers={"Sec-Fetch-Site": "cross-site"}).status_code == 403
    assert client.get("/audience").status_code == 200


def test_long_texts_are_refused_before_the_database(client, anonymous):
    assert client.post("/audience", json={"name": "x" * 5000}).status_code == 422
    assert (
        anonymous.post("/signup", json={"email": "a" * 300 + "@example.com", "password": "long enough"}).status_code
        == 422
    )
    assert anonymous.post("/login", json={"email": "a" * 5000, "password": "x"}).status_code == 422


def test_headers_are_written_down_no_longer_than_they_may_be(anonymous, member):
    body = {"email": member.email, "password": member.password}
    answer = anonymous.post("/login", json=body, headers={"User-Agent": "x" * 7000})
    assert answer.status_code == 200


def test_an_address_is_the_same_however_it_is_typed(anonymous):
    typed = {"email": " Zoe\u0308@Example.com ", "password": "a good password"}
    assert anonymous.post("/signup", json={**typed, "email": typed["email"].strip()}).status_code == 201
    for email in (typed["email"], "zo\u00eb@example.com", "ZOE\u0308@EXAMPLE.COM"):
        assert anonymous.post("/login", json={**typed, "email": email}).status_code == 200


def test_an_error_page_tells_no_secret(client, monkeypatch, app):
    monkeypatch.setitem(app.view_functions, "home.show", lambda: 1 // 0)
    answer = client.get("/app", headers={"Accept": "text/html"})
    assert answer.status_code == 500
    assert "ZeroDivisionError" not in answer.text
    assert answer.headers["X-Request-Id"] in answer.text
    monkeypatch.setitem(app.view_functions, "audience_api.index", lambda: 1 // 0)
    fault = client.get("/audience")
    assert json.loads(fault.text)["code"] == "internal_error"
