"""The limits of a tenant: whether there is room for one more."""

from __future__ import annotations

from collections.abc import Callable

from sqlalchemy import select

from app.accounts.models import Tenant
from app.accounts.queries import count_users
from app.core.db import db
from app.core.errors import EntitlementExceeded

COUNTS: dict[str, Callable[[int], int]] = {"users": count_users}


def require_room(tenant_id: int, noun: str) -> None:
    """Refuse one more `noun` past the tenant's `max_<noun>`; the tenant stays locked, so that two cannot both fit."""
    tenant = lock_tenant(tenant_id)
    limit: int | None = getattr(tenant, f"max_{noun}")
    current = COUNTS[noun](tenant_id)
    if limit is not None and current >= limit:
        raise EntitlementExceeded(
            f"This workspace has room for {limit:,} {noun}, and {current:,} are taken, open invitations included.",
            resource=noun, limit=limit, current=current,
        )  # fmt: skip


def lock_tenant(tenant_id: int) -> Tenant:
    """The tenant, locked against other changes of its limits and of what they count; rows may still refer to it."""
    locked = select(Tenant).where(Tenant.id == tenant_id).with_for_update(key_share=True)
    return db.session.scalars(locked.execution_options(populate_existing=True)).one()
