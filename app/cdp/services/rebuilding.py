"""The index made anew from the truth: piece by piece, each in a short transaction of its own.

While it goes on the folder waits, so that what comes in meanwhile is folded onto what was rebuilt.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import Any

import numpy as np
from sqlalchemy import and_, bindparam, delete, func, select, update

from app.cdp.models import EventName
from app.cdp.services.engine.columns import BASE
from app.cdp.services.engine.context import PEOPLE, profiles
from app.cdp.services.engine.days import day_of
from app.cdp.services.engine.idset import LOW_MASK, SHARD_BITS, SHARD_SIZE, bitmap_of
from app.cdp.services.engine.packing import Arrays, pack
from app.cdp.services.engine.store import SliceStore, slices
from app.cdp.services.engine.values import joined
from app.cdp.services.folding import lock_state, tenant_zone
from app.cdp.services.folding_events import replace_days
from app.cdp.services.folding_measures import begin_measures, rebuild_measure, wanted_measures
from app.cdp.services.folding_people import TRAITS, column_rows, read_people, trait_room
from app.cdp.services.folding_work import FoldWork, events
from app.core.clock import utc_now
from app.core.db import db, release_connection, unit_of_work
from app.core.tenancy import current_tenant_id

MOST_EVENTS = 100_000  # in one transaction
MOST_PROFILES = 20_000  # read at a time
Progress = Callable[[int, int, str], None]


def _quiet(_done: int, _total: int, _note: str) -> None:
    return None


def rebuild(progress: Progress = _quiet) -> None:
    """Make the acting tenant's index anew. Memory: one block of events, or the columns of a million profiles."""
    version, zone_changed = _begin()
    try:
        if zone_changed:
            _renumber_days()
        names = list(db.session.scalars(select(EventName.id).order_by(EventName.id)))
        steps = len(names) + 2
        for done, name_id in enumerate(names):
            progress(done, steps, "Events")
            _rebuild_event(name_id)
        progress(len(names), steps, "Computed traits")
        _rebuild_measures()
        progress(len(names) + 1, steps, "Profiles")
        _rebuild_people()
        _remove_older(version)
    finally:
        _finish()
    progress(steps, steps, "Done")


def _begin() -> tuple[int, bool]:
    """From here on nothing is folded; the version everything is written under, and whether days have to change."""
    with unit_of_work():
        state = lock_state(db.session(), current_tenant_id())
        zone = tenant_zone(db.session(), current_tenant_id())
        changed, state.zone = state.zone != zone, zone
        state.is_complete = False
        state.version += 1
        return state.version, changed


def _finish() -> None:
    with unit_of_work():
        state = lock_state(db.session(), current_tenant_id())
        state.is_complete = True
        state.version += 1
        state.rebuilt_at = utc_now()


def _step() -> FoldWork:
    """One transaction of the rebuild: what it writes is of a version of its own, as with every change of the index."""
    session, tenant_id = db.session(), current_tenant_id()
    state = lock_state(session, tenant_id)
    state.version += 1
    return FoldWork(session, tenant_id, state.version, SliceStore(session, tenant_id))


def _renumber_days() -> None:
    """Days of events as the tenant's new zone counts them."""
    with unit_of_work():
        zone = lock_state(db.session(), current_tenant_id()).zone
    last = 0
    while True:
        with unit_of_work():
            rows = db.session.execute(
                select(events.c.id, events.c.at, events.c.day)
                .where(events.c.tenant_id == current_tenant_id(), events.c.id > last)
                .order_by(events.c.id)
                .limit(MOST_EVENTS)
            ).all()
            if not rows:
                return
            last = rows[-1].id
            wrong = [{"row": row.id, "new": day} for row in rows if (day := day_of(row.at, zone)) != row.day]
            if wrong:
                db.session.connection().execute(
                    update(events).where(events.c.id == bindparam("row")).values(day=bindparam("new")), wrong
                )


def _rebuild_event(name_id: int) -> None:
    for first, last in _blocks(name_id):
        with unit_of_work():
            work = _step()
            rows = work.events(and_(events.c.name_id == name_id, events.c.day.between(first, last)))
            waiting = work.waiting_events()
            replace_days(work, name_id, first, last, [row for row in rows if row.id not in waiting])
            work.store.flush()
        release_connection()


def _blocks(name_id: int) -> Iterator[tuple[int, int]]:
    """Ranges of days with no more events than one transaction takes, or a single day."""
    counts = db.session.execute(
        select(events.c.day, func.count())
        .where(events.c.tenant_id == current_tenant_id(), events.c.name_id == name_id)
        .group_by(events.c.day)
        .order_by(events.c.day)
    ).all()
    db.session.rollback()
    start, last, held = None, 0, 0
    for day, count in counts:
        if start is not None and held + count > MOST_EVENTS:
            yield start, last
            start, held = None, 0
        start, last, held = day if start is None else start, day, held + count
    if start is not None:
        yield start, last


def _rebuild_measures() -> None:
    with unit_of_work():
        work = _step()
        begin_measures(work)
        work.store.flush()
        measures = dict(wanted_measures(work))
    for (event, name), measure_id in measures.items():
        with unit_of_work():
            work = _step()
            rebuild_measure(work, measure_id, event, name)
            work.store.flush()


def _rebuild_people() -> None:
    last = db.session.scalar(select(func.max(profiles.c.id)).where(profiles.c.tenant_id == current_tenant_id())) or 0
    first = db.session.scalar(select(func.min(profiles.c.id)).where(profiles.c.tenant_id == current_tenant_id())) or 0
    kept: list[str] = []
    for shard in range(first >> SHARD_BITS, (last >> SHARD_BITS) + 1):
        alive, columns = _read_shard(shard, kept)
        with unit_of_work():
            work = _step()
            work.store.put(PEOPLE, "all", shard, bitmap_of(alive).serialize(), work.version)
            for measure, parts in columns.items():
                whole = joined(parts, [np.ones(len(part["ids"]), dtype=bool) for part in parts])
                for head in [head for head in work.store.heads(measure) if head.shard == shard]:
                    work.store.remove(measure, head.key, shard)
                work.store.put(measure, BASE, shard, pack(whole), work.version)
            work.store.flush()
        release_connection()
    with unit_of_work():
        work = _step()
        for head in list(work.store.heads(TRAITS)):
            work.store.remove(TRAITS, head.key, head.shard)
        work.list_more(TRAITS, kept)
        work.store.flush()


def _read_shard(shard: int, kept: list[str]) -> tuple[np.ndarray, dict[str, list[Arrays]]]:
    """Who is alive in a shard, and its columns in pieces; rows of profiles are let go piece by piece."""
    alive: list[int] = []
    columns: dict[str, list[Arrays]] = {}
    low, high = shard * SHARD_SIZE - 1, (shard + 1) * SHARD_SIZE
    while True:
        work = FoldWork(db.session(), current_tenant_id(), 0, SliceStore(db.session(), current_tenant_id()))
        ids = _next_ids(work, low, high)
        if not ids:
            return np.array([one & LOW_MASK for one in alive], dtype=np.uint32), columns
        low = ids[-1]
        living, known = read_people(work, ids)
        alive += living
        for measure in trait_room(work, known, kept):
            for _, rows in column_rows(known[measure]):
                columns.setdefault(measure, []).append(rows)
        release_connection()


def _next_ids(work: FoldWork, low: int, high: int) -> list[int]:
    statement = select(profiles.c.id).where(
        profiles.c.tenant_id == work.tenant_id, profiles.c.id > low, profiles.c.id < high
    )
    return list(work.session.scalars(statement.order_by(profiles.c.id).limit(MOST_PROFILES)))


def _remove_older(version: int) -> None:
    """What the rebuild did not write belongs to nothing any more; members of segments stay."""
    with unit_of_work():
        _step()
        stale: Any = and_(
            slices.c.tenant_id == current_tenant_id(), slices.c.version < version, slices.c.measure.not_like("s:%")
        )
        registries = slices.c.measure.like("n:%") | slices.c.measure.like("u:%")
        db.session.execute(delete(slices).where(stale, ~registries))
