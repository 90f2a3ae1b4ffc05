"""Sign-in and settings as a browser's forms use them."""

from __future__ import annotations

import re

import pytest


def token_of(page: str) -> str:
    return re.search(r'name="csrf_token" value="([^"]+)"', page).group(1)


def post(client, form_at: str, action: str, **fields):
    page = client.get(form_at).text
    return client.post(action, data={"csrf_token": token_of(page), **fields}, headers={"Accept": "text/html"})


def test_a_form_signs_up_and_lands_at_home(anonymous):
    answer = post(anonymous, "/signup", "/signup", email="new@example.com", password="a good password")
    assert (answer.status_code, answer.location) == (303, "/app")
    assert "Who are you trying to reach?" in anonymous.get("/app").text


def test_a_refused_form_keeps_what_was_typed_but_never_the_password(anonymous):
    answer = post(anonymous, "/signup", "/signup", email="new@example.com", password="short1")
    assert answer.status_code == 422
    assert "new@example.com" in answer.text
    assert "short1" not in answer.text
    assert "at least 8 characters" in answer.text


@pytest.mark.parametrize(
    ("page", "said"),
    [("/login", "Enter a password."), ("/signup", "Enter an e-mail address.")],
)
def test_a_refusal_speaks_to_people_and_leads_to_its_field(anonymous, page, said):
    answer = post(anonymous, page, page, email="x" if page == "/signup" else "ana@example.com", password="")
    assert answer.status_code == 422
    assert re.search(f'<a href="#field-(email|password)">{said}</a>', answer.text)
    assert "String should" not in answer.text
    assert "not a valid email" not in answer.text


@pytest.mark.parametrize(
    "target",
    [
        "//evil.example",
        "https://evil.example",
        "/\\evil.example",
        "\\\\evil.example",
        "/ok\r\nX: y",
        "javascript:alert(1)",
    ],
)
def test_signing_in_never_leads_off_the_site(anonymous, member, target):
    answer = post(anonymous, "/login", "/login", email=member.email, password=member.password, next=target)
    assert (answer.status_code, answer.location) == (303, "/app")


def test_signing_in_leads_to_where_one_wanted_to_go(anonymous, member):
    asked = anonymous.get("/app/audiences?q=x", headers={"Accept": "text/html"})
    assert asked.location == "/login?next=%2Fapp%2Faudiences%3Fq%3Dx"
    answer = post(
        anonymous, "/login", "/login", email=member.email, password=member.password, next="/app/audiences?q=x"
    )
    assert answer.location == "/app/audiences?q=x"


def test_a_form_without_its_token_is_refused(client):
    answer = client.post("/app/settings/you/name", data={"name": "Mallory"})
    assert answer.status_code == 403
    assert "out of date" in answer.text


def test_a_name_is_changed_and_an_empty_one_refused(client):
    assert post(client, "/app/settings/you", "/app/settings/you/name", name="Ana Silva").status_code == 303
    assert "Ana Silva" in client.get("/app/settings/you").text
    assert post(client, "/app/settings/you", "/app/settings/you/name", name="  ").status_code == 422


@pytest.mark.parametrize(
    ("form", "fields", "said"),
    [
        ("name", {"name": " "}, '<a href="#field-name">Enter a name.</a>'),
        (
            "password",
            {"current_password": "no", "new_password": "another password"},
            '<a href="#field-current_password">That is not your current password.</a>',
        ),
    ],
)
def test_what_was_wrong_is_summed_up_once_above_its_own_form(client, form, fields, said):
    answer = post(client, "/app/settings/you", f"/app/settings/you/{form}", **fields)
    assert (answer.status_code, answer.text.count(said)) == (422, 1)
    summary, field = answer.text.index(said), answer.text.index(f'id="field-{next(iter(fields))}"')
    assert answer.text.index(f'action="/app/settings/you/{form}"') < summary < field


def test_a_new_password_needs_the_old_one_and_ends_other_sign_ins(client, client_for, member):
    elsewhere = client_for(member)
    change = "/app/settings/you/password"
    wrong = post(client, "/app/settings/you", change, current_password="no", new_password="another password")
    assert wrong.status_code == 422
    right = post(client, "/app/settings/you", change, current_password=member.password, new_password="another password")
    assert right.status_code == 303
    assert client.get("/app").status_code == 200
    assert elsewhere.get("/audience").status_code == 401


def test_one_sign_in_can_be_ended_but_not_somebody_elses(client, client_for, member, other_member, app):
    from app.accounts.services.sessions import list_sessions

    elsewhere, stranger = client_for(member), client_for(other_member)
    with app.app_context():
        ours = [row.id for row in list_sessions(member.id)]
        theirs = list_sessions(other_member.id)[0].id
    assert post(client, "/app/settings/security", f"/app/settings/security/sessions/{theirs}/end").status_code == 404
    assert post(client, "/app/settings/security", f"/app/settings/security/sessions/{max(ours)}/end").status_code == 303
    assert {c.get("/audience").status_code for c in (client, elsewhere)} == {200, 401}
    assert stranger.get("/audience").status_code == 200


def test_signing_up_begins_the_audit_log_of_the_new_workspace(anonymous):
    post(anonymous, "/signup", "/signup", email="new@example.com", password="a good password", workspace="Lantern")
    log = anonymous.get("/api/v1/audit?action=tenant.created").get_json()
    entry = log["items"][0]
    assert (log["total"], entry["subject"]["label"], entry["actor"]["label"]) == (1, "Lantern", "new@example.com")


def test_a_request_under_way_cannot_undo_a_sign_in_by_a_late_cookie(anonymous, client):
    """A browser keeps the cookie it heard last: what does not sign in or out says none."""
    anonymous.get("/signup")
    for _ in range(2):
        asked = anonymous.post("/password/strength", json={"password": "a good password"})
        assert asked.status_code == 200
        assert "Set-Cookie" not in asked.headers
    client.get("/app")
    assert "Set-Cookie" not in client.get("/app").headers
    assert "Set-Cookie" not in client.get("/audience").headers
