"""Access and refresh tokens, through the stratum contract's sign-in."""

from __future__ import annotations

import time
from concurrent.futures import ThreadPoolExecutor
from datetime import timedelta

import pytest

AUTH = "/api/v1/auth"


@pytest.fixture
def sign_in(app):
    """Sign someone in as a program; answers with the whole body."""

    def make(who, **more):
        body = {"email": who.email, "password": who.password, **more}
        answer = app.test_client().post(f"{AUTH}/login", json=body)
        assert answer.status_code == 200, answer.text
        return answer.get_json()

    return make


@pytest.fixture
def call(app):
    """Call with nothing but a bearer."""

    def make(token, path=f"{AUTH}/me", method="GET", **options):
        return app.test_client().open(path, method=method, headers={"Authorization": f"Bearer {token}"}, **options)

    return make


def refresh(app, token):
    return app.test_client().post(f"{AUTH}/refresh", json={"refresh_token": token})


def audited(app, tenant_id):
    from sqlalchemy import select

    from app.accounts.models import AuditEntry
    from app.core.db import db
    from app.core.tenancy import tenant_scope

    with app.app_context(), tenant_scope(tenant_id):
        return list(db.session.scalars(select(AuditEntry.action).order_by(AuditEntry.id)))


def test_signing_in_answers_with_just_what_the_contract_shows(sign_in, member):
    body = sign_in(member)
    assert list(body) == ["access_token", "refresh_token", "token_type", "expires_in", "user"]
    assert (body["token_type"], body["expires_in"]) == ("bearer", 1800)
    user = {"id": member.id, "email": member.email, "full_name": "", "role": "admin", "tenant_id": member.tenant_id}
    assert body["user"] == user


def test_registering_makes_a_person_and_a_workspace_and_signs_in(anonymous, call):
    new = {"email": "new@example.com", "password": "SecurePass123!", "full_name": "Jane Doe", "workspace": "Oat & Co"}
    answer = anonymous.post(f"{AUTH}/register", json=new)
    assert (answer.status_code, answer.get_json()["user"]["role"]) == (201, "admin")
    me = call(answer.get_json()["access_token"]).get_json()
    assert (me["full_name"], me["tenant"]["name"], me["mfa_enabled"]) == ("Jane Doe", "Oat & Co", False)
    assert anonymous.post(f"{AUTH}/register", json=new).status_code == 409


def test_me_tells_the_role_the_workspace_and_what_one_may(sign_in, call, make_member, member):
    viewer = call(sign_in(make_member("viewer", member.tenant_id))["access_token"]).get_json()
    assert viewer["role"] == "viewer"
    assert viewer["tenant"]["id"] == viewer["tenant_id"] == member.tenant_id
    assert "insights.read" in viewer["permissions"]
    assert "members.manage" not in viewer["permissions"]


def test_a_wrong_password_and_an_unknown_address_are_answered_alike(anonymous, member):
    wrong = anonymous.post(f"{AUTH}/login", json={"email": member.email, "password": "wrong password"})
    unknown = anonymous.post(f"{AUTH}/login", json={"email": "nobody@example.com", "password": "wrong password"})
    assert wrong.status_code == unknown.status_code == 401
    assert wrong.get_json() == unknown.get_json()
    assert wrong.get_json()["code"] == "INVALID_CREDENTIALS"


def test_an_account_is_throttled_like_at_the_form(anonymous, member):
    body = {"email": member.email, "password": "a wrong password"}
    statuses = [anonymous.post(f"{AUTH}/login", json=body).status_code for _ in range(10)]
    assert statuses[:8] == [401] * 8
    assert statuses[-1] == 429
    assert anonymous.post("/login", json={**body, "password": member.password}).status_code == 429


def test_a_workspace_one_does_not_belong_to_cannot_be_signed_in_to(anonymous, member, other_member):
    body = {"email": member.email, "password": member.password, "tenant_id": other_member.tenant_id}
    assert anonymous.post(f"{AUTH}/login", json=body).status_code == 401


def test_each_refresh_rotates_the_token(app, sign_in, call, member):
    first = sign_in(member)
    second = refresh(app, first["refresh_token"])
    assert second.status_code == 200
    assert list(second.get_json()) == list(first)
    assert second.get_json()["refresh_token"] != first["refresh_token"]
    assert call(second.get_json()["access_token"]).status_code == 200
    assert call(first["access_token"]).status_code == 200, "the session is the same one"


def test_a_spent_token_that_comes_back_ends_the_family_at_once_and_is_audited(app, sign_in, call, member):
    first = sign_in(member)
    second = refresh(app, first["refresh_token"]).get_json()
    stolen = refresh(app, first["refresh_token"])
    assert (stolen.status_code, stolen.get_json()["code"]) == (401, "REFRESH_INVALID")
    assert refresh(app, second["refresh_token"]).status_code == 401
    assert [call(pair["access_token"]).status_code for pair in (first, second)] == [401, 401]
    assert "session.token_reused" in audited(app, member.tenant_id)
    assert call(sign_in(member)["access_token"]).status_code == 200


def test_of_two_refreshes_at_the_same_moment_exactly_one_wins(app, sign_in, member):
    for _ in range(5):
        token = sign_in(member)["refresh_token"]
        with ThreadPoolExecutor(4) as pool:
            statuses = sorted(answer.status_code for answer in pool.map(lambda _, t=token: refresh(app, t), range(4)))
        assert statuses == [200, 401, 401, 401]


@pytest.mark.parametrize("token", ["nonsense", "rt_" + "x" * 40])
def test_a_token_nobody_was_given_is_refused(app, token):
    answer = refresh(app, token)
    assert (answer.status_code, answer.get_json()["code"]) == (401, "REFRESH_INVALID")


def test_a_refresh_token_expires(app, sign_in, member, monkeypatch):
    from app.accounts.services import tokens
    from app.core.clock import utc_now
    from app.core.config import get_settings

    token = sign_in(member)["refresh_token"]
    later = utc_now() + timedelta(days=get_settings().refresh_days, seconds=1)
    monkeypatch.setattr(tokens, "utc_now", lambda: later)
    assert refresh(app, token).status_code == 401


def test_refreshes_are_counted(app, sign_in, member):
    statuses = [refresh(app, "rt_none").status_code for _ in range(65)]
    assert statuses[0] == 401
    assert statuses[-1] == 429


def test_signing_out_ends_the_access_and_the_refresh_token_at_once(app, sign_in, call, member):
    pair, elsewhere = sign_in(member), sign_in(member)
    answer = call(pair["access_token"], f"{AUTH}/logout", "POST")
    assert (answer.status_code, answer.get_json()["success"]) == (200, True)
    assert call(pair["access_token"]).status_code == 401
    assert refresh(app, pair["refresh_token"]).status_code == 401
    assert call(elsewhere["access_token"]).status_code == 200


def test_a_changed_role_takes_effect_on_the_next_call(sign_in, call, client, make_member, member):
    colleague = make_member("analyst", member.tenant_id)
    token = sign_in(colleague)["access_token"]
    create = {"json": {"name": "Ours"}, "path": "/audience", "method": "POST"}
    assert call(token, **create).status_code == 201
    assert client.patch(f"/api/v1/users/{colleague.id}", json={"role": "viewer"}).status_code == 200
    assert call(token, **create).status_code == 403


def test_whoever_is_deactivated_is_out_with_every_credential_at_once(app, sign_in, call, client, make_member, member):
    colleague = make_member("analyst", member.tenant_id)
    pair = sign_in(colleague)
    assert client.patch(f"/api/v1/users/{colleague.id}", json={"is_active": False}).status_code == 200
    assert call(pair["access_token"]).status_code == 401
    assert refresh(app, pair["refresh_token"]).status_code == 401
    again = app.test_client().post(f"{AUTH}/login", json={"email": colleague.email, "password": colleague.password})
    assert again.status_code == 401


def test_a_browsers_session_is_no_token_and_a_token_no_cookie(app, client, sign_in, call, member):
    from flask.sessions import SecureCookieSessionInterface

    cookie = next(iter(client._cookies.values())).value
    inside = SecureCookieSessionInterface().get_signing_serializer(app).loads(cookie)["_user_id"]
    assert [call(text).status_code for text in (cookie, inside)] == [401, 401]
    assert refresh(app, inside).status_code == 401
    assert call(sign_in(member)["refresh_token"]).status_code == 401


def test_a_bad_bearer_is_refused_even_beside_a_good_cookie(client):
    assert client.get(f"{AUTH}/me").status_code == 200
    assert client.get(f"{AUTH}/me", headers={"Authorization": "Bearer nonsense"}).status_code == 401


def test_an_api_key_is_nobodys_account(client, call):
    made = client.post("/api/v1/api-keys", json={"name": "Machine", "scopes": ["read", "write", "admin"]})
    key = made.get_json()["key"]
    assert call(key, "/api/v1/users").status_code == 200
    for method, path in (("GET", "/me"), ("GET", "/sessions"), ("POST", "/logout"), ("POST", "/switch")):
        assert call(key, AUTH + path, method, json={"tenant_id": 1}).status_code == 403


def test_ones_own_sessions_are_listed_and_ended_but_nobody_elses(app, sign_in, call, member, other_member):
    here, there, stranger = sign_in(member), sign_in(member), sign_in(other_member)
    rows = call(here["access_token"], f"{AUTH}/sessions").get_json()
    assert {row["kind"] for row in rows} == {"tokens"}
    other = next(row for row in rows if not row["is_current"])
    assert call(stranger["access_token"], f"{AUTH}/sessions/{other['id']}", "DELETE").status_code == 404
    assert call(here["access_token"], f"{AUTH}/sessions/{other['id']}", "DELETE").status_code == 200
    assert call(there["access_token"]).status_code == 401
    assert call(here["access_token"]).status_code == 200


def test_switching_ends_the_old_session_and_goes_on_in_the_other_workspace(
    app, sign_in, call, join, member, other_member
):
    join(member, other_member.tenant_id, "viewer")
    pair = sign_in(member)
    moved = call(pair["access_token"], f"{AUTH}/switch", "POST", json={"tenant_id": other_member.tenant_id})
    assert moved.status_code == 200
    assert (moved.get_json()["user"]["role"], moved.get_json()["user"]["tenant_id"]) == (
        "viewer",
        other_member.tenant_id,
    )
    assert call(pair["access_token"]).status_code == 401
    assert call(moved.get_json()["access_token"]).get_json()["tenant"]["id"] == other_member.tenant_id


def test_a_workspace_one_does_not_belong_to_is_not_found_and_nothing_ends(sign_in, call, member, other_member):
    pair = sign_in(member)
    moved = call(pair["access_token"], f"{AUTH}/switch", "POST", json={"tenant_id": other_member.tenant_id})
    assert moved.status_code == 404
    assert call(pair["access_token"]).status_code == 200


def test_a_workspace_named_with_nothing_but_spaces_has_the_usual_name(anonymous):
    new = {"email": "blank@example.com", "password": "a good password", "full_name": "Pat", "workspace": "  "}
    access = anonymous.post(f"{AUTH}/register", json=new).json["access_token"]
    me = anonymous.get(f"{AUTH}/me", headers={"Authorization": f"Bearer {access}"}).json
    assert me["tenant"]["name"] == "Pat's workspace"


def test_a_refusal_takes_its_time_whether_the_account_is_known_or_not(anonymous, member, settings_override):
    settings_override(login_refusal_seconds=0.5)
    for email in (member.email, "nobody@example.com"):
        began = time.monotonic()
        answer = anonymous.post(f"{AUTH}/login", json={"email": email, "password": "not this one"})
        assert answer.status_code == 401
        assert time.monotonic() - began >= 0.5
