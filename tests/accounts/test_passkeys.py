"""Passkeys: used to sign in and as a second factor, and every way they must not work."""

from __future__ import annotations

import base64
import copy
import json

import pytest

from tests.accounts.test_mfa import audit_of, sign_in
from tests.accounts.test_pages import post, token_of
from tests.support.authenticator import Authenticator
from tests.support.two_factor import CODE

SECURITY = "/app/settings/security"
KEYS = f"{SECURITY}/passkeys"
SIGN_IN = "/login/passkey"
STEP = "/login/second-step"
PAGE = {"Accept": "text/html"}


def add(client, member, device: Authenticator, name: str = "Laptop"):
    asked = client.post(f"{KEYS}/options", json={"password": member.password})
    assert asked.status_code == 200, asked.text
    return post(client, SECURITY, KEYS, name=name, credential=json.dumps(device.create(asked.json)))


@pytest.fixture
def device(client, member):
    """A passkey of `member`."""
    device = Authenticator()
    assert add(client, member, device).status_code == 200
    return device


def ask(browser, at: str = SIGN_IN) -> dict:
    answer = browser.post(f"{at}/options", json={})
    assert answer.status_code == 200, answer.text
    return answer.json


def show(browser, credential: dict, at: str = SIGN_IN, **fields):
    return post(browser, "/login", at, credential=json.dumps(credential), **fields)


def is_in(browser) -> bool:
    return browser.get("/app", headers=PAGE).status_code == 200


def test_the_first_passkey_turns_two_factor_on_and_comes_with_backup_codes(app, client, member):
    shown = add(client, member, Authenticator())
    assert shown.status_code == 200
    assert shown.text.count("<li><code>") == 10
    status = client.get(CODE).json
    assert (status["enabled"], status["backup_codes_left"]) == (True, 10)
    assert [key["name"] for key in status["passkeys"]] == ["Laptop"]
    assert sign_in(app, member).json["details"]["methods"] == ["backup_code", "passkey"]
    second = add(client, member, Authenticator(), name="Phone")
    assert (second.status_code, second.location) == (303, SECURITY)
    assert [entry.subject_label for entry in audit_of(app, "passkey.added")] == ["Laptop", "Phone"]
    assert len(audit_of(app, "mfa.enabled")) == 1


def test_the_browser_is_asked_for_a_key_that_knows_the_person(client, member):
    options = client.post(f"{KEYS}/options", json={"password": member.password}).json
    assert options["rp"] == {"name": "Parley", "id": "localhost"}
    assert options["authenticatorSelection"]["userVerification"] == "required"
    assert options["authenticatorSelection"]["residentKey"] == "required"
    assert member.email not in options["user"]["id"]
    assert len(options["user"]["id"]) == 86  # 64 bytes


def test_a_passkey_signs_in_alone_and_counts_as_both_factors(app, anonymous, member, device):
    options = ask(anonymous)
    assert options["allowCredentials"] == []
    assert options["userVerification"] == "required"
    answer = show(anonymous, device.get(options), next="/app/audiences")
    assert (answer.status_code, answer.location) == (303, "/app/audiences")
    assert is_in(anonymous)
    started = audit_of(app, "session.started")[-1]
    assert started.after == {"kind": "browser", "second_factor": True}


def test_a_passkey_is_the_second_step_after_the_password(anonymous, member, device):
    first = post(anonymous, "/login", "/login", email=member.email, password=member.password)
    assert first.location == STEP
    assert "Use a passkey" in anonymous.get(STEP).text
    options = ask(anonymous, f"{STEP}/passkey")
    assert len(options["allowCredentials"]) == 1
    answer = show(anonymous, device.get(options), f"{STEP}/passkey")
    assert (answer.status_code, answer.location) == (303, "/app")
    assert is_in(anonymous)


def test_someone_elses_passkey_is_no_second_step(anonymous, client_for, member, other_member, device):
    theirs = Authenticator()
    add(client_for(other_member), other_member, theirs)
    post(anonymous, "/login", "/login", email=member.email, password=member.password)
    answer = show(anonymous, theirs.get(ask(anonymous, f"{STEP}/passkey")), f"{STEP}/passkey")
    assert answer.status_code == 401
    assert not is_in(anonymous)


def test_a_challenge_is_good_once(app, anonymous, device):
    credential = device.get(ask(anonymous))
    assert show(anonymous, credential).location == "/app"
    again = app.test_client()
    assert show(again, credential).location == "/login"
    anonymous.get("/logout")
    ask(anonymous)
    assert show(anonymous, credential).location == "/login"
    assert not is_in(anonymous)


def test_a_challenge_of_another_browser_is_refused(app, anonymous, device):
    credential = device.get(ask(app.test_client()))
    ask(anonymous)
    assert show(anonymous, credential).location == "/login"


def test_a_challenge_ends_after_five_minutes(anonymous, device):
    from app.core.redis import get_redis

    credential = device.get(ask(anonymous))
    [key] = get_redis().keys("passkey:*")
    assert 290 < get_redis().ttl(key) <= 300
    get_redis().delete(key)
    assert show(anonymous, credential).location == "/login"
    assert "took too long" in anonymous.get("/login").text


def test_a_challenge_for_adding_does_not_sign_in(client, member, device):
    challenge = client.post(f"{KEYS}/options", json={"password": member.password}).json["challenge"]
    credential = json.dumps(device.get({"challenge": challenge}))
    assert post(client, SECURITY, SIGN_IN, credential=credential).location == "/login"


def tampered(credential: dict, part: str) -> dict:
    """One letter of this part is another."""
    changed = copy.deepcopy(credential)
    text = changed["response"][part]
    changed["response"][part] = text[:-8] + ("A" if text[-8] != "A" else "B") + text[-7:]
    return changed


@pytest.mark.parametrize("part", ["signature", "authenticatorData", "clientDataJSON", "userHandle"])
def test_a_tampered_answer_is_refused(anonymous, device, part):
    assert show(anonymous, tampered(device.get(ask(anonymous)), part)).location == "/login"
    assert not is_in(anonymous)


@pytest.mark.parametrize(
    "lie",
    [
        {"origin": "https://evil.example"},
        {"origin": "http://localhost:9"},
        {"site": "evil.example"},
        {"is_verified": False},
        {"id": b"nobody knows me."},
    ],
)
def test_an_answer_from_elsewhere_or_without_the_person_is_refused(anonymous, device, lie):
    for name, value in lie.items():
        setattr(device, name, value)
    assert show(anonymous, device.get(ask(anonymous))).location == "/login"
    assert not is_in(anonymous)


def test_another_devices_signature_is_refused_and_noted(app, anonymous, member, device):
    device.key = Authenticator().key
    assert show(anonymous, device.get(ask(anonymous))).location == "/login"
    assert [entry.tenant_id for entry in audit_of(app, "passkey.refused")] == [member.tenant_id]


def test_a_device_whose_count_went_back_is_refused_and_noted(app, anonymous, member, device):
    device.count = 10
    assert show(anonymous, device.get(ask(anonymous))).location == "/app"
    device.count = 4
    copy_of_it = app.test_client()
    assert show(copy_of_it, device.get(ask(copy_of_it))).location == "/login"
    assert [entry.tenant_id for entry in audit_of(app, "passkey.count_went_back")] == [member.tenant_id]


def test_a_device_that_does_not_count_goes_on_working(app, device):
    for _ in range(2):
        device.count = -1
        browser = app.test_client()
        assert show(browser, device.get(ask(browser))).location == "/app"


@pytest.mark.parametrize(
    "text",
    ["", "{}", "[]", "null", "x", '{"id": 1}', '{"id": "a", "rawId": "!", "type": "public-key", "response": {}}'],
)
def test_what_is_no_answer_of_a_passkey_is_refused(anonymous, client, member, device, text):
    ask(anonymous)
    assert post(anonymous, "/login", SIGN_IN, credential=text).location == "/login"
    client.post(f"{KEYS}/options", json={"password": member.password})
    assert post(client, SECURITY, KEYS, credential=text, name="x").status_code == 400


def test_a_closed_account_is_not_opened_by_its_passkey(app, anonymous, member, device):
    from app.accounts.models import User
    from app.core.db import db, unit_of_work

    with app.app_context(), unit_of_work():
        db.session.get_one(User, member.id).is_enabled = False
    assert show(anonymous, device.get(ask(anonymous))).location == "/login"


def test_without_the_store_no_passkey_is_used(anonymous, member, device, store):
    credential = device.get(ask(anonymous))
    token = token_of(anonymous.get("/login").text)
    store.stop()
    try:
        assert anonymous.post(f"{SIGN_IN}/options", json={}).status_code == 503
        answer = anonymous.post(SIGN_IN, data={"csrf_token": token, "credential": json.dumps(credential)}, headers=PAGE)
    finally:
        store.start()
    assert answer.location == "/login"
    assert not is_in(anonymous)


@pytest.mark.parametrize(
    ("public_url", "base_url", "said"),
    [
        ("", "http://127.0.0.1:8080", "a name, not to a number"),
        ("", "http://parley.lan:8080", "over https only"),
        ("https://parley.example", "http://localhost:8080", "Passkeys work at https://parley.example."),
    ],
)
def test_where_no_passkey_can_work_the_page_says_why(anonymous, member, settings_override, public_url, base_url, said):
    settings_override(public_url=public_url)
    anonymous.post("/login", json={"email": member.email, "password": member.password}, base_url=base_url)
    refused = anonymous.post(f"{KEYS}/options", json={"password": member.password}, base_url=base_url)
    assert (refused.status_code, refused.json["code"]) == (409, "passkeys_not_here")
    assert said in refused.json["error"]


def test_the_page_at_a_number_leads_to_localhost(app, settings_override):
    browser = app.test_client()
    at = {"base_url": "http://127.0.0.1:8080"}
    browser.post("/signup", json={"email": "ana@example.com", "password": "a good password"}, **at)
    browser.post("/login", json={"email": "ana@example.com", "password": "a good password"}, **at)
    page = browser.get(SECURITY, **at).text
    assert "http://localhost:8080/app/settings/security" in page
    assert "Sign in with a passkey" not in app.test_client().get("/login", **at).text


def test_with_a_public_address_passkeys_are_bound_to_it(anonymous, member, settings_override):
    settings_override(public_url="https://Parley.Example:443/")
    device = Authenticator(origin="https://parley.example", site="parley.example")
    at = {"base_url": "https://parley.example"}
    anonymous.post("/login", json={"email": member.email, "password": member.password}, **at)
    options = anonymous.post(f"{KEYS}/options", json={"password": member.password}, **at).json
    assert options["rp"]["id"] == "parley.example"
    token = token_of(anonymous.get(SECURITY, **at).text)
    fields = {"csrf_token": token, "name": "x", "credential": json.dumps(device.create(options))}
    sent = {"Origin": "https://parley.example", "Referer": f"https://parley.example{SECURITY}"}
    assert anonymous.post(KEYS, data=fields, headers=PAGE | sent, **at).status_code == 200


def test_sign_in_by_passkey_is_throttled_by_address(anonymous):
    statuses = [anonymous.post(f"{SIGN_IN}/options", json={}).status_code for _ in range(41)]
    assert statuses[-1] == 429


@pytest.mark.parametrize("where", ["whole", "client data"])
def test_a_credential_nested_beyond_reading_is_refused_like_any_other(anonymous, where):
    deep, short = "[" * 100_000, "YQ"
    data = base64.urlsafe_b64encode(deep[:20_000].encode()).decode().rstrip("=")
    response = {"clientDataJSON": data, "authenticatorData": short, "signature": short}
    odd = json.dumps({"id": short, "rawId": short, "type": "public-key", "response": response})
    ask(anonymous)
    answer = post(anonymous, "/login", SIGN_IN, credential=deep if where == "whole" else odd)
    assert (answer.status_code, answer.location) == (303, "/login")
