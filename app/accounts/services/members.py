"""The people of a tenant: their names, passwords and who is an admin."""

from __future__ import annotations

from sqlalchemy import select

from app.accounts.models import Membership, Role, User
from app.accounts.services.passwords import hash_password, verify_password
from app.accounts.services.signup import MIN_PASSWORD
from app.core.db import db
from app.core.errors import Conflict, NotFound, ValidationFailed
from app.core.tenancy import current_tenant_id


def get_member(user_id: int) -> Membership:
    """The user's membership in the acting tenant; someone of another tenant is not found."""
    statement = select(Membership).where(Membership.user_id == user_id, Membership.tenant_id == current_tenant_id())
    statement = statement.with_for_update().execution_options(populate_existing=True)
    membership = db.session.scalars(statement).one_or_none()
    if membership is None:
        raise NotFound("User not found.")
    return membership


def make_admin(user_id: int) -> User:
    """Give a member the role admin; no change when they have it."""
    membership = get_member(user_id)
    membership.role = Role.ADMIN
    return membership.user


def revoke_admin(user_id: int) -> User:
    """Make an admin an analyst; refused for the last admin of the tenant and for someone who is none."""
    n_admins = count_admins()
    membership = get_member(user_id)
    if membership.role != Role.ADMIN:
        raise Conflict(f"User {membership.user.email} is not an admin.")
    if n_admins == 1:
        raise Conflict("The last admin of a workspace cannot be removed. Make someone else an admin first.")
    membership.role = Role.ANALYST
    return membership.user


def count_admins() -> int:
    """How many admins the acting tenant has; their rows are locked, so that two cannot revoke each other."""
    statement = select(Membership.id).where(
        Membership.tenant_id == current_tenant_id(), Membership.role == Role.ADMIN
    )  # fmt: skip
    return len(db.session.scalars(statement.order_by(Membership.id).with_for_update()).all())


def rename(user: User, name: str) -> None:
    """Set the name others see."""
    if not name.strip():
        raise ValidationFailed("name: must not be empty.", field="name")
    user.name = name.strip()[:120]


def change_password(user: User, current: str, new: str) -> None:
    """Set a new password; the current one must be right."""
    if not verify_password(user.password_hash, current):
        raise ValidationFailed("current_password: is not right.", field="current_password")
    if len(new) < MIN_PASSWORD:
        raise ValidationFailed(f"new_password: must have at least {MIN_PASSWORD} characters.", field="new_password")
    user.password_hash = hash_password(new)
