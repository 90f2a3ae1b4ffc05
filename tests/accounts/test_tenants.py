"""Tenants, through the stratum contract."""

from __future__ import annotations

from urllib.parse import urlsplit

import pytest

TENANTS = "/api/v1/tenants"
NEW = {"name": "Acme Corp", "slug": "acme-corp", "plan": "professional", "max_users": 10, "max_campaigns": 100}


@pytest.fixture
def root(client_for, make_member):
    """A client signed in as the platform's superadmin, of a tenant of their own."""
    return client_for(make_member("admin", is_superadmin=True))


def own(client):
    return client.get("/api/v1/auth/me").get_json()["tenant_id"]


def test_a_superadmin_makes_a_tenant_as_the_contract_shows(root):
    made = root.post(TENANTS, json=NEW)
    assert made.status_code == 201
    body = made.get_json()
    assert {name: body[name] for name in NEW} == NEW
    assert (body["is_active"], body["requires_mfa"], body["timezone"], body["users"]) == (True, False, "UTC", 0)
    assert body["invitation"] is None
    shown = root.get(f"{TENANTS}/{body['id']}").get_json()
    assert shown == {name: value for name, value in body.items() if name != "invitation"}


def test_limits_that_are_absent_are_the_plans_and_null_is_none(root):
    made = [
        root.post(TENANTS, json={"name": "A", "slug": f"a-{n}", **more}).get_json()
        for n, more in enumerate([{}, {"plan": "enterprise"}, {"plan": "professional", "max_users": None}])
    ]
    assert [(t["plan"], t["max_users"], t["max_campaigns"]) for t in made] == [
        ("starter", 10, 100),
        ("enterprise", None, None),
        ("professional", None, 1000),
    ]


def test_the_first_admin_is_invited_and_joins(app, root):
    invitation = root.post(TENANTS, json={**NEW, "admin_email": "boss@example.com"}).get_json()["invitation"]
    assert (invitation["email"], invitation["role"]) == ("boss@example.com", "admin")
    assert app.test_client().get(urlsplit(invitation["url"]).path).status_code == 200


@pytest.mark.parametrize(
    ("field", "value"),
    [("slug", "Acme Corp"), ("slug", "-acme"), ("slug", ""), ("plan", "gold"), ("max_users", 0), ("max_users", "many"),
     ("name", " "), ("admin_email", "nobody"), ("owner", 1)],
)  # fmt: skip
def test_a_tenant_that_cannot_be_is_refused_naming_the_field(root, field, value):
    answer = root.post(TENANTS, json={**NEW, field: value})
    assert (answer.status_code, answer.get_json()["details"]["field"]) == (422, field)
    assert root.get(TENANTS).get_json()["total"] == 1


def test_a_slug_is_taken_once(root):
    first = root.post(TENANTS, json=NEW).get_json()
    assert root.post(TENANTS, json=NEW).status_code == 409
    other = root.post(TENANTS, json={**NEW, "slug": "acme-2"}).get_json()
    assert root.patch(f"{TENANTS}/{other['id']}", json={"slug": "acme-corp"}).status_code == 409
    assert root.patch(f"{TENANTS}/{first['id']}", json={"slug": "acme-corp"}).status_code == 200


def test_the_list_is_paged_and_searched(root, member):
    for n in range(3):
        root.post(TENANTS, json={**NEW, "name": f"Oat {n}", "slug": f"oat-{n}"})
    page = root.get(f"{TENANTS}?q=oat&limit=2").get_json()
    assert (page["total"], page["pages"], [row["name"] for row in page["items"]]) == (3, 2, ["Oat 0", "Oat 1"])
    assert root.get(f"{TENANTS}?q=%25").get_json()["total"] == 0


@pytest.mark.parametrize("role", ["viewer", "analyst", "manager", "admin"])
def test_only_a_superadmin_lists_and_makes_tenants(client_for, make_member, role):
    client = client_for(make_member(role))
    assert client.get(TENANTS).status_code == 403
    assert client.post(TENANTS, json=NEW).status_code == 403


def test_a_tenant_is_for_its_members_and_for_superadmins(client, client_for, root, make_member, member, other_member):
    viewer = client_for(make_member("viewer", member.tenant_id))
    assert viewer.get(f"{TENANTS}/{member.tenant_id}").get_json()["users"] == 2
    assert viewer.patch(f"{TENANTS}/{member.tenant_id}", json={"name": "X"}).status_code == 403
    assert root.get(f"{TENANTS}/{member.tenant_id}").status_code == 200
    assert client.get(f"{TENANTS}/{other_member.tenant_id}").status_code == 404
    assert client.patch(f"{TENANTS}/{other_member.tenant_id}", json={"name": "X"}).status_code == 404


def test_an_admin_changes_what_is_the_workspaces_own(client, member):
    address = f"{TENANTS}/{member.tenant_id}"
    changed = client.patch(address, json={"name": "Orchard", "timezone": "Europe/Lisbon"}).get_json()
    assert (changed["name"], changed["timezone"]) == ("Orchard", "Europe/Lisbon")
    entry = client.get("/api/v1/audit?action=tenant.updated").get_json()["items"][0]
    assert entry["after"] == {"name": "Orchard", "timezone": "Europe/Lisbon"}
    assert entry["before"]["timezone"] == "UTC"


@pytest.mark.parametrize("name", ["Mars/Olympus", "", "../etc/passwd", "UTC+1", "localtime"])
def test_a_time_zone_is_one_there_is(client, member, name):
    answer = client.patch(f"{TENANTS}/{member.tenant_id}", json={"timezone": name})
    assert (answer.status_code, answer.get_json()["details"]["field"]) == (422, "timezone")


@pytest.mark.parametrize(
    "change", [{"plan": "enterprise"}, {"max_users": None}, {"max_campaigns": 5}, {"slug": "x"}, {"is_active": False}]
)
def test_plan_limits_and_address_are_the_platforms(client, root, member, change):
    address = f"{TENANTS}/{member.tenant_id}"
    before = client.get(address).get_json()
    assert client.patch(address, json={**change, "name": "X"}).status_code == 403
    assert client.get(address).get_json() == before
    assert root.patch(address, json=change).status_code == 200
    assert root.get(address).get_json() == before | change


@pytest.mark.parametrize("body", [{"name": None}, {"requires_mfa": None}, {"users": 3}, {"name": ""}])
def test_a_change_to_nothing_that_can_be_is_refused(client, member, body):
    answer = client.patch(f"{TENANTS}/{member.tenant_id}", json=body)
    assert (answer.status_code, answer.get_json()["details"]["field"]) == (422, next(iter(body)))


def test_two_factor_is_required_only_by_someone_who_has_it(app, client, member):
    from app.accounts.models import User
    from app.core.db import db, unit_of_work

    address = f"{TENANTS}/{member.tenant_id}"
    assert client.patch(address, json={"requires_mfa": True}).status_code == 409
    key = client.post("/api/v1/api-keys", json={"name": "Robot", "scopes": ["admin"]}).get_json()["key"]
    with app.app_context(), unit_of_work():
        db.session.get(User, member.id).has_mfa = True
    bearer = {"Authorization": f"Bearer {key}"}
    assert app.test_client().patch(address, json={"requires_mfa": True}, headers=bearer).status_code == 409
    assert client.patch(address, json={"requires_mfa": True}).get_json()["requires_mfa"] is True


def test_a_closed_tenant_lets_nobody_in(app, client, root, member):
    assert root.patch(f"{TENANTS}/{member.tenant_id}", json={"is_active": False}).status_code == 200
    assert client.get("/api/v1/auth/me").status_code == 401
    body = {"email": member.email, "password": member.password}
    assert app.test_client().post("/api/v1/auth/login", json=body).status_code == 401
    assert root.patch(f"{TENANTS}/{member.tenant_id}", json={"is_active": True}).status_code == 200
    assert client.get("/api/v1/auth/me").status_code == 200


def test_nobody_closes_the_tenant_they_are_in(root):
    assert root.patch(f"{TENANTS}/{own(root)}", json={"is_active": False}).status_code == 409
    assert root.get("/api/v1/auth/me").status_code == 200
