"""Two-factor as a browser's forms use it: the second step of signing in, and the security page."""

from __future__ import annotations

import re
from datetime import timedelta

import pytest

from tests.accounts.test_mfa import audit_of
from tests.accounts.test_pages import post, token_of
from tests.support.two_factor import let_time_pass, turn_on

STEP = "/login/second-step"
SECURITY = "/app/settings/security"
PAGE = {"Accept": "text/html"}


@pytest.fixture
def phone(client):
    return turn_on(client)


def show_password(browser, member, **fields):
    """The first step, through the form; answers where it leads."""
    return post(browser, "/login", "/login", email=member.email, password=member.password, **fields)


def is_in(browser) -> bool:
    return browser.get("/app", headers=PAGE).status_code == 200


def test_after_the_password_the_code_is_asked_for_and_only_then_one_is_in(anonymous, member, phone):
    answer = show_password(anonymous, member, next="/app/audiences?q=x")
    assert (answer.status_code, answer.location) == (303, f"{STEP}?next=/app/audiences?q%3Dx")
    assert not is_in(anonymous)
    page = anonymous.get(answer.location).text
    assert 'autocomplete="one-time-code"' in page
    assert 'inputmode="numeric"' in page
    done = post(anonymous, answer.location, STEP, code=phone.code(1), next="/app/audiences?q=x")
    assert (done.status_code, done.location) == (303, "/app/audiences?q=x")
    assert is_in(anonymous)


def test_the_second_step_never_leads_off_the_site(anonymous, member, phone):
    show_password(anonymous, member, next="//evil.example")
    answer = post(anonymous, STEP, STEP, code=phone.code(1), next="//evil.example")
    assert (answer.status_code, answer.location) == (303, "/app")


def test_a_wrong_code_is_asked_for_again_with_the_reason_beside_it(anonymous, member, phone):
    show_password(anonymous, member)
    answer = post(anonymous, STEP, STEP, code="000000")
    assert answer.status_code == 401
    assert re.search(r'id="field-code-error">.*not right', answer.text, re.DOTALL)
    empty = post(anonymous, STEP, STEP, code="")
    assert "Enter the code." in empty.text
    assert not is_in(anonymous)
    assert post(anonymous, STEP, STEP, code=phone.code(1)).status_code == 303


def test_a_backup_code_is_asked_for_on_request_and_works_once(app, anonymous, member, phone):
    for browser, status in ((anonymous, 303), (app.test_client(), 401)):
        show_password(browser, member)
        assert "Use a backup code" in browser.get(STEP).text
        assert "Backup code" in browser.get(f"{STEP}?with=backup_code").text
        answer = post(browser, f"{STEP}?with=backup_code", STEP, code=phone.backup_codes[0], **{"with": "backup_code"})
        assert answer.status_code == status


def test_the_second_step_without_the_first_leads_back_to_it(anonymous, member, phone):
    assert anonymous.get(STEP, headers=PAGE).location == "/login"
    token = token_of(anonymous.get("/login").text)
    answer = anonymous.post(STEP, data={"csrf_token": token, "code": phone.code(1)}, headers=PAGE)
    assert answer.location == "/login"
    assert not is_in(anonymous)


def test_the_step_under_way_ends_after_ten_minutes(anonymous, member, phone):
    show_password(anonymous, member)
    with anonymous.session_transaction() as cookie:
        cookie["second_step"] = cookie["second_step"] | {"at": cookie["second_step"]["at"] - 601}
    assert anonymous.get(STEP, headers=PAGE).location == "/login"
    assert "took too long" in anonymous.get("/login").text
    with anonymous.session_transaction() as cookie:
        assert "second_step" not in cookie


def test_the_step_under_way_ends_when_the_password_changes(anonymous, client, member, phone):
    show_password(anonymous, member)
    changed = post(
        client, "/app/settings/you", "/app/settings/you/password",
        current_password=member.password, new_password="quite another password",
    )  # fmt: skip
    assert changed.status_code == 303
    assert anonymous.get(STEP, headers=PAGE).location == "/login"


def test_a_cookie_of_ones_own_making_is_no_first_step(app, anonymous, member, phone):
    from itsdangerous import URLSafeTimedSerializer

    show_password(anonymous, member)
    name = app.config["SESSION_COOKIE_NAME"]
    real = anonymous.get_cookie(name).value
    forged = URLSafeTimedSerializer("another key").dumps({"second_step": {"user": member.id, "at": 2**31, "mark": ""}})
    for value in (forged, real[:-2] + "xx", real.split(".", 1)[0]):
        anonymous.set_cookie(name, value)
        assert anonymous.get(STEP, headers=PAGE).location == "/login"


def test_the_first_step_forgets_what_the_cookie_carried(anonymous, member, phone):
    with anonymous.session_transaction() as cookie:
        cookie["planted"] = "by someone else"
    show_password(anonymous, member)
    with anonymous.session_transaction() as cookie:
        assert "planted" not in cookie
        assert cookie["second_step"]["user"] == member.id
    post(anonymous, STEP, STEP, code=phone.code(1))
    with anonymous.session_transaction() as cookie:
        assert "second_step" not in cookie


def test_guessing_at_the_second_step_is_throttled(anonymous, member, phone):
    show_password(anonymous, member)
    token = token_of(anonymous.get(STEP).text)
    answers = [anonymous.post(STEP, data={"csrf_token": token, "code": f"{n:06}"}, headers=PAGE) for n in range(9)]
    assert answers[-1].status_code == 429
    assert "Too many codes" in answers[-1].text
    assert answers[-1].headers["Retry-After"]


def test_without_the_store_nobody_passes_the_second_step(anonymous, member, phone, store):
    show_password(anonymous, member)
    token = token_of(anonymous.get(STEP).text)
    store.stop()
    try:
        answer = anonymous.post(STEP, data={"csrf_token": token, "code": phone.code(1)}, headers=PAGE)
    finally:
        store.start()
    assert answer.status_code == 503
    assert not is_in(anonymous)
    assert post(anonymous, STEP, STEP, code=phone.code(1)).status_code == 303  # the code was not used up


def test_the_second_step_without_its_token_is_refused(anonymous, member, phone):
    show_password(anonymous, member)
    assert anonymous.post(STEP, data={"code": phone.code(1)}, headers=PAGE).status_code == 403


def test_a_closed_account_does_not_pass_the_second_step(app, anonymous, member, phone):
    from app.accounts.models import User
    from app.core.db import db, unit_of_work

    show_password(anonymous, member)
    with app.app_context(), unit_of_work():
        db.session.get_one(User, member.id).is_enabled = False
    assert anonymous.get(STEP, headers=PAGE).location == "/login"


def test_the_page_sets_two_factor_up_and_shows_the_codes_once(app, client, member):
    from app.accounts.models import TotpSecret
    from app.core.db import db

    begun = post(client, SECURITY, f"{SECURITY}/app")
    assert (begun.status_code, begun.location) == (303, f"{SECURITY}/app")
    page = client.get(f"{SECURITY}/app").text
    secret = re.search(r'<code id="secret">([A-Z2-7 ]+)</code>', page).group(1).replace(" ", "")
    with app.app_context():
        assert db.session.get_one(TotpSecret, member.id).secret == secret
    assert "<svg" in page
    wrong = post(client, f"{SECURITY}/app", f"{SECURITY}/app/confirm", code="12345")
    assert wrong.status_code == 422
    assert "Check the clock of your phone" in wrong.text

    import pyotp

    done = post(client, f"{SECURITY}/app", f"{SECURITY}/app/confirm", code=pyotp.TOTP(secret).now())
    codes = re.findall(r"<li><code>([a-z0-9]{5}-[a-z0-9]{5})</code></li>", done.text)
    assert len(codes) == 10
    assert done.headers["Cache-Control"] == "no-store"
    after = client.get(SECURITY).text
    assert "10 of 10" in after
    assert not [code for code in codes if code in after]
    assert client.get(f"{SECURITY}/app", headers=PAGE).location == SECURITY
    again = post(client, SECURITY, f"{SECURITY}/app")
    assert again.status_code == 409
    assert "on already" in again.text


def test_the_page_turns_it_off_with_password_and_code_and_says_which_was_wrong(app, client, member, phone):
    off = f"{SECURITY}/app/off"
    wrong = post(client, SECURITY, off, password="no", code=phone.code(1))
    assert wrong.status_code == 422
    assert 'id="field-off_password-error"' in wrong.text
    wrong = post(client, SECURITY, off, password=member.password, code="000000")
    assert 'id="field-off_code-error"' in wrong.text
    assert post(client, SECURITY, off, password=member.password, code=phone.code(1)).status_code == 303
    assert "Set up an app" in client.get(SECURITY).text


def test_the_page_makes_new_codes_for_a_code(app, client, member, phone):
    let_time_pass(app, member.id)
    refused = post(client, SECURITY, f"{SECURITY}/codes", code="nonsense")
    assert 'id="field-renew_code-error"' in refused.text
    shown = post(client, SECURITY, f"{SECURITY}/codes", code=phone.code(1))
    assert len(re.findall(r"<li><code>", shown.text)) == 10
    assert "New backup codes" in shown.text


def test_all_places_are_listed_and_all_but_this_one_can_be_ended(app, client, client_for, member):
    elsewhere = client_for(member)
    shown = client.get(SECURITY).text
    assert "2\N{NO-BREAK SPACE}places" in shown
    assert "this browser" in shown
    assert post(client, SECURITY, f"{SECURITY}/sessions/end-others").status_code == 303
    assert elsewhere.get("/audience").status_code == 401
    assert client.get("/audience").status_code == 200
    [entry] = audit_of(app, "sessions.ended")
    assert entry.after == {"ended": 1}


def test_a_sign_in_with_a_second_factor_is_shown_as_such(app, anonymous, member, phone):
    from app.accounts.services.sessions import list_sessions
    from app.core.clock import utc_now

    show_password(anonymous, member)
    post(anonymous, STEP, STEP, code=phone.code(1))
    with app.app_context():
        shown = [row.mfa_at for row in list_sessions(member.id)]
    assert all(moment and utc_now() - moment < timedelta(minutes=1) for moment in shown)
    assert anonymous.get(SECURITY).text.count("with second factor") == 2
