"""What the page of arriving events shows.

The newest arrivals are read from the end of the table backwards, a bounded stretch of it whoever's events it holds.
A tenant whose last event came before that stretch is quiet: its people last seen lead to it.
"""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

from sqlalchemy import func, select

from app.cdp.models import EventName, Profile, ProfileEvent
from app.cdp.queries.lists import ids_in
from app.core.db import db
from app.core.tenancy import current_tenant_id

STRETCH = 20_000  # rows at the end of the table that are looked through
SHOWN = 50
WEEK_DAYS = 7


def newest_events(name: str = "", limit: int = SHOWN) -> list[Any]:
    """The events that came in last, newest first: event, name, person."""
    name_id = _name_id(name) if name else None
    if name and name_id is None:
        return []
    ids = _last_arrivals(name_id, limit)
    if len(ids) < limit:
        ids = sorted({*ids, *(_of_the_last_day(name_id, limit) if name_id else _of_the_last_seen(limit))}, reverse=True)
    events = _load(ids[:limit])
    people = {row.id: row for row in _by_id(Profile, (event.profile_id for event in events))}
    names = {row.id: row.name for row in _by_id(EventName, (event.name_id for event in events))}
    return [(event, names[event.name_id], people[event.profile_id]) for event in events if event.profile_id in people]


def _load(event_ids: list[int]) -> list[ProfileEvent]:
    """Newest first. The sum keeps SQLite from walking all of the tenant's events by another index."""
    table: Any = ProfileEvent.__table__
    chosen = select(table).where(table.c.id.in_(ids_in(event_ids)), table.c.tenant_id + 0 == current_tenant_id())
    return list(db.session.scalars(select(ProfileEvent).from_statement(chosen.order_by(table.c.id.desc()))))


def _by_id(model: Any, ids: Iterable[int]) -> list[Any]:
    return list(db.session.scalars(select(model).where(model.id.in_(ids_in(set(ids))))))


def _name_id(name: str) -> int | None:
    return db.session.scalar(select(EventName.id).where(EventName.name == name))


def _last_arrivals(name_id: int | None, limit: int) -> list[int]:
    table: Any = ProfileEvent.__table__
    last = db.session.scalar(select(func.max(table.c.id))) or 0
    statement = select(table.c.id).where(table.c.id > last - STRETCH, table.c.tenant_id + 0 == current_tenant_id())
    if name_id is not None:
        statement = statement.where(table.c.name_id + 0 == name_id)
    return list(db.session.scalars(statement.order_by(table.c.id.desc()).limit(limit)))


def _of_the_last_seen(limit: int) -> list[int]:
    people = select(Profile.id).where(Profile.merged_into_id.is_(None)).order_by(Profile.last_seen_at.desc())
    ids = list(db.session.scalars(people.limit(limit)))
    chosen = select(ProfileEvent.id).where(ProfileEvent.profile_id.in_(ids_in(ids)))
    return list(db.session.scalars(chosen.order_by(ProfileEvent.at.desc()).limit(limit)))


def _of_the_last_day(name_id: int, limit: int) -> list[int]:
    chosen = select(ProfileEvent.id).where(ProfileEvent.name_id == name_id)
    ordered = chosen.order_by(ProfileEvent.day.desc(), ProfileEvent.profile_id.desc())
    return list(db.session.scalars(ordered.limit(limit)))


def list_names(today: int, limit: int = 200) -> list[Any]:
    """Each event name with how often it came in the last seven days: id, name, first_seen_at, last_seen_at, n."""
    counted = (
        select(func.count())
        .select_from(ProfileEvent)
        .where(
            ProfileEvent.tenant_id == EventName.tenant_id, ProfileEvent.name_id == EventName.id,
            ProfileEvent.day > today - WEEK_DAYS,
        )
        .correlate(EventName)
        .scalar_subquery()
        .label("n")
    )  # fmt: skip
    statement = select(EventName.id, EventName.name, EventName.first_seen_at, EventName.last_seen_at, counted)
    return list(db.session.execute(statement.order_by(EventName.last_seen_at.desc(), EventName.name).limit(limit)))
