"""Invitations to join a tenant: a signed link that works once, for a week, until it is revoked."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import timedelta
from typing import Any

from sqlalchemy import select

from app.accounts.models import Invitation, Membership, Role, Tenant, User
from app.accounts.queries import open_invitation
from app.accounts.services import audit, limits, mails, users
from app.accounts.services.mails import Mail
from app.accounts.services.sessions import Caller
from app.accounts.services.signup import normal_email
from app.core import signing
from app.core.activity import record_activity
from app.core.clock import iso, utc_now
from app.core.db import db, get_required
from app.core.errors import Conflict, NotFound, PermissionDenied
from app.core.links import absolute
from app.core.tenancy import current_tenant_id, platform_scope, tenant_scope

LIFETIME = timedelta(days=7)
PURPOSE = "invitation"
MAIL = "invitation"


@dataclass(frozen=True)
class Offer:
    """What a link leads to; `problem` says why it can no longer be accepted."""

    invitation: Invitation
    tenant: Tenant
    inviter: str
    problem: str = ""


def invite(email: str, role: str, by: Caller) -> Invitation:
    """Offer a place in the acting tenant; refused past `max_users`, to a member and while another offer is open."""
    limits.require_room(current_tenant_id(), "users")
    email = normal_email(email)
    _refuse_known(email)
    invitation = Invitation(
        email=email, role=str(role), invited_by=by.user.id if by.user else None, expires_at=utc_now() + LIFETIME
    )  # fmt: skip
    db.session.add(invitation)
    db.session.flush()
    audit.record("invitation.created", invitation, after={"email": email, "role": str(role)})
    mails.post(MAIL, invitation.id)
    return invitation


def invite_first_admin(tenant: Tenant, email: str, by: Caller) -> Invitation:
    """Offer the admin's place in a tenant the platform just made."""
    with tenant_scope(tenant.id):
        invitation = invite(email, Role.ADMIN, by)
        db.session.flush()
    return invitation


def _refuse_known(email: str) -> None:
    member = (
        select(Membership.is_active)
        .join(User, User.id == Membership.user_id)
        .where(User.email == email, Membership.tenant_id == current_tenant_id())
    )
    is_active = db.session.scalar(member)
    if is_active is not None:
        text = (
            "They are in the team already." if is_active else "They are in the team, deactivated: activate them again."
        )
        raise Conflict(text, field="email")
    if db.session.scalar(select(Invitation.id).where(Invitation.email == email, *open_invitation()).limit(1)):
        raise Conflict(
            "There is an open invitation for this address. Send it again, or revoke it first.", field="email"
        )


def link(invitation: Invitation) -> str:
    """The address that accepts the invitation: whoever has it can join."""
    return absolute(f"/invitations/{signing.sign(PURPOSE, invitation.id)}")


def shown(invitation: Invitation) -> dict[str, Any]:
    """As the API shows it."""
    return {
        "id": invitation.id,
        "email": invitation.email,
        "role": invitation.role,
        "expires_at": iso(invitation.expires_at),
        "url": link(invitation),
    }


def revoke(invitation_id: int) -> Invitation:
    """Withdraw the offer; one that was accepted is refused, one that ended stays ended."""
    invitation = get_required(Invitation, invitation_id, for_update=True)
    if invitation.accepted_at is not None:
        raise Conflict("This invitation was accepted. Remove the person instead.")
    if invitation.revoked_at is None:
        invitation.revoked_at = utc_now()
        audit.record("invitation.revoked", invitation)
    return invitation


def renew(invitation_id: int) -> Invitation:
    """A week more for an open or expired offer; an accepted or revoked one is refused."""
    limits.lock_tenant(current_tenant_id())
    invitation = get_required(Invitation, invitation_id, for_update=True)
    if invitation.accepted_at or invitation.revoked_at:
        raise Conflict("This invitation has ended. Make a new one.")
    if invitation.expires_at <= utc_now():
        limits.require_room(invitation.tenant_id, "users")
    invitation.expires_at = utc_now() + LIFETIME
    audit.record("invitation.sent_again", invitation, after={"expires_at": invitation.expires_at})
    mails.post(MAIL, invitation.id)
    return invitation


@mails.kind(MAIL)
def _mail(invitation_id: int) -> Mail | None:
    offer = _find(invitation_id)
    if offer is None or offer.problem:
        return None
    words = {
        "workspace": offer.tenant.name, "role": offer.invitation.role, "inviter": offer.inviter,
        "link": link(offer.invitation), "days": LIFETIME.days,
    }  # fmt: skip
    return Mail(offer.invitation.email, f"Join {offer.tenant.name} on Parley", words)


def read(token: str) -> Offer:
    """What the link offers; a forged or unknown one is not found."""
    invitation_id = signing.unsign(PURPOSE, token, int(LIFETIME.total_seconds()))
    offer = _find(invitation_id) if isinstance(invitation_id, int) else None
    if offer is None:
        raise NotFound("This invitation is not valid. Ask whoever sent it for a new link.")
    return offer


def _find(invitation_id: int) -> Offer | None:
    with platform_scope():  # the link is what says which tenant is acting
        row = db.session.execute(
            select(Invitation, Tenant, User)
            .join(Tenant, Tenant.id == Invitation.tenant_id)
            .outerjoin(User, User.id == Invitation.invited_by)
            .where(Invitation.id == invitation_id)
        ).one_or_none()
    if row is None:
        return None
    return Offer(row[0], row[1], row[2].display_name if row[2] else "", _problem(row[0], row[1]))


def _problem(invitation: Invitation, tenant: Tenant) -> str:
    if invitation.accepted_at is not None:
        return "This invitation was used already. If it was you, sign in."
    if invitation.revoked_at is not None:
        return "This invitation was withdrawn. Ask an admin of the workspace for a new one."
    if invitation.expires_at <= utc_now():
        return "This invitation has expired. Ask an admin of the workspace to send it again."
    return "" if tenant.is_active else "This workspace is closed."


def accept_as_new(token: str, full_name: str, password: str) -> User:
    """Make the account the invitation is for, as a member with its role."""
    offer = read(token)
    with tenant_scope(offer.tenant.id):
        invitation = _use(offer)
        user = users.add_account(invitation.email, full_name, password, about=offer.tenant.name)
        _join(user, invitation)
    return user


def accept_as(token: str, user: User) -> Tenant:
    """Join as the account that is signed in; refused for another address than the invited one."""
    offer = read(token)
    if user.email != offer.invitation.email:
        raise PermissionDenied(f"This invitation is for {offer.invitation.email}.", code="other_address")
    with tenant_scope(offer.tenant.id):
        invitation = _use(offer)
        _join(users.lock_account(user.id), invitation)
    return offer.tenant


def _use(offer: Offer) -> Invitation:
    """Take the one use, locked after the tenant; refused when it has ended or there is no room."""
    tenant = limits.lock_tenant(offer.tenant.id)
    invitation = get_required(Invitation, offer.invitation.id, for_update=True)
    problem = _problem(invitation, tenant)
    if problem:
        raise Conflict(problem)
    invitation.accepted_at = utc_now()
    db.session.flush()
    limits.require_room(tenant.id, "users")
    return invitation


def _join(user: User, invitation: Invitation) -> None:
    membership = select(Membership.is_active).where(
        Membership.user_id == user.id, Membership.tenant_id == invitation.tenant_id
    )
    is_active = db.session.scalar(membership)
    if is_active is not None:
        raise Conflict("You are a member already." if is_active else "An admin has deactivated you in this workspace.")
    users.add_member(user, invitation.role)
    audit.record("invitation.accepted", invitation, after={"role": invitation.role}, user=user)
    role = f"{'an' if invitation.role[0] in 'aeiou' else 'a'} {invitation.role}"
    record_activity("member.joined", f"{user.display_name} joined as {role}", url="/app/settings/team")
    db.session.flush()
