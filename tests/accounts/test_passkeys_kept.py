"""One's passkeys: named, removed, and what that means for two-factor."""

from __future__ import annotations

import json
import re

import pytest

from tests.accounts.test_mfa import audit_of, sign_in
from tests.accounts.test_pages import post
from tests.accounts.test_passkeys import KEYS, SECURITY, add, ask, show
from tests.support.authenticator import Authenticator
from tests.support.two_factor import CODE, turn_on


@pytest.fixture
def device(client, member):
    """A passkey of `member`."""
    device = Authenticator()
    assert add(client, member, device).status_code == 200
    return device


def test_adding_and_removing_need_the_password(client, member, device):
    refused = client.post(f"{KEYS}/options", json={"password": "no"})
    assert (refused.status_code, refused.json["error"]) == (422, "password: is not right.")
    [key] = client.get(CODE).json["passkeys"]
    refused = post(client, SECURITY, f"{KEYS}/{key['id']}/remove", password="no")
    assert refused.status_code == 422
    assert "That is not right." in refused.text
    assert post(client, SECURITY, f"{KEYS}/{key['id']}/remove", password=member.password).status_code == 303
    assert client.get(CODE).json["enabled"] is False


def test_a_passkey_is_made_only_of_ones_own_challenge(client, client_for, member, other_member):
    options = client_for(other_member).post(f"{KEYS}/options", json={"password": other_member.password}).json
    client.post(f"{KEYS}/options", json={"password": member.password})
    refused = post(client, SECURITY, KEYS, name="x", credential=json.dumps(Authenticator().create(options)))
    assert refused.status_code == 400
    assert client.get(CODE).json["passkeys"] == []


def test_one_passkey_belongs_to_one_account(client, client_for, other_member, device):
    stranger = client_for(other_member)
    assert add(stranger, other_member, device).status_code == 409


def test_a_passkey_is_renamed_but_never_someone_elses(app, client, client_for, other_member, device):
    [key] = client.get(CODE).json["passkeys"]
    assert post(client, SECURITY, f"{KEYS}/{key['id']}/name", name="  New   name ").status_code == 303
    assert client.get(CODE).json["passkeys"][0]["name"] == "New name"
    assert post(client, SECURITY, f"{KEYS}/{key['id']}/name", name=" ").status_code == 422
    stranger = client_for(other_member)
    assert post(stranger, SECURITY, f"{KEYS}/{key['id']}/name", name="Mine").status_code == 404
    assert post(stranger, SECURITY, f"{KEYS}/{key['id']}/remove", password=other_member.password).status_code == 404
    assert len(audit_of(app, "passkey.renamed")) == 1


def test_a_removed_passkey_opens_nothing_and_codes_go_with_the_last_factor(app, client, anonymous, member, device):
    [key] = client.get(CODE).json["passkeys"]
    credential = device.get(ask(anonymous))
    post(client, SECURITY, f"{KEYS}/{key['id']}/remove", password=member.password)
    assert show(anonymous, credential).location == "/login"
    assert sign_in(app, member).status_code == 200
    assert client.get(CODE).json["backup_codes_left"] == 0
    assert len(audit_of(app, "passkey.removed")) == len(audit_of(app, "mfa.disabled")) == 1


def test_with_a_passkey_left_the_app_can_go_and_the_codes_stay(app, client, member, device):
    phone = turn_on(client)
    off = client.post(f"{CODE}/disable", json={"password": member.password, "code": phone.code(1)})
    assert off.json["mfa_enabled"] is True
    assert client.get(CODE).json["backup_codes_left"] == 10


def test_the_last_passkey_stays_where_two_factor_is_required(app, client, member, device):
    from app.accounts.models import Tenant
    from app.core.db import db, unit_of_work

    with app.app_context(), unit_of_work():
        db.session.get_one(Tenant, member.tenant_id).requires_mfa = True
    [key] = client.get(CODE).json["passkeys"]
    refused = post(client, SECURITY, f"{KEYS}/{key['id']}/remove", password=member.password)
    assert refused.status_code == 409
    assert "requires two-factor" in refused.text
    assert len(client.get(CODE).json["passkeys"]) == 1


def test_beginning_with_an_app_leaves_the_codes_of_a_passkey_as_they_are(app, client, member):
    shown = add(client, member, Authenticator()).text
    code = re.search(r"<li><code>([^<]+)", shown).group(1)
    assert client.post(f"{CODE}/enable").json["backup_codes"] == []
    assert client.get(CODE).json["backup_codes_left"] == 10
    assert sign_in(app, member, code).status_code == 200
