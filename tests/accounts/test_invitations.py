"""Invitations: made over the API and the page, accepted by a link."""

from __future__ import annotations

import re
from concurrent.futures import ThreadPoolExecutor
from datetime import timedelta
from urllib.parse import urlsplit

import pytest

INVITATIONS = "/api/v1/invitations"
GUEST = {"email": "guest@example.com", "role": "analyst"}
HTML = {"Accept": "text/html"}


@pytest.fixture
def invite(client):
    """Invite over the API; answers with the row and the path of its link."""

    def make(**more):
        answer = client.post(INVITATIONS, json={**GUEST, **more})
        assert answer.status_code == 201, answer.text
        return answer.get_json(), urlsplit(answer.get_json()["url"]).path

    return make


def send(client, path, action, **fields):
    token = re.search(r'name="csrf_token" value="([^"]+)"', client.get(path, headers=HTML).text).group(1)
    return client.post(f"{path}/{action}", data={"csrf_token": token, **fields}, headers=HTML)


def join(client, path, name="Ana Silva", password="a good password"):
    return send(client, path, "join", full_name=name, password=password)


def test_an_invitation_is_made_listed_and_has_a_link(client, invite):
    row, path = invite()
    assert list(row) == ["id", "email", "role", "expires_at", "url"]
    assert path.startswith("/invitations/")
    listed = client.get(INVITATIONS).get_json()
    assert (listed["total"], listed["items"][0]["id"], listed["items"][0]["role"]) == (1, row["id"], "analyst")


def test_the_link_never_comes_from_the_host_header(client):
    answer = client.post(INVITATIONS, json=GUEST, headers={"Host": "evil.example"})
    assert "evil.example" not in answer.text


@pytest.mark.parametrize(("field", "value"), [("email", "nobody"), ("role", "superadmin"), ("role", ""), ("extra", 1)])
def test_an_invitation_that_cannot_be_is_refused_naming_the_field(client, field, value):
    answer = client.post(INVITATIONS, json={**GUEST, field: value})
    assert (answer.status_code, answer.get_json()["details"]["field"]) == (422, field)


def test_a_new_person_joins_with_a_name_and_a_password(app, client, invite):
    _row, path = invite()
    guest = app.test_client()
    page = guest.get(path)
    assert "guest@example.com" in page.text
    joined = join(guest, path)
    assert (joined.status_code, joined.location) == (303, "/app")
    me = guest.get("/api/v1/auth/me").get_json()
    assert (me["email"], me["full_name"], me["role"]) == ("guest@example.com", "Ana Silva", "analyst")
    assert me["tenant_id"] == client.get("/api/v1/auth/me").get_json()["tenant_id"]
    assert client.get(INVITATIONS).get_json()["total"] == 0
    actions = {row["action"] for row in client.get("/api/v1/audit?limit=100").get_json()["items"]}
    assert {"invitation.created", "invitation.accepted"} <= actions
    assert "Ana Silva joined" in client.get("/app/activity").text


def test_a_refused_form_keeps_the_name_and_never_the_password(app, invite):
    _row, path = invite()
    answer = join(app.test_client(), path, name="Ana Silva", password="short1")
    assert answer.status_code == 422
    assert "Ana Silva" in answer.text
    assert "short1" not in answer.text
    assert join(app.test_client(), path, name=" ").status_code == 422
    assert join(app.test_client(), path).status_code == 303


def test_a_link_works_once(app, invite):
    _row, path = invite()
    assert join(app.test_client(), path).status_code == 303
    again = app.test_client().get(path)
    assert (again.status_code, "used already" in again.text) == (404, True)


def test_of_several_who_use_a_link_at_the_same_moment_one_joins(app, client, invite):
    _row, path = invite()
    clients = [app.test_client() for _ in range(4)]
    tokens = [re.search(r'name="csrf_token" value="([^"]+)"', c.get(path).text).group(1) for c in clients]

    def go(pair):
        data = {"csrf_token": pair[1], "full_name": "Ana", "password": "a good password"}
        return pair[0].post(f"{path}/join", data=data, headers=HTML).status_code

    with ThreadPoolExecutor(4) as pool:
        statuses = sorted(pool.map(go, zip(clients, tokens, strict=True)))
    assert statuses == [303, 409, 409, 409]
    assert client.get("/api/v1/users").get_json()["total"] == 2


def test_a_revoked_link_leads_nowhere(app, client, invite):
    row, path = invite()
    guest = app.test_client()
    page = guest.get(path).text
    assert client.delete(f"{INVITATIONS}/{row['id']}").get_json()["success"] is True
    token = re.search(r'name="csrf_token" value="([^"]+)"', page).group(1)
    data = {"csrf_token": token, "full_name": "Ana", "password": "a good password"}
    late = guest.post(f"{path}/join", data=data, headers=HTML)
    assert (late.status_code, "withdrawn" in late.text) == (409, True)
    assert guest.get(path).status_code == 404
    assert client.get(INVITATIONS).get_json()["total"] == 0


def test_an_accepted_invitation_cannot_be_revoked(app, client, invite):
    row, path = invite()
    join(app.test_client(), path)
    assert client.delete(f"{INVITATIONS}/{row['id']}").status_code == 409


@pytest.mark.parametrize("change", [lambda p: p[:-2] + "xx", lambda p: p + "x", lambda p: "/invitations/nonsense"])
def test_a_forged_link_leads_nowhere(app, invite, change):
    _row, path = invite()
    answer = app.test_client().get(change(path))
    assert (answer.status_code, "not valid" in answer.text) == (404, True)


def test_an_invitation_expires_and_sending_it_again_gives_a_week_more(app, client, invite, in_tenant, member):
    from app.accounts.models import Invitation
    from app.core.clock import utc_now
    from app.core.db import db, unit_of_work

    row, path = invite()
    with in_tenant(member.tenant_id), unit_of_work():
        db.session.get(Invitation, row["id"]).expires_at = utc_now() - timedelta(seconds=1)
    gone = app.test_client().get(path)
    assert (gone.status_code, "expired" in gone.text) == (404, True)
    assert client.get(INVITATIONS).get_json()["total"] == 0
    page = client.get("/app/settings/team").text
    token = re.search(r'name="csrf_token" value="([^"]+)"', page).group(1)
    again = client.post(f"/app/settings/team/invitations/{row['id']}/resend", data={"csrf_token": token}, headers=HTML)
    assert again.status_code == 303
    assert join(app.test_client(), path).status_code == 303


def test_someone_with_an_account_signs_in_and_comes_back(app, client, invite, other_member):
    _row, path = invite(email=other_member.email, role="manager")
    guest = app.test_client()
    assert f"/login?next={path}".replace("/", "%2F")[-20:] in guest.get(path).text.replace("/", "%2F")
    asked = send(guest, path, "accept")
    assert asked.status_code == 303
    assert asked.location.startswith("/login?next=")
    guest.post("/login", json={"email": other_member.email, "password": other_member.password})
    joined = send(guest, path, "accept")
    assert (joined.status_code, joined.location) == (303, "/app")
    me = guest.get("/api/v1/auth/me").get_json()
    assert (me["role"], me["tenant_id"]) == ("manager", client.get("/api/v1/auth/me").get_json()["tenant_id"])


def test_an_account_of_another_address_is_told_so_and_can_sign_out(client_for, invite, other_member):
    _row, path = invite()
    wrong = client_for(other_member)
    page = wrong.get(path).text
    assert other_member.email in page
    assert "is for" in page
    assert send(wrong, path, "accept").status_code == 403
    left = send(wrong, path, "sign-out")
    assert (left.status_code, left.location) == (303, path)
    assert wrong.get("/api/v1/auth/me").status_code == 401
    assert "Your name" in wrong.get(path).text


def test_the_answers_to_an_invitation_do_not_tell_whether_there_is_an_account(app, client, invite, other_member):
    known, known_path = invite(email=other_member.email)
    fresh, fresh_path = invite(email="fresh@example.com")
    assert set(known) == set(fresh)

    def shown(path, email):
        page = app.test_client().get(path).text
        return re.sub(r'content="[^"]+"|value="[^"]+"|/invitations/[^/"?]+', "", page).replace(email, "EMAIL")

    assert shown(known_path, other_member.email) == shown(fresh_path, "fresh@example.com")


def test_whoever_has_an_account_cannot_make_a_second_one(app, invite, other_member):
    _row, path = invite(email=other_member.email)
    answer = join(app.test_client(), path)
    assert answer.status_code == 409
    assert "sign in" in answer.text.lower()


def test_a_member_and_an_open_invitation_are_not_invited_again(client, invite, make_member, member):
    colleague = make_member("viewer", member.tenant_id)
    assert client.post(INVITATIONS, json={**GUEST, "email": colleague.email}).status_code == 409
    invite()
    assert client.post(INVITATIONS, json={**GUEST, "email": "GUEST@example.com"}).status_code == 409


def test_whoever_was_deactivated_cannot_come_back_by_an_old_link(app, client, client_for, invite, make_member, member):
    colleague = make_member("viewer", member.tenant_id)
    client.patch(f"/api/v1/users/{colleague.id}", json={"is_active": False})
    assert client.post(INVITATIONS, json={**GUEST, "email": colleague.email}).status_code == 409


def test_a_workspace_that_filled_up_lets_nobody_join(app, invite, member):
    from app.accounts.models import Tenant
    from app.core.db import db, unit_of_work

    _row, path = invite()
    with app.app_context(), unit_of_work():
        db.session.get(Tenant, member.tenant_id).max_users = 1
    full = join(app.test_client(), path)
    assert (full.status_code, "room for 1" in full.text) == (402, True)


def test_another_tenants_invitation_is_not_found_and_stays(client_for, invite, other_member, app):
    row, path = invite()
    assert client_for(other_member).delete(f"{INVITATIONS}/{row['id']}").status_code == 404
    assert client_for(other_member).get(INVITATIONS).get_json()["total"] == 0
    assert app.test_client().get(path).status_code == 200


@pytest.mark.parametrize("role", ["viewer", "analyst", "manager"])
def test_links_are_for_admins_to_see(client_for, make_member, member, invite, role):
    row, _path = invite()
    client = client_for(make_member(role, member.tenant_id))
    assert client.get(INVITATIONS).status_code == 403
    assert client.post(INVITATIONS, json=GUEST).status_code == 403
    assert client.delete(f"{INVITATIONS}/{row['id']}").status_code == 403
    page = client.get("/app/settings/team")
    assert page.status_code == 200
    assert "/invitations/" not in page.text


def test_with_a_mail_server_the_link_is_mailed(client, run_jobs, settings_override, monkeypatch):
    from app.core import mail

    sent = []
    settings_override(smtp_host="mail.example.com", smtp_from="Parley <parley@example.com>")
    monkeypatch.setattr(mail.smtplib, "SMTP", lambda *_a, **_k: Recorder(sent))
    url = client.post(INVITATIONS, json=GUEST).get_json()["url"]
    assert run_jobs() == ["accounts.send_mail"]
    (message,) = sent
    assert message["To"] == GUEST["email"]
    assert urlsplit(url).path.split(".")[0] in message.get_body(("plain",)).get_content()
    assert "as an analyst" in message.get_body(("html",)).get_content()


class Recorder:
    """An SMTP server's place in the network."""

    def __init__(self, sent):
        self.sent = sent

    def __enter__(self):
        return self

    def __exit__(self, *_error):
        return None

    def send_message(self, message):
        self.sent.append(message)

    def starttls(self, **_options):
        return None

    def login(self, *_names):
        return None
