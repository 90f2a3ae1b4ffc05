"""The people of a tenant: finding one, who is an admin, and what people change about themselves."""

from __future__ import annotations

from sqlalchemy import select

from app.accounts.models import Membership, Role, User
from app.accounts.queries import working_admin
from app.accounts.services import audit, password_policy
from app.accounts.services.passwords import hash_password, verify_password
from app.core.db import db
from app.core.errors import Conflict, NotFound, PermissionDenied, ValidationFailed
from app.core.tenancy import current_tenant_id

LAST_ADMIN = "The last admin of a workspace must stay. Make someone else an admin first."


def get_member(user_id: int) -> Membership:
    """The user's membership in the acting tenant, locked; someone of another tenant is not found."""
    statement = select(Membership).where(Membership.user_id == user_id, Membership.tenant_id == current_tenant_id())
    statement = statement.with_for_update().execution_options(populate_existing=True)
    membership = db.session.scalars(statement).one_or_none()
    if membership is None:
        raise NotFound("User not found.")
    return membership


def make_admin(user_id: int) -> User:
    """Give a member the role admin; no change when they have it."""
    membership = get_member(user_id)
    _set_role(membership, Role.ADMIN)
    return membership.user


def revoke_admin(user_id: int, *, by_superadmin: bool = False) -> User:
    """Make an admin an analyst; refused for the last admin, for someone who is none and for the platform's own."""
    n_admins = count_admins()
    membership = get_member(user_id)
    if membership.role != Role.ADMIN:
        raise Conflict(f"User {membership.user.email} is not an admin.")
    if membership.user.is_superadmin and not by_superadmin:
        raise PermissionDenied("This is the platform's own account: only a superadmin may change it.")
    require_another_admin(membership, n_admins)
    _set_role(membership, Role.ANALYST)
    return membership.user


def _set_role(membership: Membership, role: str) -> None:
    before, after = audit.changed(membership, {"role": str(role)})
    if after:
        audit.record("user.updated", membership.user, before=before, after=after)


def require_another_admin(membership: Membership, n_admins: int) -> None:
    """Refuse to lose the last admin who can sign in; `n_admins` was counted under lock, before the member was read."""
    is_one = membership.role == Role.ADMIN and membership.is_active and membership.user.is_enabled
    if is_one and n_admins == 1:
        raise Conflict(LAST_ADMIN)


def count_admins() -> int:
    """How many admins of the acting tenant can sign in; locked, so that two at a time cannot remove each other."""
    statement = (
        select(Membership.id)
        .join(User, User.id == Membership.user_id)
        .where(Membership.tenant_id == current_tenant_id(), *working_admin())
        .order_by(Membership.id)
        .with_for_update(of=Membership)
    )
    return len(db.session.scalars(statement).all())


def rename(user: User, name: str) -> None:
    """Set the name others see."""
    if not name.strip():
        raise ValidationFailed("name: enter a name.", field="name")
    before, after = audit.changed(user, {"name": " ".join(name.split())[:120]})
    if after:
        audit.record("user.renamed", user, before=before, after=after)


def change_password(user: User, current: str, new: str) -> None:
    """Set a new password; the current one must be right."""
    if not verify_password(user.password_hash, current):
        raise ValidationFailed("current_password: that is not your current password.", field="current_password")
    password_policy.check(new, about=password_policy.about(user), field="new_password")
    user.password_hash = hash_password(new)
    audit.record("password.changed", user)
