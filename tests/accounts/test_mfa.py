"""Two-factor by the stratum contract: on, off, codes, and who may not."""

from __future__ import annotations

from threading import Barrier, Thread

import pyotp
import pytest

from tests.support.two_factor import CODE, Phone, let_time_pass, start, turn_on


def audit_of(app, action: str) -> list:
    from sqlalchemy import select

    from app.accounts.models import AuditEntry
    from app.core.db import db
    from app.core.tenancy import platform_scope

    with app.app_context(), platform_scope():
        return list(db.session.scalars(select(AuditEntry).where(AuditEntry.action == action)))


def sign_in(app, member, code: str | None = None):
    body = {"email": member.email, "password": member.password} | ({"mfa_code": code} if code else {})
    return app.test_client().post("/login", json=body)


def test_a_secret_is_in_force_only_after_its_first_code(app, client, member):
    answer = client.post(f"{CODE}/enable").json
    assert answer["qr_code_url"].startswith("otpauth://totp/Parley:person1%40example.com?secret=")
    assert f"secret={answer['secret']}" in answer["qr_code_url"]
    assert "issuer=Parley" in answer["qr_code_url"]
    assert answer["qr_svg"].startswith("<svg")
    assert "style=" not in answer["qr_svg"]
    assert len(set(answer["backup_codes"])) == 10
    assert client.get(CODE).json["enabled"] is False
    assert sign_in(app, member).status_code == 200

    code = pyotp.TOTP(answer["secret"]).now()
    verified = client.post(f"{CODE}/verify", json={"code": code}).json
    assert verified == {"success": True, "message": "Two-factor is on.", "mfa_enabled": True}
    status = client.get(CODE).json
    assert (status["enabled"], status["backup_codes_left"], status["passkeys"]) == (True, 10, [])
    assert sign_in(app, member).status_code == 401
    [entry] = audit_of(app, "mfa.enabled")
    assert (entry.actor_id, entry.tenant_id) == (member.id, member.tenant_id)


def test_a_wrong_first_code_leaves_two_factor_off(client):
    phone = start(client)
    wrong = client.post(f"{CODE}/verify", json={"code": f"{(int(phone.code()) + 1) % 10**6:06}"})
    assert (wrong.status_code, wrong.json["code"]) == (422, "VALIDATION_ERROR")
    assert client.get(CODE).json["enabled"] is False


def test_starting_again_replaces_the_secret_and_the_backup_codes(app, client, member):
    first, second = start(client), start(client)
    assert client.post(f"{CODE}/verify", json={"code": first.code()}).status_code == 422
    assert client.post(f"{CODE}/verify", json={"code": second.code()}).status_code == 200
    assert sign_in(app, member, first.backup_codes[0]).status_code == 401
    assert sign_in(app, member, second.backup_codes[0]).status_code == 200


def test_what_is_on_is_not_begun_again_and_what_was_not_begun_is_not_verified(client):
    assert client.post(f"{CODE}/verify", json={"code": "123456"}).status_code == 409
    phone = turn_on(client)
    again = client.post(f"{CODE}/enable")
    assert (again.status_code, again.json["code"]) == (409, "MFA_ALREADY_ENABLED")
    assert client.post(f"{CODE}/verify", json={"code": phone.code(1)}).status_code == 409


def test_secrets_and_backup_codes_cannot_be_read_from_the_database(app, client, member):
    from sqlalchemy import text

    from app.core.db import db

    phone = turn_on(client)
    with app.app_context():
        rows = [
            *db.session.execute(text("SELECT * FROM totp_secrets")),
            *db.session.execute(text("SELECT * FROM backup_codes")),
        ]
        entries = list(db.session.execute(text("SELECT * FROM audit_entries")))
    stored = repr(rows) + repr(entries)
    assert len(rows) == 11
    assert phone.secret not in stored
    assert not [code for code in phone.backup_codes if code in stored or code.replace("-", "") in stored]


def test_a_code_of_the_app_signs_in_once(app, client, member):
    phone = turn_on(client)
    asked = sign_in(app, member)
    assert (asked.status_code, asked.json["code"]) == (401, "mfa_required")
    assert asked.json["details"]["methods"] == ["totp", "backup_code"]
    assert sign_in(app, member, phone.code(1)).status_code == 200
    again = sign_in(app, member, phone.code(1))
    assert (again.status_code, again.json["code"]) == (401, "mfa_invalid")


def test_the_code_that_turned_it_on_does_not_sign_in_and_no_older_one_does(app, client, member):
    phone = turn_on(client)
    assert sign_in(app, member, phone.code()).status_code == 401
    assert sign_in(app, member, phone.code(1)).status_code == 200
    assert sign_in(app, member, phone.code(-1)).status_code == 401


@pytest.mark.parametrize("later", [-3, 3])
def test_a_code_of_another_time_is_refused(app, client, member, later):
    phone = turn_on(client)
    let_time_pass(app, member.id)
    assert sign_in(app, member, phone.code(later)).status_code == 401


@pytest.mark.parametrize("code", ["000000x", "12345", "1234567", "١٢٣٤٥٦", "'; --", "x" * 64, "  ", "-", "🙂"])
def test_what_is_no_code_is_refused(app, client, member, code):
    turn_on(client)
    assert sign_in(app, member, code).status_code == 401


def test_a_code_with_a_space_in_the_middle_is_the_same_code(app, client, member):
    phone = turn_on(client)
    assert sign_in(app, member, f"{phone.code(1)[:3]} {phone.code(1)[3:]}").status_code == 200


def test_a_backup_code_signs_in_once_however_it_is_typed(app, client, member):
    phone = turn_on(client)
    code = phone.backup_codes[3]
    assert sign_in(app, member, f" {code.upper().replace('-', '')} ").status_code == 200
    assert sign_in(app, member, code).status_code == 401
    assert sign_in(app, member, phone.backup_codes[4]).status_code == 200
    assert client.get(CODE).json["backup_codes_left"] == 8
    assert len(audit_of(app, "mfa.backup_code_used")) == 2
    assert [entry.tenant_id for entry in audit_of(app, "mfa.refused")] == [member.tenant_id]


@pytest.mark.parametrize("kind", ["totp", "backup_code"])
def test_of_two_uses_of_one_code_at_once_one_wins(app, client, member, kind):
    phone = turn_on(client)
    code = phone.code(1) if kind == "totp" else phone.backup_codes[0]
    ready, statuses = Barrier(4), []

    def use():
        ready.wait()
        statuses.append(sign_in(app, member, code).status_code)

    threads = [Thread(target=use) for _ in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert sorted(statuses) == [200, 401, 401, 401]


def test_someone_elses_code_does_not_sign_in(app, client, client_for, member, other_member):
    turn_on(client)
    theirs = turn_on(client_for(other_member))
    assert sign_in(app, member, theirs.code(1)).status_code == 401
    assert sign_in(app, member, theirs.backup_codes[0]).status_code == 401
    assert sign_in(app, other_member, theirs.code(1)).status_code == 200


def test_a_right_code_does_not_help_with_a_wrong_password(app, client, member):
    phone = turn_on(client)
    body = {"email": member.email, "password": "not it at all", "mfa_code": phone.code(1)}
    answer = app.test_client().post("/login", json=body)
    assert (answer.status_code, answer.json["code"]) == (401, "invalid_credentials")
    assert sign_in(app, member, phone.code(1)).status_code == 200  # and it was not used up


def test_guessing_codes_is_throttled_even_for_the_right_one(app, client, member):
    phone = turn_on(client)
    statuses = [sign_in(app, member, f"{n:06}").status_code for n in range(9)]
    assert set(statuses[:7]) == {401}
    assert statuses[8] == 429
    refused = sign_in(app, member, phone.code(1))
    assert refused.status_code == 429
    assert int(refused.headers["Retry-After"]) > 0


def test_without_the_store_no_code_is_taken(client, member, store):
    phone = turn_on(client)
    body = {"password": member.password, "code": phone.code(1)}
    store.stop()
    try:
        answer = client.post(f"{CODE}/disable", json=body)
    finally:
        store.start()
    assert (answer.status_code, answer.json["code"]) == (503, "UNAVAILABLE")
    assert client.post(f"{CODE}/disable", json=body).status_code == 200  # the code was not used up


def test_turning_it_off_needs_the_password_and_a_code(app, client, member):
    phone = turn_on(client)
    no_password = client.post(f"{CODE}/disable", json={"password": "no", "code": phone.code(1)})
    assert (no_password.status_code, no_password.json["details"]["field"]) == (422, "password")
    no_code = client.post(f"{CODE}/disable", json={"password": member.password, "code": "000000"})
    assert (no_code.status_code, no_code.json["details"]["field"]) == (422, "code")
    assert sign_in(app, member).status_code == 401

    off = client.post(f"{CODE}/disable", json={"password": member.password, "code": phone.code(1)})
    assert (off.status_code, off.json["mfa_enabled"]) == (200, False)
    assert sign_in(app, member).status_code == 200
    assert client.get(CODE).json == {
        "enabled": False, "confirmed_at": None, "backup_codes_left": 0, "passkeys": [], "is_required": False,
    }  # fmt: skip
    assert len(audit_of(app, "mfa.disabled")) == 1
    again = client.post(f"{CODE}/disable", json={"password": member.password, "code": "000000"})
    assert (again.status_code, again.json["code"]) == (409, "MFA_NOT_ENABLED")


def test_new_backup_codes_need_a_code_and_end_the_old_ones(app, client, member):
    assert client.post(f"{CODE}/backup-codes", json={"code": "123456"}).status_code == 409
    phone = turn_on(client)
    assert client.post(f"{CODE}/backup-codes", json={"code": "000000"}).status_code == 422
    fresh = client.post(f"{CODE}/backup-codes", json={"code": phone.backup_codes[0]}).json["backup_codes"]
    assert not set(fresh) & set(phone.backup_codes)
    assert sign_in(app, member, phone.backup_codes[1]).status_code == 401
    assert sign_in(app, member, fresh[1]).status_code == 200


@pytest.mark.parametrize(
    ("method", "path"),
    [("GET", ""), ("POST", "/enable"), ("POST", "/verify"), ("POST", "/disable"), ("POST", "/backup-codes")],
)
def test_two_factor_is_for_people_and_not_for_keys(app, anonymous, in_tenant, member, method, path):
    from app.accounts.services import api_keys
    from app.core.db import unit_of_work

    with in_tenant(member.tenant_id), unit_of_work():
        _key, text = api_keys.create("Machine", ["read", "write", "admin"], created_by=member.id, expires_at=None)
    answer = anonymous.open(CODE + path, method=method, json={}, headers={"Authorization": f"Bearer {text}"})
    assert (answer.status_code, answer.json["code"]) == (403, "PERSON_NEEDED")
    assert anonymous.open(CODE + path, method=method, json={}).status_code == 401


@pytest.mark.parametrize("body", [{}, {"code": 123456}, {"code": ""}, {"code": "1" * 65}, {"code": None}, []])
def test_a_body_without_a_code_is_refused_by_name(client, body):
    answer = client.post(f"{CODE}/verify", json=body)
    assert (answer.status_code, answer.json["code"]) == (422, "VALIDATION_ERROR")


def test_another_clock_has_other_codes(app, client, member):
    stranger = Phone(pyotp.random_base32(32), [])
    turn_on(client)
    assert sign_in(app, member, stranger.code(1)).status_code == 401


def test_a_right_code_between_them_does_not_allow_more_guesses_of_the_password(client):
    phone = turn_on(client)
    guesses = []
    for number in range(12):
        guesses.append(client.post(f"{CODE}/disable", json={"password": f"guess {number}", "code": "x"}).status_code)
        if number == 5:
            answer = client.post(f"{CODE}/backup-codes", json={"code": phone.backup_codes[0]})
            assert answer.status_code == 200
    assert guesses == [422] * 10 + [429] * 2


def test_whoever_runs_the_installation_helps_someone_who_lost_both(app, client, anonymous, member):
    turn_on(client)
    asked = app.test_cli_runner().invoke(args=["accounts", "reset-second-factor", member.email.upper()])
    assert asked.exit_code == 0, asked.output
    assert client.get("/audience").status_code == 401  # signed out everywhere
    answer = anonymous.post("/login", json={"email": member.email, "password": member.password})
    assert answer.status_code == 200
    entry = anonymous.get("/api/v1/audit?action=mfa.reset").get_json()["items"][0]
    assert (entry["actor"]["label"], entry["credential"]) == ("operator", "command")
    again = app.test_cli_runner().invoke(args=["accounts", "reset-second-factor", member.email])
    assert again.exit_code != 0
