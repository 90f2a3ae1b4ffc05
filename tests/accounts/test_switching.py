"""Going from one workspace to another in a browser."""

from __future__ import annotations

import re

import pytest

HTML = {"Accept": "text/html"}


def token_of(page):
    return re.search(r'name="csrf_token" value="([^"]+)"', page).group(1)


def switch(client, tenant_id, token=None):
    token = token or token_of(client.get("/app").text)
    return client.post("/app/switch", data={"csrf_token": token, "tenant_id": tenant_id}, headers=HTML)


def where(client):
    return client.get("/api/v1/auth/me").get_json()


@pytest.fixture
def guest(join, member, other_member):
    """`member` is a viewer of the other tenant too."""
    join(member, other_member.tenant_id, "viewer")
    return member


def test_the_menu_offers_the_other_workspaces_and_only_those(client, anonymous, client_for, guest, other_member):
    menu = client.get("/app").text
    assert re.findall(r'name="tenant_id" value="(\d+)"', menu) == [str(other_member.tenant_id)]
    assert 'name="tenant_id"' not in client_for(other_member).get("/app").text


def test_switching_moves_this_browser_with_the_role_of_that_workspace(client, client_for, guest, other_member):
    client.post("/audience", json={"name": "Of the first"})
    client_for(other_member).post("/audience", json={"name": "Of the second"})
    elsewhere = client_for(guest)
    moved = switch(client, other_member.tenant_id)
    assert (moved.status_code, moved.location) == (303, "/app")
    assert (where(client)["tenant_id"], where(client)["role"]) == (other_member.tenant_id, "viewer")
    page = client.get("/app/audiences").text
    assert "Of the second" in page
    assert "Of the first" not in page
    assert client.post("/audience", json={"name": "No"}).status_code == 403
    assert where(elsewhere)["tenant_id"] == guest.tenant_id, "only this browser moved"
    assert switch(client, guest.tenant_id).status_code == 303
    assert where(client)["role"] == "admin"


def test_a_form_left_open_for_the_former_workspace_is_out_of_date(client, guest, other_member):
    old = token_of(client.get("/app/settings/workspace").text)
    switch(client, other_member.tenant_id)
    switch(client, guest.tenant_id)
    stale = client.post("/app/settings/workspace", data={"csrf_token": old, "name": "Wrong one"}, headers=HTML)
    assert (stale.status_code, "out of date" in stale.text) == (403, True)


@pytest.mark.parametrize("change", [None, "inactive", "closed"])
def test_a_workspace_that_is_not_open_to_one_is_not_found(client, app, join, member, other_member, change):
    from app.accounts.models import Membership, Tenant
    from app.core.db import db, unit_of_work

    if change:
        join(member, other_member.tenant_id, "viewer")
        with app.app_context(), unit_of_work():
            place = db.session.query(Membership).filter_by(user_id=member.id, tenant_id=other_member.tenant_id).one()
            place.is_active = change != "inactive"
            db.session.get(Tenant, other_member.tenant_id).is_active = change != "closed"
    assert switch(client, other_member.tenant_id).status_code == 404
    assert where(client)["tenant_id"] == member.tenant_id


@pytest.mark.parametrize("text", ["", "x", "-1", "9" * 30, "²"])
def test_what_is_no_workspace_is_not_found(client, text):
    assert switch(client, text).status_code == 404


def test_switching_is_in_the_audit_log_of_where_one_came_to(client, client_for, guest, other_member):
    switch(client, other_member.tenant_id)
    rows = client_for(other_member).get("/api/v1/audit?action=session.moved").get_json()["items"]
    assert [row["after"] for row in rows] == [{"tenant_id": other_member.tenant_id}]


def test_who_must_have_two_factor_there_may_still_leave_again(app, client, guest, other_member):
    from app.accounts.models import Tenant
    from app.core.db import db, unit_of_work

    with app.app_context(), unit_of_work():
        db.session.get(Tenant, other_member.tenant_id).requires_mfa = True
    switch(client, other_member.tenant_id)
    asked = client.get("/app", headers=HTML)
    assert (asked.status_code, "/app/settings/security" in asked.location) == (303, True)
    page = client.get("/app/settings/security").text
    assert switch(client, guest.tenant_id, token_of(page)).status_code == 303
    assert client.get("/app", headers=HTML).status_code == 200
