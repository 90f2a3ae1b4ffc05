"""Moving profiles between stages as days pass and rules change."""

from __future__ import annotations

from collections.abc import Callable

from sqlalchemy import text

from app.cdp.services import lifecycle
from app.core.db import db, unit_of_work
from app.core.jobs import Queue, enqueue, job
from app.core.jobs_run import progress
from app.core.schedule import periodic
from app.core.tenancy import tenant_scope


@job("cdp.age_lifecycle", queue=Queue.BULK, timeout=3600)
def age() -> None:
    """Customers nobody saw for long, and active ones who are not any more."""
    _walk(lifecycle.list_due)


@job("cdp.apply_lifecycle", queue=Queue.BULK, timeout=3600)
def apply() -> None:
    """Every profile, after the rules changed."""
    _walk(lifecycle.list_all)


@periodic("cdp.age_lifecycle", every_seconds=86_400)
def age_everywhere() -> None:
    """Across tenants: each gets a job of its own, once a day."""
    tenant_ids = list(db.session.scalars(text("SELECT id FROM tenants WHERE is_active")))
    db.session.rollback()
    for tenant_id in tenant_ids:
        with tenant_scope(tenant_id), unit_of_work():
            enqueue("cdp.age_lifecycle", unique_key="cdp.age_lifecycle")


def _walk(list_next: Callable[[int], list[int]]) -> None:
    """In steps of their own transactions; running twice changes nothing."""
    after_id, done = 0, 0
    while True:
        with unit_of_work():
            ids = list_next(after_id)
            lifecycle.evaluate(ids)
        if not ids:
            return
        after_id, done = ids[-1], done + len(ids)
        progress(done, done + 1)
