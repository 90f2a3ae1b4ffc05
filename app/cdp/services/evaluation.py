"""Conditions answered: as sets from the index, and as one SQL statement to hold them against."""

from __future__ import annotations

from collections.abc import Iterable

from sqlalchemy import column, select, table

from app.cdp.models import IndexState
from app.cdp.services.conditions import Node
from app.cdp.services.engine.context import Context, open_context
from app.cdp.services.engine.idset import IdSet
from app.cdp.services.engine.rows import Days
from app.core.db import db
from app.core.tenancy import current_tenant_id

_TRIES = 3
_tenants = table("tenants", column("id"), column("timezone"))


def zone_name() -> str:
    """The acting tenant's zone: what the days of its index are of, once there is one."""
    tenant_id = current_tenant_id()
    indexed = db.session.scalar(select(IndexState.zone).where(IndexState.tenant_id == tenant_id))
    return indexed or db.session.scalar(select(_tenants.c.timezone).where(_tenants.c.id == tenant_id)) or "UTC"


def context(*, today: int | None = None) -> Context:
    """What to evaluate with, as the acting tenant, at the index's version now."""
    return open_context(db.session(), current_tenant_id(), zone_name(), today=today)


def evaluate(tree: Node, *, today: int | None = None) -> IdSet:
    """Whom the condition holds for, counting everything folded so far."""
    found = IdSet()
    for _ in range(_TRIES):
        ctx = context(today=today)
        found = tree.evaluate(ctx)
        if still_valid(ctx):
            break
    return found


def still_valid(ctx: Context) -> bool:
    """Whether the index stayed as it was while the context was used; only then its answers are kept for others."""
    now = ctx.session.scalar(select(IndexState.version).where(IndexState.tenant_id == ctx.tenant_id)) or 0
    if now != ctx.version:
        return False
    ctx.keep_answers()
    return True


def reference(tree: Node, *, today: int | None = None) -> IdSet:
    """The same by the database alone, in one statement over the truth: slow, and right by construction."""
    ctx = context(today=today)
    return ctx.select_ids(tree.as_sql(ctx))


def evaluate_among(tree: Node, profile_ids: Iterable[int], *, today: int | None = None) -> IdSet:
    """Whom of these people the condition holds for."""
    ctx = context(today=today)
    return tree.evaluate(ctx.narrowed(IdSet.of(profile_ids)))


ALWAYS = Days()


def one_day(day: int) -> Days:
    return Days(day, day)
