"""The people and the workspaces an account page shows, each list in a fixed number of queries."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from sqlalchemy import ColumnElement, Select, false, func, or_, select, true
from sqlalchemy.orm import contains_eager

from app.accounts.models import SUPERADMIN, Invitation, Membership, Role, Tenant, User
from app.core.clock import utc_now
from app.core.db import db
from app.core.paging import Page, paginate
from app.core.tenancy import current_tenant_id, platform_scope


@dataclass(frozen=True)
class Workspace:
    """One of the workspaces a user may act in."""

    id: int
    name: str
    role: str


def list_workspaces(user_id: int) -> list[Workspace]:
    """Every open workspace the user is an active member of, by name. One query."""
    rows = db.session.execute(
        select(Tenant.id, Tenant.name, Membership.role)
        .join(Membership, Membership.tenant_id == Tenant.id)
        .where(Membership.user_id == user_id, Membership.is_active, Tenant.is_active)
        .order_by(func.lower(Tenant.name), Tenant.id)
    )
    return [Workspace(*row) for row in rows]


def role_of(membership: Membership) -> str:
    """The role that decides: the platform's own one is above the tenant's."""
    return SUPERADMIN if membership.user.is_superadmin else membership.role


def list_people(role: str | None, is_active: bool | None, q: str, page: int, limit: int) -> Page[Membership]:
    """The acting tenant's members with their users; `q` is how a name, a word of it, or an e-mail begins."""
    statement = _people().where(*_chosen(role, is_active, q.strip()))
    return paginate(statement.order_by(func.lower(User.name), User.email, Membership.id), page, limit)


def _people() -> Select[Any]:
    return (
        select(Membership)
        .join(User, User.id == Membership.user_id)
        .options(contains_eager(Membership.user))
        .where(Membership.tenant_id == current_tenant_id())
    )


def _chosen(role: str | None, is_active: bool | None, q: str) -> list[ColumnElement[bool]]:
    conditions: list[ColumnElement[bool]] = []
    if role == SUPERADMIN:
        conditions.append(User.is_superadmin == true())
    elif role is not None:
        conditions += [Membership.role == role, User.is_superadmin == false()]
    if is_active is not None:
        working = Membership.is_active & User.is_enabled
        conditions.append(working if is_active else ~working)
    if q:
        start = q.replace("\\", "\\\\").replace("%", "\\%").replace("_", "\\_") + "%"
        begins = [(User.name, start), (User.name, f"% {start}"), (User.email, start)]
        conditions.append(or_(*(column.ilike(pattern, escape="\\") for column, pattern in begins)))
    return conditions


def find_person(user_id: int) -> Membership | None:
    """The member of the acting tenant with this user's id."""
    found: Membership | None = db.session.scalars(_people().where(User.id == user_id)).one_or_none()
    return found


def count_admins() -> int:
    """How many admins of the acting tenant can sign in."""
    counted = select(func.count(Membership.id)).join(User, User.id == Membership.user_id)
    return db.session.scalar(counted.where(Membership.tenant_id == current_tenant_id(), *working_admin())) or 0


def working_admin() -> tuple[ColumnElement[bool], ...]:
    return Membership.role == Role.ADMIN, Membership.is_active == true(), User.is_enabled == true()


def count_members(tenant_id: int) -> int:
    """Active members of a tenant."""
    members = select(func.count(Membership.id)).where(Membership.tenant_id == tenant_id, Membership.is_active)
    return db.session.scalar(members) or 0


def count_users(tenant_id: int) -> int:
    """Active members and open invitations: what `max_users` counts."""
    invited = select(func.count(Invitation.id)).where(Invitation.tenant_id == tenant_id, *open_invitation())
    with platform_scope():  # a superadmin asks for a workspace that is not the acting one
        return count_members(tenant_id) + (db.session.scalar(invited) or 0)


def open_invitation() -> tuple[ColumnElement[bool], ...]:
    return Invitation.accepted_at.is_(None), Invitation.revoked_at.is_(None), Invitation.expires_at > utc_now()


def list_open_invitations(page: int, limit: int) -> Page[Invitation]:
    """The acting tenant's invitations that can still be accepted, newest first."""
    return paginate(select(Invitation).where(*open_invitation()).order_by(Invitation.id.desc()), page, limit)


def list_tenants(q: str, page: int, limit: int) -> Page[Any]:
    """Every tenant of the platform with how many active members it has, by name; `q` is part of a name or slug."""
    members = (
        select(func.count(Membership.id))
        .where(Membership.tenant_id == Tenant.id, Membership.is_active)
        .correlate(Tenant)
        .scalar_subquery()
    )
    statement = select(Tenant, members)
    if q.strip():
        part = "%" + q.strip().replace("\\", "\\\\").replace("%", "\\%").replace("_", "\\_") + "%"
        statement = statement.where(or_(Tenant.name.ilike(part, escape="\\"), Tenant.slug.ilike(part, escape="\\")))
    return paginate(statement.order_by(func.lower(Tenant.name), Tenant.id), page, limit, rows=True)
