"""A forgotten password: the link, who gets one, what it is good for and when it is not any more."""

from __future__ import annotations

import re

import pytest
from itsdangerous import TimestampSigner

from tests.accounts.test_pages import post, token_of
from tests.accounts.test_password_policy import entries

NEW = "four quiet winter boats"
FORGOT, RESET = "/api/v1/auth/forgot-password", "/api/v1/auth/reset-password"


@pytest.fixture
def link_for(anonymous, mail_server, run_jobs):
    """The link that is mailed to an address that asks for one."""

    def ask(email: str) -> str:
        assert anonymous.post(FORGOT, json={"email": email}).status_code == 202
        run_jobs()
        return re.search(r"http\S+/password/reset/\S+", mail_server.mails[-1].get_body(("plain",)).get_content())[0]

    return ask


@pytest.fixture
def token_for(link_for):
    return lambda email: link_for(email).rpartition("/")[2]


def set_password(client, token, password=NEW):
    return client.post(RESET, json={"token": token, "password": password})


def signs_in(client, who, password) -> bool:
    return client.post("/login", json={"email": who.email, "password": password}).status_code == 200


def test_the_mailed_link_sets_a_new_password(app, anonymous, member, token_for, mail_server):
    answer = set_password(anonymous, token_for(member.email))
    assert (answer.status_code, answer.get_json()) == (200, {"message": "The password is changed. Sign in with it."})
    assert anonymous.get("/audience").status_code == 401, "the link itself signs nobody in"
    assert not signs_in(app.test_client(), member, member.password)
    assert signs_in(app.test_client(), member, NEW)
    assert mail_server.mails[-1]["To"] == member.email


def test_a_new_password_ends_every_session_of_the_account(client, client_for, member, anonymous, token_for):
    elsewhere = client_for(member)
    tokens = anonymous.post("/api/v1/auth/login", json={"email": member.email, "password": member.password}).get_json()
    set_password(anonymous, token_for(member.email))
    assert [one.get("/audience").status_code for one in (client, elsewhere)] == [401, 401]
    bearer = {"Authorization": f"Bearer {tokens['access_token']}"}
    assert anonymous.get("/api/v1/auth/me", headers=bearer).status_code == 401
    spent = anonymous.post("/api/v1/auth/refresh", json={"refresh_token": tokens["refresh_token"]})
    assert spent.status_code == 401


def test_a_link_works_once(anonymous, member, token_for):
    token = token_for(member.email)
    assert set_password(anonymous, token).status_code == 200
    again = set_password(anonymous, token, "another password")
    assert (again.status_code, again.get_json()["code"]) == (400, "RESET_LINK_INVALID")


def test_using_one_link_voids_the_others(anonymous, member, token_for):
    first, second = token_for(member.email), token_for(member.email)
    assert set_password(anonymous, second).status_code == 200
    assert set_password(anonymous, first, "another password").status_code == 400


def test_changing_the_password_voids_a_link(client, anonymous, member, token_for):
    token = token_for(member.email)
    change = {"current_password": member.password, "new_password": "another password"}
    assert post(client, "/app/settings/you", "/app/settings/you/password", **change).status_code == 303
    assert set_password(anonymous, token).status_code == 400


@pytest.mark.parametrize(("seconds", "status"), [(3500, 200), (3700, 400)])
def test_a_link_is_good_for_an_hour(anonymous, member, token_for, monkeypatch, seconds, status):
    timestamp = TimestampSigner.get_timestamp
    with monkeypatch.context() as earlier:
        earlier.setattr(TimestampSigner, "get_timestamp", lambda self: timestamp(self) - seconds)
        token = token_for(member.email)
    assert set_password(anonymous, token).status_code == status


def test_a_tampered_token_sets_no_password(anonymous, member, other_member, token_for):
    mine, theirs = token_for(member.email), token_for(other_member.email)
    mixed = theirs.split(".")[0] + "." + ".".join(mine.split(".")[1:])
    for token in (mixed, mine[:-4] + "AAAA", mine + "x", "x", "."):
        assert set_password(anonymous, token).status_code == 400
    assert signs_in(anonymous, other_member, other_member.password)


def test_a_token_made_for_something_else_sets_no_password(app, anonymous, member):
    from app.core import signing

    payload = {"user": member.id, "piece": "", "tenant": None}
    assert set_password(anonymous, signing.sign("invitation", payload)).status_code == 400


def test_a_weak_password_is_refused_and_leaves_the_link_good(anonymous, member, token_for):
    token = token_for(member.email)
    for weak in ("password123", "short", member.email):
        refused = set_password(anonymous, token, weak)
        assert (refused.status_code, refused.get_json()["details"]["field"]) == (422, "password")
    assert set_password(anonymous, token).status_code == 200


def test_a_deactivated_account_gets_no_link_and_an_earlier_one_is_void(
    app, anonymous, member, token_for, mail_server, run_jobs
):
    token = token_for(member.email)
    disable(app, member.id)
    anonymous.post(FORGOT, json={"email": member.email})
    assert run_jobs() == ["accounts.send_mail"]
    assert len(mail_server.mails) == 1
    assert set_password(anonymous, token).status_code == 400


def disable(app, user_id):
    from app.accounts.models import User
    from app.core.db import db, unit_of_work

    with app.app_context(), unit_of_work():
        db.session.get_one(User, user_id).is_enabled = False


@pytest.mark.parametrize("has_mail", [True, False])
def test_asking_for_a_link_does_not_tell_who_has_an_account(
    app, anonymous, member, mail_server, settings_override, has_mail
):
    if not has_mail:
        settings_override(smtp_host="")
    disabled = make_disabled(app)
    answers = [anonymous.post(FORGOT, json={"email": e}) for e in (member.email, "nobody@example.com", "no", disabled)]
    assert {(a.status_code, a.text) for a in answers} == {(202, answers[0].text)}
    assert ("An admin of your workspace can" in answers[0].get_json()["message"]) is not has_mail
    pages = [
        post(anonymous, "/login", "/password/forgot", email=email) for email in (member.email, "nobody@example.com")
    ]
    assert {(p.status_code, p.location) for p in pages} == {(303, "/password/forgot?sent=1")}


def make_disabled(app) -> str:
    from app.accounts.services import signup
    from app.core.db import unit_of_work

    with app.app_context(), unit_of_work():
        signup.sign_up("gone@example.com", "a good password").is_enabled = False
    return "gone@example.com"


def test_a_stranger_costs_as_much_work_as_an_account_and_gets_no_mail(anonymous, member, mail_server, run_jobs):
    anonymous.post(FORGOT, json={"email": "nobody@example.com"})
    assert run_jobs() == ["accounts.send_mail"]
    assert mail_server.mails == []
    anonymous.post(FORGOT, json={"email": member.email})
    assert run_jobs() == ["accounts.send_mail"]
    assert len(mail_server.mails) == 1


def test_the_jobs_row_holds_no_secret_and_belongs_to_no_tenant(app, client, member, mail_server, run_jobs):
    from sqlalchemy import select

    from app.core.db import db
    from app.core.jobs import BackgroundJob

    client.post(FORGOT, json={"email": member.email})
    run_jobs()
    with app.app_context():
        row = db.session.scalars(select(BackgroundJob).where(BackgroundJob.name == "accounts.send_mail")).one()
    assert row.tenant_id is None
    assert row.arguments == {"kind_id": "password_reset", "subject_id": member.id}
    assert mail_server.mails[0]["Message-ID"] == f"<{row.id}@mail.example>"


def test_a_server_that_says_later_gets_the_mail_later(anonymous, member, mail_server, run_jobs):
    mail_server.refusals = ["451 Try later"]
    anonymous.post(FORGOT, json={"email": member.email})
    assert run_jobs() == ["accounts.send_mail"] * 2
    assert len(mail_server.mails) == 1


def test_a_mail_refused_for_good_is_not_sent_again(anonymous, member, mail_server, run_jobs):
    mail_server.refusals = ["554 Never"]
    anonymous.post(FORGOT, json={"email": member.email})
    assert run_jobs() == ["accounts.send_mail"]
    assert mail_server.mails == []


def test_asking_is_throttled_by_account_known_or_not(anonymous, member):
    for email in (member.email, "nobody@example.com"):
        statuses = [anonymous.post(FORGOT, json={"email": email.upper()}).status_code for _ in range(6)]
        assert statuses == [202] * 5 + [429]
        from app.core.redis import get_redis

        get_redis().flushdb()


def test_a_forged_host_does_not_reach_the_mails_link(anonymous, member, mail_server, run_jobs, settings_override):
    settings_override(public_url="https://parley.example.com")
    forged = {"Host": "evil.example", "X-Forwarded-Host": "evil.example", "Forwarded": "host=evil.example"}
    anonymous.post(FORGOT, json={"email": member.email}, headers=forged)
    run_jobs()
    whole = mail_server.mails[0].as_string()
    assert "evil.example" not in whole
    assert "https://parley.example.com/password/reset/" in mail_server.mails[0].get_body(("plain",)).get_content()


def test_a_name_cannot_put_html_into_the_mail(app, anonymous, member, mail_server, link_for):
    from app.accounts.models import User
    from app.core.db import db, unit_of_work

    with app.app_context(), unit_of_work():
        db.session.get_one(User, member.id).name = "<a href=//evil.example>Ana</a>"
    link_for(member.email)
    assert "<a href=//evil" not in mail_server.mails[0].get_body(("html",)).get_content()


def test_looking_at_the_page_does_not_spend_the_link(anonymous, member, link_for):
    path = "/password/reset/" + link_for(member.email).rpartition("/")[2]
    assert [anonymous.get(path).status_code for _ in range(3)] == [200] * 3
    weak = post(anonymous, path, path, password="password123")
    assert (weak.status_code, "too easy to guess" in weak.text) == (422, True)
    done = post(anonymous, path, path, password=NEW)
    assert (done.status_code, done.location) == (303, "/login")
    assert "Your password is changed" in anonymous.get("/login").text
    void = anonymous.get(path)
    assert (void.status_code, "not good any more" in void.text) == (400, True)
    again = anonymous.post(path, data={"csrf_token": token_of(anonymous.get("/login").text), "password": NEW})
    assert (again.status_code, "not good any more" in again.text) == (400, True)


def test_the_links_page_is_told_to_no_other_site_and_kept_by_no_cache(anonymous, member, link_for):
    page = anonymous.get("/password/reset/" + link_for(member.email).rpartition("/")[2])
    assert page.headers["Referrer-Policy"] == "same-origin"
    assert page.headers["Cache-Control"] == "no-store"
    assert set(re.findall(r'(?:src|href)="(?:https?:)?//[^"]*"', page.text)) == set()


def test_the_request_log_does_not_keep_the_token(anonymous, member, token_for, monkeypatch):
    from app.core import requests

    token, lines = token_for(member.email), []
    monkeypatch.setattr(requests.log, "info", lambda event, **facts: lines.append(facts), raising=False)
    anonymous.get(f"/password/reset/{token}")
    assert lines[-1]["path"] == "/password/reset/[hidden]"


def test_without_mail_the_page_says_who_can_help(anonymous):
    page = anonymous.get("/password/forgot").text
    assert "sends no mail" in page
    assert 'name="email"' not in page


def test_an_empty_address_is_refused_on_the_page(anonymous, mail_server):
    answer = post(anonymous, "/password/forgot", "/password/forgot", email="  ")
    assert (answer.status_code, "Enter the e-mail you sign in with." in answer.text) == (422, True)


def test_a_reset_is_in_the_audit_log_of_each_of_the_persons_tenants(
    app, client, member, other_member, in_tenant, anonymous, token_for
):
    join(app, member.id, other_member.tenant_id)
    set_password(anonymous, token_for(member.email))
    for tenant_id in (member.tenant_id, other_member.tenant_id):
        row = next(row for row in entries(in_tenant, tenant_id) if row.action == "password.reset")
        assert (row.actor_id, row.subject_id, row.after) == (member.id, str(member.id), {"ended_sessions": 1})


def join(app, user_id, tenant_id):
    from app.accounts.models import Membership
    from app.core.db import db, unit_of_work

    with app.app_context(), unit_of_work():
        db.session.add(Membership(user_id=user_id, tenant_id=tenant_id, role="viewer", is_active=False))
        db.session.flush()
        db.session.query(Membership).filter_by(user_id=user_id, tenant_id=tenant_id).one().is_active = True


def test_a_reset_opens_the_account_that_was_locked_by_wrong_passwords(app, anonymous, member, token_for):
    for _ in range(8):
        anonymous.post("/login", json={"email": member.email, "password": "a wrong password"})
    assert anonymous.post("/login", json={"email": member.email, "password": member.password}).status_code == 429
    set_password(anonymous, token_for(member.email))
    assert signs_in(app.test_client(), member, NEW)
