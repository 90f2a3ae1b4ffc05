"""Facts the product itself knows of people: messages sent, read, answered. No one has to be found or made for them."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any

from sqlalchemy import select

from app.cdp.models import Profile, ProfileEvent
from app.cdp.queries.lists import ids_in, texts_in
from app.cdp.services import event_names, fold_queue, tail
from app.cdp.services.bulk import insert_rows, take_ids
from app.cdp.services.days import day_of, tenant_zone
from app.cdp.services.ingestion import COLUMNS
from app.core.clock import utc_now
from app.core.db import db
from app.core.tenancy import current_tenant_id

_events: Any = ProfileEvent.__table__
_profiles: Any = Profile.__table__
_DEEPEST = 20  # a chain of merges longer than this is a fault


@dataclass(frozen=True)
class Fact:
    """Something a known person did or was told. `message_id` makes a repeat harmless."""

    profile_id: int
    name: str
    at: datetime
    message_id: str
    properties: dict[str, Any] = field(default_factory=dict)


def record(facts: Sequence[Fact]) -> int:
    """Write the facts into the timelines, in the current unit of work; how many were new.

    Those of who was merged go to who they are by now, those of who is gone are dropped. A fixed number of statements.
    """
    if not facts:
        return 0
    known = _known({fact.message_id for fact in facts})
    owners = _owners({fact.profile_id for fact in facts})
    fresh = {fact.message_id: fact for fact in facts if fact.message_id not in known and fact.profile_id in owners}
    if not fresh:
        return 0
    names = event_names.ids_for(fact.name for fact in fresh.values())
    zone, tenant_id, now = tenant_zone(), current_tenant_id(), utc_now()
    ids = take_ids(_events, len(fresh))
    rows: list[tuple[Any, ...]] = [
        (row_id, tenant_id, owners[fact.profile_id], owners[fact.profile_id], names[fact.name], fact.at,
         day_of(fact.at, zone), fact.message_id, fact.properties, {}, now)
        for row_id, fact in zip(ids, fresh.values(), strict=True)
    ]  # fmt: skip
    insert_rows(_events, COLUMNS, rows)
    fold_queue.note_events(ids)
    tail.announce()
    return len(rows)


def _known(message_ids: set[str]) -> set[str]:
    where = (_events.c.tenant_id == current_tenant_id(), _events.c.message_id.in_(texts_in(sorted(message_ids))))
    return set(db.session.scalars(select(_events.c.message_id).where(*where)))


def _owners(profile_ids: set[int]) -> dict[int, int]:
    """Who each profile is by now; those that are gone are left out."""
    owners = {one: one for one in profile_ids}
    found: dict[int, int] = {}
    for _ in range(_DEEPEST):
        asked = sorted(set(owners.values()))
        rows = db.session.execute(
            select(_profiles.c.id, _profiles.c.merged_into_id).where(
                _profiles.c.tenant_id == current_tenant_id(), _profiles.c.id.in_(ids_in(asked))
            )
        )
        into = {row.id: row.merged_into_id for row in rows}
        found |= {one: now for one, now in owners.items() if now in into and into[now] is None}
        owners = {one: into[now] for one, now in owners.items() if into.get(now) is not None}
        if not owners:
            break
    return found
