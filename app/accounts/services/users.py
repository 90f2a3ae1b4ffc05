"""The users of a tenant: making, changing, deactivating and removing them."""

from __future__ import annotations

from typing import Any

from sqlalchemy import delete, exists, select
from sqlalchemy.exc import IntegrityError

from app.accounts.events import MemberRemoved
from app.accounts.models import Membership, User
from app.accounts.queries import find_person, role_of
from app.accounts.services import audit, limits, members, password_policy, sessions
from app.accounts.services.passwords import hash_password
from app.accounts.services.permissions import SUPERADMIN
from app.accounts.services.sessions import Caller
from app.accounts.services.signup import normal_email
from app.core.db import db
from app.core.errors import Conflict, NotFound, PermissionDenied, ValidationFailed
from app.core.events import emit
from app.core.tenancy import current_tenant_id

TAKEN = "A user could not be made with this e-mail. Invite them instead: they may have an account of their own."


def get_person(user_id: int) -> Membership:
    """The member of the acting tenant, with their user; someone of another tenant is not found."""
    membership = find_person(user_id)
    if membership is None:
        raise NotFound("User not found.", resource="user", id=user_id)
    return membership


def create(email: str, full_name: str, role: str, password: str) -> Membership:
    """A new account that is a member of the acting tenant; refused past `max_users` and for an address in use.

    The password is looked at first: asking with a bad one must not tell who has an account.
    """
    email = normal_email(email)
    password_policy.check(password, about=(email, full_name))
    limits.require_room(current_tenant_id(), "users")
    if db.session.scalar(select(User.id).where(User.email == email)):
        raise Conflict(TAKEN, field="email")
    user = add_account(email, full_name, password)
    membership = add_member(user, role)
    audit.record("user.created", user, after={"email": email, "full_name": user.name, "role": str(role)})
    return membership


def add_account(email: str, full_name: str, password: str, *, about: str = "") -> User:
    """A user row with this password; the slower of two who take the same address at a time is refused."""
    if not full_name.strip():
        raise ValidationFailed("full_name: must not be empty.", field="full_name")
    password_policy.check(password, about=(email, full_name, about))
    user = User(email=email, name=" ".join(full_name.split())[:120], password_hash=hash_password(password))
    db.session.add(user)
    try:
        db.session.flush()
    except IntegrityError:
        raise Conflict(TAKEN, field="email") from None
    return user


def add_member(user: User, role: str) -> Membership:
    """Make the user a member of the acting tenant."""
    membership = Membership(user_id=user.id, tenant_id=current_tenant_id(), role=str(role), user=user)
    db.session.add(membership)
    db.session.flush()
    return membership


def update(user_id: int, changes: dict[str, Any], by: Caller) -> Membership:
    """Change `full_name`, `role` or `is_active`; who is deactivated is signed out of this tenant at once.

    Refused for the last admin, for one's own deactivation, and for a superadmin unless a superadmin asks.
    """
    if changes.get("is_active"):
        _require_room_to_return(user_id)
    membership = _lock(user_id, by, loses_admin=_loses_admin(changes))
    if changes.get("is_active") is False:
        _require_someone_else(user_id, by, "deactivate")
    before, after = audit.changed(membership, {k: v for k, v in changes.items() if k in ("role", "is_active")})
    if "full_name" in changes:
        _rename(membership.user, changes["full_name"], before, after, by)
    if after.get("is_active") is False:
        sessions.end_sessions(user_id, "deactivated", tenant_id=membership.tenant_id)
    if after:
        audit.record("user.updated", membership.user, before=before, after=after)
    return membership


def _loses_admin(changes: dict[str, Any]) -> bool:
    return changes.get("is_active") is False or changes.get("role", "admin") != "admin"


def _require_room_to_return(user_id: int) -> None:
    """Someone who comes back takes a place; the tenant is locked before any of its members."""
    limits.lock_tenant(current_tenant_id())
    if not get_person(user_id).is_active:
        limits.require_room(current_tenant_id(), "users")


def _rename(user: User, name: str, before: dict[str, Any], after: dict[str, Any], by: Caller) -> None:
    if not name.strip():
        raise ValidationFailed("full_name: must not be empty.", field="full_name")
    name = " ".join(name.split())
    if name == user.name:
        return
    require_sole_workspace(user, by)
    before["full_name"], after["full_name"] = user.name, name
    user.name = name


def remove(user_id: int, by: Caller) -> bool:
    """End the membership and, when it was the user's last, delete the account; True when the account went too.

    Refused for the last admin, for oneself, and for a superadmin unless a superadmin asks.
    """
    membership = _lock(user_id, by, loses_admin=True)
    _require_someone_else(user_id, by, "remove")
    user = lock_account(user_id)
    sessions.end_sessions(user_id, "removed", tenant_id=membership.tenant_id)
    gone = {"email": user.email, "full_name": user.name, "role": membership.role, "is_active": membership.is_active}
    audit.record("user.removed", user, before=gone)
    emit(MemberRemoved(membership.tenant_id, user_id))
    db.session.delete(membership)
    db.session.flush()
    is_last = not db.session.scalar(select(exists().where(Membership.user_id == user_id)))
    if is_last:
        db.session.execute(delete(User).where(User.id == user_id))
    return is_last


def lock_account(user_id: int) -> User:
    """The account, locked: joining a workspace and being removed from the last one exclude each other."""
    locked = select(User).where(User.id == user_id).with_for_update(key_share=True)
    user = db.session.scalars(locked.execution_options(populate_existing=True)).one_or_none()
    if user is None:
        raise NotFound("User not found.")
    return user


def _lock(user_id: int, by: Caller, *, loses_admin: bool) -> Membership:
    """The member, locked after the tenant's admins, once it is clear that this caller may touch them."""
    n_admins = members.count_admins() if loses_admin else 0
    membership = members.get_member(user_id)
    require_may_touch(membership, by)
    if loses_admin:
        members.require_another_admin(membership, n_admins)
    return membership


def require_may_touch(membership: Membership, by: Caller) -> None:
    """Refuse a tenant's admin, or a key, who means the platform's own account."""
    if role_of(membership) == SUPERADMIN and by.role != SUPERADMIN:
        raise PermissionDenied("This is the platform's own account: only a superadmin may change it.")


def require_sole_workspace(user: User, by: Caller) -> None:
    """Refuse what would reach into another workspace of theirs: their name, password and second factor."""
    elsewhere = exists().where(Membership.user_id == user.id, Membership.tenant_id != current_tenant_id())
    is_own = by.api_key is None and _is_self(user.id, by)  # a key is not who made it
    if by.role != SUPERADMIN and not is_own and db.session.scalar(select(elsewhere)):
        raise Conflict("They use this account beyond your workspace, so only they can change this.")


def _require_someone_else(user_id: int, by: Caller, verb: str) -> None:
    if _is_self(user_id, by):
        raise Conflict(f"You cannot {verb} yourself. Ask another admin.")


def _is_self(user_id: int, by: Caller) -> bool:
    return by.user is not None and by.user.id == user_id
