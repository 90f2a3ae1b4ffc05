"""Folding in the background, made whole again when it was lost, and checked against the truth."""

from __future__ import annotations

import time

from sqlalchemy import select

from app.cdp.models import FoldItem, IndexState, Segment
from app.cdp.services import folding, index_check, rebuilding
from app.cdp.services.engine.days import day_of
from app.core.clock import utc_now
from app.core.db import db, release_connection, unit_of_work
from app.core.jobs import Queue, enqueue, job
from app.core.jobs_run import progress
from app.core.schedule import periodic
from app.core.tenancy import tenant_scope

# Longer than a process that waits for SQLite's write lock looks away: without it the folder takes the lock again before
# anybody saw that it was free. What comes in meanwhile is folded in one step instead of many.
PAUSE_SECONDS = 0.1
# While a file comes in: a small step costs half of what a full one does, and each of them holds the file up.
FILE_PAUSE_SECONDS = 0.5


@job("cdp.fold", queue=Queue.DEFAULT, max_attempts=5, timeout=1800)
def fold() -> None:
    """Fold until nothing waits, then let segments know."""
    done = 0
    while True:
        was_file = folding.is_file_coming()
        with unit_of_work():
            count = folding.fold_step()
            if count:
                enqueue("cdp.refresh", unique_key="cdp.refresh")
        release_connection()
        if not count:
            return
        done += count
        progress(done, done + 1, "Folding")
        pause = FILE_PAUSE_SECONDS if was_file and not folding.is_file_coming() else PAUSE_SECONDS
        release_connection()
        time.sleep(pause)


@job("cdp.rebuild", queue=Queue.BULK, max_attempts=10, timeout=3600)
def rebuild() -> None:
    """Make the tenant's index anew, then go on folding."""
    rebuilding.rebuild(progress)
    with unit_of_work():
        enqueue("cdp.fold", unique_key="cdp.fold")
        enqueue("cdp.refresh", unique_key="cdp.refresh")


@job("cdp.check_index", queue=Queue.BULK, max_attempts=2, timeout=600)
def check_index() -> None:
    """Hold the index against the truth on some people, and mend what differs."""
    index_check.check_and_repair()


@periodic("cdp.wake_folders", every_seconds=5)
def wake_folders() -> None:
    """A note written while a folder was just ending is folded all the same."""
    waiting = select(FoldItem.tenant_id, FoldItem.kind == folding.TOUCHED).distinct()
    for tenant_id, is_touched in db.session.execute(waiting).all():
        with tenant_scope(tenant_id), unit_of_work():
            if is_touched:
                enqueue("cdp.refresh", unique_key="cdp.refresh")
            else:
                enqueue("cdp.fold", unique_key="cdp.fold")


@periodic("cdp.roll_days", every_seconds=60)
def roll_days() -> None:
    """When a tenant's day ends, windows move; when its zone changed, days are counted anew."""
    has_segments = select(Segment.tenant_id).distinct()
    states = db.session.execute(
        select(IndexState.tenant_id, IndexState.zone, IndexState.refreshed_day).where(
            IndexState.tenant_id.in_(has_segments)
        )
    ).all()
    for tenant_id, zone, refreshed in states:
        with tenant_scope(tenant_id), unit_of_work():
            if refreshed != day_of(utc_now(), zone):
                enqueue("cdp.refresh", unique_key="cdp.refresh")
            if folding.tenant_zone(db.session(), tenant_id) != zone:
                enqueue("cdp.rebuild", unique_key="cdp.rebuild")


@periodic("cdp.check_indexes", every_seconds=3600)
def check_indexes() -> None:
    """Check every tenant's index on a sample."""
    for tenant_id in db.session.scalars(select(IndexState.tenant_id)).all():
        with tenant_scope(tenant_id), unit_of_work():
            enqueue("cdp.check_index", unique_key="cdp.check_index")
