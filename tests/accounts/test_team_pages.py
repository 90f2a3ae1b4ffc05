"""The pages of team, workspace and workspaces, as a browser's forms use them."""

from __future__ import annotations

import re

import pytest

HTML = {"Accept": "text/html"}
TEAM = "/app/settings/team"
WORKSPACE = "/app/settings/workspace"
TENANTS = "/app/settings/tenants"


def post(client, form_at, action, **fields):
    token = re.search(r'name="csrf_token" value="([^"]+)"', client.get(form_at).text).group(1)
    return client.post(action, data={"csrf_token": token, **fields}, headers=HTML)


@pytest.fixture
def colleague(make_member, member):
    return make_member("analyst", member.tenant_id)


@pytest.fixture
def root(client_for, make_member):
    return client_for(make_member("admin", is_superadmin=True))


def row_of(client, who, query=""):
    rows = client.get(f"/api/v1/users?limit=100{query}").get_json()["items"]
    return next((row for row in rows if row["id"] == who.id), None)


def test_inviting_shows_the_link_to_hand_on(client):
    done = post(client, TEAM, f"{TEAM}/invite", email="ana@example.com", role="viewer")
    assert done.status_code == 303
    page = client.get(TEAM).text
    url = client.get("/api/v1/invitations").get_json()["items"][0]["url"]
    assert url.rsplit(".", 2)[0] in page
    assert "ana@example.com is invited. Copy the link" in page


@pytest.mark.parametrize(("fields", "said"), [
    ({"email": "nobody", "role": "viewer"}, "Enter an e-mail address."),
    ({"email": "", "role": "viewer"}, "Enter an e-mail address."),
    ({"email": "ana@example.com", "role": "owner"}, "Choose a role."),
])  # fmt: skip
def test_a_refused_invitation_keeps_what_was_typed(client, fields, said):
    answer = post(client, TEAM, f"{TEAM}/invite", **fields)
    assert answer.status_code == 422
    assert said in answer.text
    assert f'value="{fields["email"]}"' in answer.text


def test_a_member_is_not_invited_again(client, member):
    answer = post(client, TEAM, f"{TEAM}/invite", email=member.email, role="viewer")
    assert answer.status_code == 409
    assert '<a href="#field-email">They are in the team already.</a>' in answer.text


def test_a_role_is_changed_and_the_filters_stay(client, colleague):
    done = post(client, TEAM, f"{TEAM}/{colleague.id}/role?role=analyst&q=person", role="manager")
    assert (done.status_code, done.location) == (303, f"{TEAM}?role=analyst&q=person")
    assert row_of(client, colleague)["role"] == "manager"
    post(client, TEAM, f"{TEAM}/{colleague.id}/role", role="superadmin")
    assert row_of(client, colleague)["role"] == "manager"


def test_the_last_admin_is_told_why_they_stay(client, member):
    refused = post(client, TEAM, f"{TEAM}/{member.id}/role", role="viewer")
    assert refused.status_code == 303
    assert "last admin" in client.get(TEAM).text


def test_someone_is_deactivated_activated_and_removed(client, client_for, colleague):
    theirs = client_for(colleague)
    post(client, TEAM, f"{TEAM}/{colleague.id}/deactivate")
    assert theirs.get("/audience").status_code == 401
    assert row_of(client, colleague)["is_active"] is False
    post(client, TEAM, f"{TEAM}/{colleague.id}/activate")
    assert row_of(client, colleague)["is_active"] is True
    post(client, TEAM, f"{TEAM}/{colleague.id}/remove")
    assert row_of(client, colleague) is None


def test_removing_asks_for_the_address_and_says_what_goes(client, colleague):
    page = client.get(TEAM).text
    assert f'data-confirm-typed="{colleague.email}"' in page
    assert "their conversations are deleted with them" in page


def test_a_password_link_is_shown_once_to_the_admin(client, app, colleague):
    page = post(client, TEAM, f"{TEAM}/{colleague.id}/reset-link")
    path = re.search(r"http://[^/]+(/password/reset/[^<\s]+)", page.text).group(1)
    assert page.status_code == 200
    assert app.test_client().get(path).status_code == 200
    assert "/password/reset/" not in client.get(TEAM).text


@pytest.mark.parametrize("action", ["reset-link", "reset-second-factor"])
def test_nobody_reaches_into_another_workspace(client, colleague, join, other_member, action):
    join(colleague, other_member.tenant_id, "admin")
    refused = post(client, TEAM, f"{TEAM}/{colleague.id}/{action}")
    assert refused.status_code == 303
    assert "/password/reset/" not in client.get(TEAM).text


def test_a_second_factor_is_reset(client, app, colleague):
    from app.accounts.models import User
    from app.core.db import db, unit_of_work

    with app.app_context(), unit_of_work():
        db.session.get(User, colleague.id).has_mfa = True
    post(client, TEAM, f"{TEAM}/{colleague.id}/reset-second-factor")
    assert row_of(client, colleague)["mfa_enabled"] is False


def test_everyone_looks_and_nobody_but_an_admin_finds_a_button(client_for, make_member, member, colleague):
    page = client_for(make_member("manager", member.tenant_id)).get(TEAM).text
    assert colleague.email in page
    assert "What each role may do" in page
    assert f"{TEAM}/" not in page


def test_the_list_is_narrowed_in_the_address(client, colleague, member):
    page = client.get(f"{TEAM}?role=analyst").text
    assert (colleague.email in page, f'"team-mail">{member.email}' in page) == (True, False)
    assert "Nobody fits" in client.get(f"{TEAM}?q=zzz").text
    assert client.get(f"{TEAM}?role=owner&page=x&is_active=perhaps").status_code == 200
    assert "Nobody on this page" in client.get(f"{TEAM}?page=99").text


def test_the_workspace_is_renamed_and_moved_to_another_time_zone(client):
    done = post(client, WORKSPACE, WORKSPACE, name="Orchard", timezone="Europe/Lisbon")
    assert done.status_code == 303
    page = client.get(WORKSPACE).text
    assert "Orchard" in page
    assert '<option value="Europe/Lisbon" selected>' in page


@pytest.mark.parametrize(("fields", "status"), [
    ({"name": "", "timezone": "UTC"}, 422), ({"name": "X", "timezone": "Mars"}, 422),
    ({"name": "X", "timezone": "UTC", "requires_mfa": "on"}, 409),
])  # fmt: skip
def test_a_refused_workspace_is_told_beside_the_field(client, fields, status):
    answer = post(client, WORKSPACE, WORKSPACE, **fields)
    assert answer.status_code == status
    assert "ply-error" in answer.text
    assert client.get("/api/v1/auth/me").get_json()["tenant"]["name"] != "X"


def test_only_a_superadmin_sees_the_workspaces(client, root):
    assert client.get(TENANTS).status_code == 403
    assert TENANTS not in client.get("/app/settings/you").text
    assert TENANTS in root.get("/app/settings/you").text
    assert TENANTS not in client.get("/app/search?q=workspaces").text
    assert TENANTS in root.get("/app/search?q=workspaces").text


def test_a_superadmin_makes_a_workspace_and_hands_on_its_first_invitation(app, root):
    fields = {"name": "Acme", "slug": "acme", "plan": "starter", "max_users": "3", "max_campaigns": ""}
    page = post(root, f"{TENANTS}/new", f"{TENANTS}/new", **fields, admin_email="boss@example.com")
    path = re.search(r"http://[^/]+(/invitations/[^<\s]+)", page.text).group(1)
    assert app.test_client().get(path).status_code == 200
    tenant = next(row for row in root.get("/api/v1/tenants").get_json()["items"] if row["slug"] == "acme")
    assert (tenant["max_users"], tenant["max_campaigns"]) == (3, None)
    again = post(root, f"{TENANTS}/new", f"{TENANTS}/new", **fields)
    assert (again.status_code, "Choose another slug" in again.text) == (409, True)


def test_a_superadmin_changes_a_workspace(root, member):
    address = f"{TENANTS}/{member.tenant_id}"
    fields = {"name": "Acme", "slug": "acme", "plan": "enterprise", "max_users": "", "max_campaigns": "5"}
    assert post(root, address, address, **fields, is_active="on").status_code == 303
    tenant = root.get(f"/api/v1/tenants/{member.tenant_id}").get_json()
    assert {name: tenant[name] for name in ("name", "plan", "max_users", "max_campaigns", "is_active")} == {
        "name": "Acme", "plan": "enterprise", "max_users": None, "max_campaigns": 5, "is_active": True,
    }  # fmt: skip
    assert post(root, address, address, **fields).status_code == 303
    assert root.get(f"/api/v1/tenants/{member.tenant_id}").get_json()["is_active"] is False
    wrong = post(root, address, address, **{**fields, "max_campaigns": "many"})
    assert (wrong.status_code, "Enter a whole number" in wrong.text, 'value="many"' in wrong.text) == (422, True, True)
