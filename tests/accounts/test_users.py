"""The users of a tenant, through the stratum contract."""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor

import pytest

from app.core import ratelimit

USERS = "/api/v1/users"
NEW = {"email": "newuser@example.com", "full_name": "New User", "role": "analyst", "password": "TempPass123!"}


@pytest.fixture
def colleague(make_member, member):
    return make_member("analyst", member.tenant_id)


@pytest.fixture
def limit_users(app):
    def change(tenant_id, most):
        from app.accounts.models import Tenant
        from app.core.db import db, unit_of_work

        with app.app_context(), unit_of_work():
            db.session.get(Tenant, tenant_id).max_users = most

    return change


def entries(client, action):
    return client.get(f"/api/v1/audit?action={action}&limit=100").get_json()["items"]


def test_a_user_is_made_as_the_contract_shows_and_can_sign_in(client, anonymous, member):
    made = client.post(USERS, json=NEW)
    assert made.status_code == 201
    body = made.get_json()
    assert list(body) == [
        "id", "email", "full_name", "role", "tenant_id", "is_active", "mfa_enabled", "last_seen_at", "created_at",
    ]  # fmt: skip
    assert {name: body[name] for name in ("email", "full_name", "role")} == {
        name: NEW[name] for name in ("email", "full_name", "role")
    }
    assert (body["tenant_id"], body["is_active"], body["mfa_enabled"]) == (member.tenant_id, True, False)
    assert client.get(f"{USERS}/{body['id']}").get_json() == body
    signed_in = anonymous.post("/api/v1/auth/login", json={"email": NEW["email"], "password": NEW["password"]})
    assert signed_in.get_json()["user"]["role"] == "analyst"


@pytest.mark.parametrize(
    ("field", "value"),
    [
        ("email", "no address"),
        ("full_name", "   "),
        ("role", "superadmin"),
        ("role", "owner"),
        ("password", "short"),
        ("password", "newuser@example.com"),
        ("is_superadmin", True),
    ],
)
def test_a_user_that_cannot_be_is_refused_naming_the_field(client, field, value):
    answer = client.post(USERS, json={**NEW, field: value})
    assert (answer.status_code, answer.get_json()["details"]["field"]) == (422, field)
    assert client.get(USERS).get_json()["total"] == 1


def test_an_address_that_has_an_account_is_to_be_invited(client, other_member):
    answer = client.post(USERS, json={**NEW, "email": other_member.email.upper()})
    assert answer.status_code == 409
    assert "Invite them instead" in answer.get_json()["error"]


def test_the_list_turns_over_in_pages(client, make_member, member):
    for _ in range(4):
        make_member("viewer", member.tenant_id)
    page = client.get(f"{USERS}?page=2&limit=2").get_json()
    assert {name: page[name] for name in ("total", "page", "limit", "pages", "has_next", "has_prev")} == {
        "total": 5, "page": 2, "limit": 2, "pages": 3, "has_next": True, "has_prev": True,
    }  # fmt: skip
    assert len(page["items"]) == 2


def test_the_list_is_narrowed_by_role_state_and_how_a_name_begins(client, colleague, make_member, member):
    root = make_member("admin", member.tenant_id, is_superadmin=True)
    client.post(USERS, json={**NEW, "full_name": "Ana 100% Silva"})
    client.patch(f"{USERS}/{colleague.id}", json={"is_active": False})

    def ids(query):
        return {row["email"] for row in client.get(f"{USERS}?{query}").get_json()["items"]}

    assert ids("role=admin") == {member.email}
    assert ids("role=superadmin") == {root.email}
    assert ids("role=viewer") == set()
    assert ids("is_active=false") == {colleague.email}
    assert colleague.email not in ids("is_active=true")
    assert ids("q=silv") == ids("q=ANA") == ids("q=newuser@") == ids("q=100%25") == {NEW["email"]}
    assert ids("q=ilva") == ids("q=_na") == set()
    assert client.get(f"{USERS}?role=owner").status_code == 422


def test_another_tenants_user_is_not_found_and_stays(client, client_for, other_member):
    for method, body in (("GET", None), ("PATCH", {"role": "viewer"}), ("DELETE", None)):
        assert client.open(f"{USERS}/{other_member.id}", method=method, json=body).status_code == 404
    assert client_for(other_member).get("/api/v1/auth/me").get_json()["role"] == "admin"


@pytest.mark.parametrize("role", ["viewer", "analyst", "manager"])
def test_everyone_may_look_and_only_admins_change(client_for, make_member, member, colleague, role):
    client = client_for(make_member(role, member.tenant_id))
    assert client.get(USERS).status_code == client.get(f"{USERS}/{colleague.id}").status_code == 200
    assert client.post(USERS, json=NEW).status_code == 403
    assert client.patch(f"{USERS}/{colleague.id}", json={"role": "admin"}).status_code == 403
    assert client.delete(f"{USERS}/{colleague.id}").status_code == 403


@pytest.mark.parametrize("field", ["email", "password", "is_superadmin", "tenant_id", "mfa_enabled"])
def test_what_is_not_an_admins_to_change_is_refused_naming_it(client, colleague, field):
    answer = client.patch(f"{USERS}/{colleague.id}", json={"role": "viewer", field: "x"})
    assert (answer.status_code, answer.get_json()["details"]["field"]) == (422, field)
    assert client.get(f"{USERS}/{colleague.id}").get_json()["role"] == "analyst"


@pytest.mark.parametrize("body", [{"role": "superadmin"}, {"role": None}, {"full_name": " "}, {"is_active": None}])
def test_a_change_to_nothing_that_can_be_is_refused(client, colleague, body):
    answer = client.patch(f"{USERS}/{colleague.id}", json=body)
    assert (answer.status_code, answer.get_json()["details"]["field"]) == (422, next(iter(body)))


def test_a_change_is_in_the_audit_log_with_before_and_after(client, colleague):
    client.patch(f"{USERS}/{colleague.id}", json={"role": "manager", "full_name": "Ben"})
    client.patch(f"{USERS}/{colleague.id}", json={"role": "manager"})
    (entry,) = entries(client, "user.updated")
    assert entry["before"] == {"role": "analyst", "full_name": ""}
    assert entry["after"] == {"role": "manager", "full_name": "Ben"}
    client.post(f"/admin/users/{colleague.id}/make-admin")
    client.post(f"/admin/users/{colleague.id}/revoke-admin")
    assert [row["after"] for row in entries(client, "user.updated")][:2] == [{"role": "analyst"}, {"role": "admin"}]


@pytest.mark.parametrize("change", [{"role": "viewer"}, {"is_active": False}, None])
def test_the_last_admin_stays(client, client_for, make_member, member, colleague, change):
    """Even for an admin who is a key, and who is nobody's self."""
    key = client.post("/api/v1/api-keys", json={"name": "Robot", "scopes": ["admin"]}).get_json()["key"]
    robot = {"headers": {"Authorization": f"Bearer {key}"}}
    method = "PATCH" if change else "DELETE"
    address = f"{USERS}/{member.id}"
    answer = client.application.test_client().open(address, method=method, json=change, **robot)
    assert (answer.status_code, answer.get_json()["code"]) == (409, "CONFLICT")
    assert "last admin" in answer.get_json()["error"]
    assert client.get("/api/v1/auth/me").get_json()["role"] == "admin"


def test_an_admin_who_cannot_sign_in_does_not_count(client, make_member, member):
    second = make_member("admin", member.tenant_id)
    assert client.patch(f"{USERS}/{second.id}", json={"is_active": False}).status_code == 200
    assert client.patch(f"{USERS}/{member.id}", json={"role": "viewer"}).status_code == 409


def test_nobody_deactivates_or_deletes_themselves(client, make_member, member):
    make_member("admin", member.tenant_id)
    assert client.patch(f"{USERS}/{member.id}", json={"is_active": False}).status_code == 409
    assert client.delete(f"{USERS}/{member.id}").status_code == 409
    assert client.patch(f"{USERS}/{member.id}", json={"role": "manager"}).status_code == 200


@pytest.mark.parametrize("act", [{"method": "PATCH", "json": {"role": "viewer"}}, {"method": "DELETE"}])
def test_two_admins_at_a_time_cannot_remove_each_other(client_for, make_member, member, act):
    for _ in range(3):
        second = make_member("admin", member.tenant_id)
        one, two = client_for(member), client_for(second)
        with ThreadPoolExecutor(2) as pool:
            calls = [(one, second.id), (two, member.id)]
            answers = list(pool.map(lambda c, act=act: c[0].open(f"{USERS}/{c[1]}", **act).status_code, calls))
        assert sorted(answers) != [200, 200], answers
        assert 200 in answers
        left = one if one.get("/api/v1/auth/me").status_code == 200 else two
        admins = left.get(f"{USERS}?role=admin&is_active=true").get_json()["items"]
        assert len(admins) == 1
        member = member if admins[0]["id"] == member.id else second


def test_the_platforms_own_account_is_not_a_tenants_to_touch(client, client_for, make_member, member):
    root = make_member("admin", member.tenant_id, is_superadmin=True)
    for method, body in (("PATCH", {"role": "viewer"}), ("PATCH", {"full_name": "X"}), ("DELETE", None)):
        assert client.open(f"{USERS}/{root.id}", method=method, json=body).status_code == 403
    assert client.post(f"/admin/users/{root.id}/revoke-admin").status_code == 403
    second = make_member("viewer", member.tenant_id, is_superadmin=True)
    assert client_for(root).patch(f"{USERS}/{second.id}", json={"role": "analyst"}).status_code == 200


def test_a_key_its_superadmin_made_is_no_superadmin(client_for, make_member, member):
    root = client_for(make_member("admin", member.tenant_id, is_superadmin=True))
    second = make_member("viewer", member.tenant_id, is_superadmin=True)
    key = root.post("/api/v1/api-keys", json={"name": "Robot", "scopes": ["admin"]}).get_json()["key"]
    bearer = {"Authorization": f"Bearer {key}"}
    robot = root.application.test_client()
    assert robot.patch(f"{USERS}/{second.id}", json={"role": "analyst"}, headers=bearer).status_code == 403
    assert robot.get("/api/v1/tenants", headers=bearer).status_code == 403


def test_deactivation_is_of_this_tenant_only(app, client, client_for, colleague, other_member, join):
    join(colleague, other_member.tenant_id, "viewer")
    before = client_for(colleague)
    assert client.patch(f"{USERS}/{colleague.id}", json={"is_active": False}).status_code == 200
    assert before.get("/api/v1/auth/me").status_code == 401
    elsewhere = client_for(colleague).get("/api/v1/auth/me").get_json()
    assert elsewhere["tenant_id"] == other_member.tenant_id
    assert client.patch(f"{USERS}/{colleague.id}", json={"is_active": True}).get_json()["is_active"] is True


def test_the_name_of_someone_with_another_workspace_is_their_own(client, colleague, other_member, join):
    join(colleague, other_member.tenant_id, "viewer")
    assert client.patch(f"{USERS}/{colleague.id}", json={"full_name": "Somebody else"}).status_code == 409
    assert client.patch(f"{USERS}/{colleague.id}", json={"role": "viewer"}).status_code == 200


def test_removing_someone_deletes_their_account_and_their_conversations(app, client, client_for, run_jobs, colleague):
    theirs = client_for(colleague)
    audience = theirs.post("/audience", json={"name": "Kept"}).get_json()["audience_id"]
    run_jobs()
    assert client.delete(f"{USERS}/{colleague.id}").get_json()["success"] is True
    assert theirs.get("/api/v1/auth/me").status_code == 401
    assert client.get(f"{USERS}/{colleague.id}").status_code == 404
    assert client.get(f"/audience/{audience}").status_code == 200
    (entry,) = entries(client, "user.removed")
    assert (entry["before"]["email"], entry["before"]["role"]) == (colleague.email, "analyst")
    refused = app.test_client().post("/login", json={"email": colleague.email, "password": colleague.password})
    assert refused.status_code == 401
    assert client.post(USERS, json={**NEW, "email": colleague.email}).status_code == 201


def test_removing_someone_leaves_their_place_in_another_workspace(client, client_for, colleague, other_member, join):
    join(colleague, other_member.tenant_id, "viewer")
    assert client.delete(f"{USERS}/{colleague.id}").status_code == 200
    assert client_for(colleague).get("/api/v1/auth/me").get_json()["tenant_id"] == other_member.tenant_id


def test_a_full_workspace_refuses_more_and_says_how_full_it_is(client, member, colleague, limit_users):
    limit_users(member.tenant_id, 3)
    assert client.post("/api/v1/invitations", json={"email": "a@example.com", "role": "viewer"}).status_code == 201
    full = client.post(USERS, json=NEW)
    assert (full.status_code, full.get_json()["code"]) == (402, "ENTITLEMENT_EXCEEDED")
    assert full.get_json()["details"] == {"resource": "users", "limit": 3, "current": 3}
    assert client.post("/api/v1/invitations", json={"email": "b@example.com", "role": "viewer"}).status_code == 402
    client.patch(f"{USERS}/{colleague.id}", json={"is_active": False})
    assert client.post(USERS, json=NEW).status_code == 201
    assert client.patch(f"{USERS}/{colleague.id}", json={"is_active": True}).status_code == 402
    assert client.patch(f"{USERS}/{colleague.id}", json={"role": "viewer"}).status_code == 200


def test_several_at_a_time_do_not_outgrow_the_limit(client_for, member, limit_users):
    limit_users(member.tenant_id, 3)
    clients = [client_for(member) for _ in range(5)]
    with ThreadPoolExecutor(5) as pool:
        bodies = [{**NEW, "email": f"new{n}@example.com"} for n in range(5)]
        pairs = zip(clients, bodies, strict=True)
        statuses = sorted(pool.map(lambda pair: pair[0].post(USERS, json=pair[1]).status_code, pairs))
    assert statuses == [201, 201, 402, 402, 402]


def test_asking_with_a_bad_password_does_not_tell_who_has_an_account(client, other_member):
    answers = [
        client.post(USERS, json={"email": email, "full_name": "Pat", "role": "viewer", "password": "a"})
        for email in (other_member.email, "nobody@example.com")
    ]
    assert [answer.status_code for answer in answers] == [422, 422]
    assert answers[0].json == answers[1].json


def test_making_users_is_limited_whatever_comes_of_it(client, other_member, monkeypatch):
    body = {"email": other_member.email, "full_name": "Pat", "role": "viewer", "password": "a good password"}
    monkeypatch.setitem(ratelimit.LIMITS, "user.create", ratelimit.Limit("2/hour", "Too many."))
    assert [client.post(USERS, json=body).status_code for _ in range(3)] == [409, 409, 429]


def test_a_key_does_not_rename_its_maker_who_has_another_workspace(client, anonymous, member, other_member, join):
    key = client.post("/api/v1/api-keys", json={"name": "all", "scopes": ["admin"]}).json["key"]
    join(member, other_member.tenant_id, "viewer")
    bearer = {"Authorization": f"Bearer {key}"}
    assert anonymous.patch(f"{USERS}/{member.id}", json={"full_name": "Eve"}, headers=bearer).status_code == 409
    assert client.patch(f"{USERS}/{member.id}", json={"full_name": "Pat"}).status_code == 200
