"""A workspace that requires two-factor, and an admin who helps someone who lost theirs."""

from __future__ import annotations

import pytest

from tests.accounts.test_mfa import audit_of, sign_in
from tests.support.two_factor import CODE, turn_on

PAGE = {"Accept": "text/html"}


@pytest.fixture
def require_mfa(app):
    def switch(tenant_id: int) -> None:
        from app.accounts.models import Tenant
        from app.core.db import db, unit_of_work

        with app.app_context(), unit_of_work():
            tenant = db.session.get_one(Tenant, tenant_id)
            tenant.requires_mfa, tenant.name = True, "Careful & Co"

    return switch


def test_without_it_nothing_opens_but_the_way_to_turn_it_on(client, member, require_mfa):
    require_mfa(member.tenant_id)
    page = client.get("/app", headers=PAGE)
    assert (page.status_code, page.location) == (303, "/app/settings/security")
    assert client.get("/audience").status_code == 403
    assert client.get("/audience").json["code"] == "mfa_enrolment_required"
    stream = client.get("/stream?channel=audience", headers={"Accept": "text/event-stream"})
    assert stream.status_code == 403
    shown = client.get("/app/settings/security", headers=PAGE)
    assert shown.status_code == 200
    assert "This workspace requires two-factor" in shown.text
    assert "sse-connect" not in shown.text
    turn_on(client)
    assert "sse-connect" in client.get("/app", headers=PAGE).text
    assert client.get("/audience").status_code == 200


def test_signing_out_and_ending_sessions_stay_possible(client, client_for, member, require_mfa):
    require_mfa(member.tenant_id)
    client_for(member)
    assert "Sign out all others" in client.get("/app/settings/security", headers=PAGE).text
    assert client.get("/logout").status_code == 200


def test_the_last_factor_cannot_be_turned_off_there(app, client, member, require_mfa):
    phone = turn_on(client)
    require_mfa(member.tenant_id)
    body = {"password": member.password, "code": phone.code(1)}
    refused = client.post(f"{CODE}/disable", json=body)
    assert (refused.status_code, refused.json["code"]) == (409, "MFA_REQUIRED_BY_WORKSPACE")
    assert refused.json["error"].startswith("Careful & Co requires two-factor")
    assert sign_in(app, member, phone.code(1)).status_code == 200  # the code was not used up


@pytest.fixture
def reset(app):
    """As the team's page does it: one member by their admin."""

    def act(admin, user_id: int) -> None:
        from app.accounts.services import audit, mfa
        from app.core.tenancy import tenant_scope

        with app.app_context(), tenant_scope(admin.tenant_id):
            audit.set_actor(audit.Actor(user_id=admin.id, label=admin.email))
            mfa.reset_for(user_id)

    return act


def test_an_admin_resets_a_lost_second_factor_and_ends_the_sign_ins(app, client_for, make_member, member, reset):
    colleague = make_member("analyst", member.tenant_id)
    theirs = client_for(colleague)
    turn_on(theirs)
    reset(member, colleague.id)
    assert theirs.get("/audience").status_code == 401
    assert sign_in(app, colleague).status_code == 200
    [entry] = audit_of(app, "mfa.reset")
    assert (entry.actor_id, entry.subject_label) == (member.id, colleague.email)


def test_an_admin_resets_nobody_past_their_own_workspace(app, client_for, make_member, member, other_member, reset):
    from app.accounts.models import Membership
    from app.core.db import db, unit_of_work
    from app.core.errors import Conflict, NotFound, PermissionDenied

    guest, root = make_member("analyst", member.tenant_id), make_member("admin", member.tenant_id, is_superadmin=True)
    phones = {who.id: turn_on(client_for(who)) for who in (guest, root, member, other_member)}
    with app.app_context(), unit_of_work():
        db.session.add(Membership(user_id=guest.id, tenant_id=other_member.tenant_id, role="viewer"))
    for target, refusal in (
        (guest, PermissionDenied),
        (root, PermissionDenied),
        (other_member, NotFound),
        (member, Conflict),
    ):
        with pytest.raises(refusal):
            reset(member, target.id)
        assert sign_in(app, target, phones[target.id].code(1)).status_code == 200
