"""Which second factors a user has, and whether they may be without one."""

from __future__ import annotations

from sqlalchemy import exists, select

from app.accounts.models import Membership, Passkey, Tenant, User
from app.accounts.services import audit, backup_codes, totp
from app.accounts.services.sessions import find_membership
from app.core.db import db
from app.core.errors import Conflict
from app.core.tenancy import PLATFORM, bound_tenant_id

TOTP, BACKUP_CODE, PASSKEY = "totp", "backup_code", "passkey"


def methods(user_id: int) -> list[str]:
    """What this user can show, in the order it is offered."""
    found = [TOTP] if totp.is_on(user_id) else []
    found += [BACKUP_CODE] if backup_codes.count_left(user_id) else []
    return found + ([PASSKEY] if has_passkey(user_id) else [])


def has_passkey(user_id: int) -> bool:
    return bool(db.session.scalar(select(exists().where(Passkey.user_id == user_id))))


def lock(user: User) -> User:
    """The user's row, held until the unit of work ends: changes of their factors come one after another."""
    return db.session.get_one(User, user.id, with_for_update=True, populate_existing=True)


def settle(user: User) -> None:
    """Set `has_mfa` from what is confirmed; with nothing left the backup codes go too.

    Refused when nothing would be left and a workspace of theirs requires two-factor.
    """
    user.has_mfa = totp.is_on(user.id) or has_passkey(user.id)
    if user.has_mfa:
        return
    refuse_without(user)
    backup_codes.remove(user.id)


def refuse_without(user: User) -> None:
    """Raise Conflict when a workspace of theirs requires two-factor."""
    demanding = required_by(user.id)
    if demanding is not None:
        raise Conflict(
            f"{demanding} requires two-factor. Add another way to show it before you remove the last.",
            code="mfa_required_by_workspace",
        )


def required_by(user_id: int) -> str | None:
    """The name of a workspace of theirs that requires two-factor."""
    return db.session.scalar(
        select(Tenant.name)
        .join(Membership, Membership.tenant_id == Tenant.id)
        .where(Membership.user_id == user_id, Membership.is_active, Tenant.is_active, Tenant.requires_mfa)
        .order_by(Tenant.id)
        .limit(1)
    )


def note(action: str, user: User, after: dict[str, object] | None = None) -> None:
    """Record what they did in the audit log of the acting tenant or, at sign-in, of the one they would come to."""
    tenant_id = bound_tenant_id()
    if tenant_id is None or tenant_id == PLATFORM:
        membership = find_membership(user.id)
        if membership is None:
            return
        tenant_id = membership.tenant_id
    audit.record(action, user, after=after, tenant_id=tenant_id, user=user)
