"""What the folder has to look at: noted in the transaction that wrote it."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import Any

from sqlalchemy import select

from app.cdp.models import FoldItem, ProfileEvent
from app.cdp.queries.lists import of_people
from app.cdp.services.bulk import insert_rows
from app.core.clock import utc_now
from app.core.db import db
from app.core.jobs import enqueue, registry
from app.core.tenancy import current_tenant_id

JOB = "cdp.fold"
LARGEST = 1000  # ids in one item: a folder's step stays short


def note_events(event_ids: Sequence[int]) -> None:
    """These events are new."""
    _note("events", [{"events": part} for part in _parts(event_ids)])


def note_profiles(profile_ids: Iterable[int]) -> None:
    """Traits, consent, identities or lifecycle of these changed, or they are new."""
    _note("profiles", [{"profiles": part} for part in _parts(sorted(set(profile_ids)))])


def note_moved(from_id: int, to_id: int) -> None:
    """Events went from one profile to another, all of them or some: what both add up to is counted anew."""
    note_all_moved([(from_id, to_id)])


def note_all_moved(moves: Iterable[tuple[int, int]]) -> None:
    """Like note_moved, for several: from, to."""
    _note("moved", [{"from": from_id, "to": to_id} for from_id, to_id in moves])


def days_of(profile_ids: Iterable[int]) -> list[list[int]]:
    """Name id and day of every event of these: asked before they are erased, so that the index can be cleaned."""
    events: Any = ProfileEvent.__table__
    rows = db.session.execute(select(events.c.name_id, events.c.day).where(of_people(events, profile_ids)))
    return [list(pair) for pair in sorted({(row.name_id, row.day) for row in rows})]


def note_erased(profile_ids: Iterable[int], days: Sequence[Sequence[int]]) -> None:
    """These are gone, with everything that was known of them; `days` are those of their events."""
    parts = _parts(sorted(set(profile_ids)))
    _note("erased", [{"profiles": part, "days": [list(pair) for pair in days]} for part in parts])


def wake() -> None:
    """Ask for the tenant's folder; one that waits or runs is not asked for twice."""
    if JOB in registry:
        enqueue("cdp.fold", unique_key=JOB)


def _parts(ids: Sequence[int]) -> list[list[int]]:
    return [list(ids[start : start + LARGEST]) for start in range(0, len(ids), LARGEST)]


def _note(kind: str, payloads: list[dict[str, object]]) -> None:
    if not payloads:
        return
    tenant_id, now = current_tenant_id(), utc_now()
    rows = [(tenant_id, kind, one, now) for one in payloads]
    insert_rows(FoldItem.__table__, ("tenant_id", "kind", "payload", "created_at"), rows)
    wake()
