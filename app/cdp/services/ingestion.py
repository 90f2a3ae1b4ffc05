"""Taking events in: duplicates out, people found or made, everything written in a fixed number of statements."""

from __future__ import annotations

import random
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import TypeVar
from zoneinfo import ZoneInfo

from sqlalchemy import Select, select
from sqlalchemy.exc import IntegrityError, OperationalError

from app.cdp.models import ProfileEvent
from app.cdp.services import event_names, fold_queue, identity, ingestion_people, ingestion_rules, tail
from app.cdp.services.bulk import insert_rows, take_ids
from app.cdp.services.days import day_of
from app.cdp.services.identity import Clash
from app.cdp.services.identity_rules import Rules
from app.cdp.services.ingestion_rows import EventRow
from app.cdp.services.prepared import TENANT, Lists, fetch
from app.core.clock import utc_now
from app.core.db import unit_of_work
from app.core.errors import Conflict, Unavailable
from app.core.tenancy import current_tenant_id

TRIES = 6
COLUMNS = ("id", "tenant_id", "profile_id", "source_profile_id", "name_id", "at", "day", "message_id", "properties",
           "context", "received_at")  # fmt: skip
_events = ProfileEvent.__table__
T = TypeVar("T")


@dataclass(frozen=True)
class Taken:
    """What became of one row. `event_id` is None for a person without an event."""

    event_id: int | None
    profile_id: int
    is_duplicate: bool = False


def in_turns(work: Callable[[], T]) -> T:
    """Do the work in one unit of work; again when another transaction changed the same people meanwhile."""
    for turn in range(TRIES):
        time.sleep(turn * random.uniform(0.005, 0.03))
        try:
            with unit_of_work():
                return work()
        except (IntegrityError, Clash):
            continue
        except OperationalError as error:
            if getattr(error.orig, "sqlstate", "") not in ("40P01", "40001"):  # deadlock, serialisation
                raise
        except Conflict as error:
            if error.code != "profile_gone":
                raise
    raise Unavailable("The same people are being changed by many at once. Send it again in a moment.")


def accept(rows: Sequence[EventRow], rules: Rules, received_at: datetime, source: str = "api") -> list[Taken]:
    """Keep the rows in the current unit of work; the answer has one entry for each, in their order."""
    done = _find_duplicates(rows)
    fresh: list[int] = []
    firsts: dict[str, int] = {}
    for index, row in enumerate(rows):
        if row.message_id is not None and (row.message_id in done or row.message_id in firsts):
            continue
        if row.message_id is not None:
            firsts[row.message_id] = index
        fresh.append(index)
    taken = _write([rows[index] for index in fresh], rules, received_at, source)
    by_index = dict(zip(fresh, taken, strict=True))
    for message_id, index in firsts.items():
        done[message_id] = Taken(by_index[index].event_id, by_index[index].profile_id, is_duplicate=True)
    return [by_index[index] if index in by_index else done[row.message_id or ""] for index, row in enumerate(rows)]


def _find_duplicates(rows: Sequence[EventRow]) -> dict[str, Taken]:
    ids = {row.message_id for row in rows if row.message_id is not None}
    if not ids:
        return {}
    found = fetch(_by_message, messages=sorted(ids))
    return {message_id: Taken(row_id, profile_id, is_duplicate=True) for message_id, row_id, profile_id in found}


def _by_message(lists: Lists) -> Select[tuple]:
    columns = (_events.c.message_id, _events.c.id, _events.c.profile_id)
    return select(*columns).where(_events.c.tenant_id == TENANT, _events.c.message_id.in_(lists.texts("messages")))


def _write(rows: list[EventRow], rules: Rules, received_at: datetime, source: str) -> list[Taken]:
    if not rows:
        return []
    now, settings = utc_now(), ingestion_rules.load()
    resolved = identity.resolve([row.identities for row in rows], rules, now)
    owners = [resolved.profile_of(row.identities) for row in rows]
    people = ingestion_people.gather(rows, owners, resolved)
    ingestion_people.insert_new(people, settings, now)
    identity.keep_new(resolved, now, source)
    sources = [resolved.source_of(row.identities) for row in rows]
    event_ids = _insert_events(rows, owners, sources, settings.zone, received_at)
    moved = ingestion_people.update_known(people, settings.stages, now)
    fold_queue.note_events([event_id for event_id in event_ids if event_id is not None])
    fold_queue.note_profiles(moved | resolved.created | resolved.joined)
    tail.announce()
    return [Taken(event_id, owner) for event_id, owner in zip(event_ids, owners, strict=True)]


def _insert_events(
    rows: list[EventRow], owners: list[int], sources: list[int], zone: ZoneInfo, received_at: datetime
) -> list[int | None]:
    events = [index for index, row in enumerate(rows) if row.name]
    ids: list[int | None] = [None] * len(rows)
    if not events:
        return ids
    names = event_names.ids_for(rows[index].name for index in events)
    tenant_id = current_tenant_id()
    values = []
    for index, event_id in zip(events, take_ids(_events, len(events)), strict=True):  # type: ignore[arg-type]
        row, owner = rows[index], owners[index]
        ids[index] = event_id
        values.append(
            (event_id, tenant_id, owner, sources[index], names[row.name], row.at, day_of(row.at, zone), row.message_id,
             row.properties, row.context, received_at)
        )  # fmt: skip
    insert_rows(_events, COLUMNS, values)
    return ids
