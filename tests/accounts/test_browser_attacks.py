"""What someone may try with a browser: planted cookies, forms of other sites, links that lead away after a sign-in."""

from __future__ import annotations

import re

import pytest


def test_a_cookie_planted_before_the_sign_in_is_worthless_after_it(app, member, other_member, client_for):
    """The attacker knows the cookie the victim's browser holds, then the victim signs in with it."""
    attacker = client_for(other_member)
    planted = next(iter(attacker._cookies.values()))
    victim = app.test_client()
    victim.set_cookie(planted.key, planted.value)
    victim.post("/login", json={"email": member.email, "password": member.password})
    victim.post("/audience", json={"name": "Secret"})
    assert [row["name"] for row in victim.get("/audience").get_json()] == ["Secret"]
    assert attacker.get("/audience").get_json() == []
    thief = app.test_client()
    thief.set_cookie(planted.key, planted.value)
    assert thief.get("/audience").get_json() == []  # still the attacker's own, never the victim's


def test_an_anonymous_cookie_planted_before_the_sign_in_stays_anonymous(app, member):
    attacker = app.test_client()
    attacker.get("/login", headers={"Accept": "text/html"})
    planted = next(iter(attacker._cookies.values()))
    victim = app.test_client()
    victim.set_cookie(planted.key, planted.value)
    victim.post("/login", json={"email": member.email, "password": member.password})
    assert victim.get("/audience").status_code == 200
    assert attacker.get("/audience").status_code == 401
    assert next(iter(victim._cookies.values())).value != planted.value


def test_the_form_token_of_a_planted_cookie_is_worthless_after_the_sign_in(app, member):
    attacker = app.test_client()
    page = attacker.get("/login", headers={"Accept": "text/html"}).text
    known = re.search(r'name="csrf_token" value="([^"]+)"', page).group(1)
    planted = next(iter(attacker._cookies.values()))
    victim = app.test_client()
    victim.set_cookie(planted.key, planted.value)
    victim.post("/login", json={"email": member.email, "password": member.password})
    answer = victim.post("/app/settings/you/name", data={"csrf_token": known, "name": "Eve"})
    assert answer.status_code == 403


FORMS = ["/login", "/signup", "/logout/form", "/app/settings/you/name", "/app/settings/you/password"]


@pytest.mark.parametrize("path", FORMS)
@pytest.mark.parametrize("token", [None, "", "x", "IjEyMyI.aaaa.bbbb"])
def test_a_form_without_our_token_is_refused(client, path, token):
    form = {"email": "a@example.com", "password": "a good password", "name": "Eve"}
    answer = client.post(path, data=form if token is None else form | {"csrf_token": token})
    assert answer.status_code == 403
    assert client.get("/audience").status_code == 200


def test_the_token_of_another_persons_form_is_refused(client, client_for, other_member):
    page = client_for(other_member).get("/app/settings/you").text
    theirs = re.search(r'name="csrf_token" value="([^"]+)"', page).group(1)
    answer = client.post("/app/settings/you/name", data={"csrf_token": theirs, "name": "Eve"})
    assert answer.status_code == 403


@pytest.mark.parametrize("kind", ["text/plain", "application/x-www-form-urlencoded", "multipart/form-data; boundary=x"])
def test_json_in_a_form_that_any_site_may_send_is_refused(client, kind):
    answer = client.post("/audience", data='{"name": "Forged"}', content_type=kind)
    assert answer.status_code == 415
    assert client.get("/audience").get_json() == []


LEADING_AWAY = [
    "//evil.example", "///evil.example", "////evil.example", "/\\evil.example", "\\\\evil.example", "/\\/evil.example",
    "https://evil.example", "HTTPS:evil.example", "http:/evil.example", "javascript:alert(1)", "JaVaScRiPt:alert(1)",
    "data:text/html,x", "/\t/evil.example", "/\n/evil.example", "\t//evil.example", " //evil.example", "/\r\nX-Evil: 1",
    "/\x00/evil.example", "evil.example", "@evil.example", "?//evil.example", "/\u2028/evil.example",
    "/\x85/evil.example",
]  # fmt: skip


@pytest.mark.parametrize("target", LEADING_AWAY, ids=repr)
@pytest.mark.parametrize("where", ["already in", "form"])
def test_signing_in_leads_to_no_other_site(client, anonymous, member, target, where):
    answer = follow_next(client, anonymous, member, target, where)
    if answer.status_code == 400 and "\x00" in target:
        return
    assert answer.status_code == 303
    assert answer.headers["Location"] == "/app"
    assert "X-Evil" not in answer.headers


@pytest.mark.parametrize(
    "target",
    ["/%2f%2fevil.example", "/%5cevil.example", "/%09/evil.example", "/app//evil.example", "/app?next=//evil.example"],
)
def test_a_path_that_only_looks_like_another_site_stays_here(client, anonymous, member, target):
    """What is written in percents is a path to every browser; it must leave as it came, never decoded."""
    for where in ("already in", "form"):
        answer = follow_next(client, anonymous, member, target, where)
        assert answer.headers["Location"].lower() == target.lower()


def follow_next(client, anonymous, member, target, where):
    if where == "already in":
        return client.get("/login", query_string={"next": target}, headers={"Accept": "text/html"})
    page = anonymous.get("/login", query_string={"next": target}, headers={"Accept": "text/html"})
    token = re.search(r'name="csrf_token" value="([^"]+)"', page.text)
    if token is None:
        return page
    form = {"csrf_token": token.group(1), "email": member.email, "password": member.password, "next": target}
    return anonymous.post("/login", data=form)


def test_a_next_beyond_latin_letters_is_led_to_by_htmx_too(anonymous, member):
    page = anonymous.get("/login", headers={"Accept": "text/html"})
    token = re.search(r'name="csrf_token" value="([^"]+)"', page.text).group(1)
    fields = {"csrf_token": token, "email": member.email, "password": member.password, "next": "/日本"}
    answer = anonymous.post("/login/form", data=fields, headers={"HX-Request": "true"})
    assert (answer.status_code, answer.headers["HX-Redirect"]) == (204, "/%E6%97%A5%E6%9C%AC")
