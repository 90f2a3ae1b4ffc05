"""Tenants: made by the platform, renamed and tuned by their own admins."""

from __future__ import annotations

from functools import lru_cache
from typing import Any
from zoneinfo import available_timezones

from sqlalchemy import select
from sqlalchemy.exc import IntegrityError

from app.accounts.models import Tenant
from app.accounts.services import audit
from app.accounts.services.permissions import SUPERADMIN
from app.accounts.services.plans import PLANS
from app.accounts.services.sessions import Caller
from app.core.db import db
from app.core.errors import Conflict, NotFound, PermissionDenied, ValidationFailed

OWN_FIELDS = frozenset({"name", "timezone", "requires_mfa"})  # what an admin may change of the own tenant
TAKEN = "Another workspace has this address. Choose another slug."


@lru_cache(maxsize=1)
def zones() -> list[str]:
    """Names of the time zones a workspace can be in."""
    return sorted(name for name in available_timezones() if "/" in name or name == "UTC")


def get_tenant(tenant_id: int, by: Caller) -> Tenant:
    """The caller's own tenant, or any for a superadmin; others are not found."""
    tenant = db.session.get(Tenant, tenant_id) if _is_theirs(tenant_id, by) else None
    if tenant is None:
        raise NotFound("Workspace not found.", resource="tenant", id=tenant_id)
    return tenant


def _is_theirs(tenant_id: int, by: Caller) -> bool:
    return by.tenant.id == tenant_id or by.role == SUPERADMIN


def create(name: str, slug: str, plan: str, **limits: int | None) -> Tenant:
    """A new tenant with nobody in it; limits that are not given are the plan's. Refuses a slug in use."""
    chosen = PLANS[plan]
    values = {"max_users": chosen.max_users, "max_campaigns": chosen.max_campaigns} | limits
    if db.session.scalar(select(Tenant.id).where(Tenant.slug == slug)):
        raise Conflict(TAKEN, field="slug")
    tenant = Tenant(name=_clean_name(name), slug=slug, plan=str(plan))
    db.session.add(tenant)
    _flush()
    audit.changed(tenant, values)  # after the insert, which would put the column's default for none
    db.session.flush()
    after = {"name": tenant.name, "slug": slug, "plan": tenant.plan, **values}
    audit.record("tenant.created", tenant, after=after, tenant_id=tenant.id)
    return tenant


def update(tenant_id: int, changes: dict[str, Any], by: Caller) -> Tenant:
    """Change a tenant: its admins what is theirs, a superadmin also plan, limits, slug and whether it is open."""
    tenant = get_tenant(tenant_id, by)
    if by.role != SUPERADMIN and (beyond := sorted(set(changes) - OWN_FIELDS)):
        raise PermissionDenied(f"Only the platform's superadmin changes {', '.join(beyond)}.", fields=beyond)
    _check(tenant, changes, by)
    if "name" in changes:
        changes = changes | {"name": _clean_name(changes["name"])}
    before, after = audit.changed(tenant, changes)
    if after:
        _flush()
        audit.record("tenant.updated", tenant, before=before, after=after, tenant_id=tenant.id)
    return tenant


def _check(tenant: Tenant, changes: dict[str, Any], by: Caller) -> None:
    if changes.get("timezone", "UTC") not in zones():
        raise ValidationFailed("timezone: must be a time zone such as Europe/Lisbon.", field="timezone")
    turns_on = changes.get("requires_mfa") and not tenant.requires_mfa
    if turns_on and (by.api_key or by.user is None or not by.user.has_mfa):
        raise Conflict("Turn on two-factor for yourself first, or you would lock yourself out.", field="requires_mfa")
    if changes.get("is_active") is False and tenant.id == by.tenant.id:
        raise Conflict("You cannot close the workspace you are in.", field="is_active")
    if "slug" in changes and db.session.scalar(
        select(Tenant.id).where(Tenant.slug == changes["slug"], Tenant.id != tenant.id)
    ):
        raise Conflict(TAKEN, field="slug")


def _clean_name(name: str) -> str:
    if not name.strip():
        raise ValidationFailed("name: must not be empty.", field="name")
    return " ".join(name.split())[:120]


def _flush() -> None:
    try:
        db.session.flush()
    except IntegrityError:  # the same slug, taken at the same moment
        raise Conflict(TAKEN, field="slug") from None
