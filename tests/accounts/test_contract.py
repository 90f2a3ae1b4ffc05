"""Sign-up, sign-in, sign-out and admins, as the insight contract shows them."""

from __future__ import annotations

import pytest

NEW = {"email": "user@example.com", "password": "securepassword"}
BAD = {
    "no password": ({"email": "a@example.com"}, "password"),
    "no e-mail": ({"password": "securepassword"}, "email"),
    "no address": ({"email": "not an address", "password": "securepassword"}, "email"),
    "short password": ({"email": "a@example.com", "password": "short"}, "password"),
    "huge password": ({"email": "a@example.com", "password": "x" * 300}, "password"),
    "wrong type": ({"email": ["a@example.com"], "password": "securepassword"}, "email"),
}


def test_signing_up_makes_a_user_who_is_admin_of_a_tenant_of_their_own(anonymous):
    answer = anonymous.post("/signup", json=NEW)
    assert answer.status_code == 201
    body = answer.get_json()
    assert body == {"message": "Registration successful", "user_id": body["user_id"]}
    signed_in = anonymous.post("/login", json=NEW)
    assert (signed_in.status_code, signed_in.get_json()["message"]) == (200, "Login successful")
    assert signed_in.get_json()["user_id"] == body["user_id"]
    assert anonymous.get("/admin/prompts").status_code == 200


@pytest.mark.parametrize(("body", "field"), BAD.values(), ids=BAD.keys())
def test_a_bad_sign_up_names_the_field(anonymous, body, field):
    answer = anonymous.post("/signup", json=body)
    assert (answer.status_code, answer.get_json()["details"]["field"]) == (422, field)


def test_an_address_that_has_an_account_is_refused_without_saying_why(anonymous):
    anonymous.post("/signup", json=NEW)
    answer = anonymous.post("/signup", json={**NEW, "email": "USER@example.com"})
    assert answer.status_code == 409
    assert "exist" not in answer.get_json()["error"]


def test_a_wrong_password_and_an_unknown_address_are_answered_alike(anonymous):
    anonymous.post("/signup", json=NEW)
    wrong = anonymous.post("/login", json={**NEW, "password": "another password"})
    unknown = anonymous.post("/login", json={"email": "nobody@example.com", "password": "another password"})
    assert wrong.status_code == unknown.status_code == 401
    assert wrong.get_json() == unknown.get_json()


def test_an_unknown_address_costs_as_much_work_as_a_known_one(anonymous, monkeypatch):
    from app.accounts.services import passwords

    checked = []
    hasher = passwords._hasher()
    anonymous.post("/signup", json=NEW)

    class Counting:
        def verify(self, given, password):
            checked.append(given[:9])
            return hasher.verify(given, password)

        check_needs_rehash = staticmethod(hasher.check_needs_rehash)
        hash = staticmethod(hasher.hash)

    monkeypatch.setattr(passwords, "_hasher", Counting)
    for email in (NEW["email"], "nobody@example.com"):
        anonymous.post("/login", json={"email": email, "password": "another password"})
    assert checked == ["$argon2id", "$argon2id"]


def test_signing_out_ends_the_session_at_once_even_for_a_copied_cookie(client, app):
    cookie = client._cookies.copy()
    answer = client.get("/logout")
    assert (answer.status_code, answer.get_json()) == (200, {"message": "Logged out successfully"})
    client._cookies.update(cookie)
    assert client.get("/audience").status_code == 401


def test_a_session_gets_a_new_cookie_at_sign_in(anonymous, member):
    anonymous.get("/login")
    before = {c.value for c in anonymous._cookies.values()}
    anonymous.post("/login", json={"email": member.email, "password": member.password})
    assert before.isdisjoint(c.value for c in anonymous._cookies.values())


def test_an_account_is_throttled_after_many_wrong_passwords(anonymous, member):
    body = {"email": member.email, "password": "a wrong password"}
    statuses = [anonymous.post("/login", json=body).status_code for _ in range(10)]
    assert statuses[:8] == [401] * 8
    assert statuses[-1] == 429
    refused = anonymous.post("/login", json={**body, "password": member.password})
    assert refused.status_code == 429
    assert int(refused.headers["Retry-After"]) > 0


def test_an_unknown_address_is_throttled_alike(anonymous):
    body = {"email": "nobody@example.com", "password": "a wrong password"}
    assert [anonymous.post("/login", json=body).status_code for _ in range(10)][-1] == 429


def test_signing_in_fails_closed_and_the_rest_goes_on_when_the_store_is_away(client, anonymous, member, store):
    store.stop()
    try:
        refused = anonymous.post("/login", json={"email": member.email, "password": member.password})
        assert (refused.status_code, refused.get_json()["code"]) == (503, "unavailable")
        assert client.get("/audience").status_code == 200
        assert client.post("/audience", json={"name": "Kept"}).status_code == 201
    finally:
        store.start()


def test_the_platforms_admin_is_made_once(anonymous):
    body = {"email": "admin@example.com", "password": "secureadminpassword"}
    made = anonymous.post("/setup-admin", json=body)
    assert made.status_code == 201
    assert made.get_json() == {"message": "Admin user admin@example.com created successfully"}
    assert anonymous.post("/setup-admin", json={**body, "email": "b@example.com"}).status_code == 409


def test_an_admin_makes_and_unmakes_admins_of_their_own_tenant_only(client, make_member, member, other_member):
    colleague = make_member("analyst", member.tenant_id)
    made = client.post(f"/admin/users/{colleague.id}/make-admin")
    assert made.get_json() == {"message": f"User {colleague.email} is now an admin"}
    revoked = client.post(f"/admin/users/{colleague.id}/revoke-admin")
    assert revoked.get_json() == {"message": f"Admin privileges revoked from user {colleague.email}"}
    assert client.post(f"/admin/users/{colleague.id}/revoke-admin").status_code == 409
    assert client.post(f"/admin/users/{other_member.id}/make-admin").status_code == 404
    last = client.post(f"/admin/users/{member.id}/revoke-admin")
    assert (last.status_code, last.get_json()["code"]) == (409, "conflict")


@pytest.mark.parametrize("role", ["viewer", "analyst", "manager"])
def test_nobody_but_an_admin_makes_admins_or_changes_prompts(client_for, make_member, member, role):
    client = client_for(make_member(role, member.tenant_id))
    assert client.post(f"/admin/users/{member.id}/make-admin").status_code == 403
    assert client.put("/admin/prompts", json={"deep_research": True}).status_code == 403
