"""Links for a new password that an admin, or whoever runs the installation, hands on."""

from __future__ import annotations

import pytest

from app.core.errors import AppError, Conflict, NotFound, PermissionDenied
from tests.accounts.test_password_policy import entries
from tests.accounts.test_password_reset import disable, join, set_password, signs_in


@pytest.fixture
def make_link(in_tenant):
    """What an admin of the tenant gets for this user."""

    def make(tenant_id: int, user_id: int) -> str:
        from app.accounts.services import password_reset
        from app.core.db import unit_of_work

        with in_tenant(tenant_id), unit_of_work():
            return password_reset.reset_link_for(user_id)

    return make


@pytest.fixture
def colleague(make_member, member):
    return make_member("analyst", member.tenant_id)


def token(link: str) -> str:
    return link.rpartition("/")[2]


def test_an_admins_link_sets_a_members_password_and_is_audited(anonymous, member, colleague, make_link, in_tenant):
    link = make_link(member.tenant_id, colleague.id)
    made = next(row for row in entries(in_tenant, member.tenant_id) if row.action == "password.reset_link_made")
    assert (made.subject_id, made.after) == (str(colleague.id), None)
    assert set_password(anonymous, token(link)).status_code == 200
    assert signs_in(anonymous, colleague, "four quiet winter boats")


def test_an_admin_makes_no_link_for_somebody_of_another_tenant(member, other_member, make_link):
    with pytest.raises(NotFound):
        make_link(member.tenant_id, other_member.id)


def test_an_admin_makes_no_link_to_an_account_that_opens_another_tenant(
    app, member, other_member, colleague, make_link
):
    join(app, colleague.id, other_member.tenant_id)
    with pytest.raises(PermissionDenied, match="another workspace"):
        make_link(member.tenant_id, colleague.id)


def test_an_admin_makes_no_link_to_the_platforms_own_account(member, make_member, make_link):
    superadmin = make_member("analyst", member.tenant_id, is_superadmin=True)
    with pytest.raises(PermissionDenied):
        make_link(member.tenant_id, superadmin.id)


def test_no_link_is_made_for_a_deactivated_account(app, member, colleague, make_link):
    disable(app, colleague.id)
    with pytest.raises(Conflict):
        make_link(member.tenant_id, colleague.id)


def test_an_admins_link_is_void_once_the_person_joined_another_tenant(
    app, anonymous, member, other_member, colleague, make_link
):
    link = make_link(member.tenant_id, colleague.id)
    join(app, colleague.id, other_member.tenant_id)
    assert set_password(anonymous, token(link)).status_code == 400


def test_a_refused_link_leaves_nothing_in_the_audit_log(app, member, other_member, colleague, make_link, in_tenant):
    join(app, colleague.id, other_member.tenant_id)
    with pytest.raises(AppError):
        make_link(member.tenant_id, colleague.id)
    assert "password.reset_link_made" not in {row.action for row in entries(in_tenant, member.tenant_id)}


def test_whoever_runs_the_installation_makes_a_link_for_the_only_admin(app, anonymous, member, in_tenant):
    result = app.test_cli_runner().invoke(args=["accounts", "reset-link", member.email.upper()])
    assert result.exit_code == 0, result.output
    assert set_password(anonymous, token(result.output.strip())).status_code == 200
    made = next(row for row in entries(in_tenant, member.tenant_id) if row.action == "password.reset_link_made")
    assert (made.actor_label, made.credential) == ("operator", "command")


def test_the_command_refuses_an_unknown_address(app):
    result = app.test_cli_runner().invoke(args=["accounts", "reset-link", "nobody@example.com"])
    assert result.exit_code != 0
