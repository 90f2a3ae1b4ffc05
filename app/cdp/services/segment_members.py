"""Writing who is in a segment: rows, changes, bitmaps, sizes, and the facts that others hear of."""

from __future__ import annotations

from collections.abc import Iterable

from pyroaring import BitMap
from sqlalchemy import Table, delete, insert, literal, select

from app.cdp.events import SegmentEntered, SegmentLeft, SegmentRefreshed
from app.cdp.models import Segment, SegmentChange, SegmentSize
from app.cdp.services import evaluation
from app.cdp.services.conditions.people import member_measure, members, stored_members
from app.cdp.services.engine.context import Context, profiles
from app.cdp.services.engine.idset import IdSet
from app.cdp.services.engine.json_sql import in_ids
from app.cdp.services.engine.store import SliceStore
from app.core.clock import utc_now
from app.core.db import db
from app.core.events import emit
from app.core.tenancy import current_tenant_id

changes: Table = SegmentChange.__table__  # type: ignore[assignment]
_AT_ONCE = 10_000
_IN_EVENT = 1000


def write_members(segment: Segment, found: IdSet, *, is_first: bool, today: int | None = None) -> IdSet:
    """Make these the members, in the current unit of work; gives who came and went. Filling a new segment is no
    entering: there are no changes and no events of it."""
    ctx = evaluation.context(today=today)
    before = stored_members(ctx, segment.id)
    entered, left = found - before, before - found
    _remove(ctx, segment.id, left, is_told=not is_first)
    _insert(ctx, segment.id, entered, is_told=not is_first)
    _store(ctx, segment.id, found, entered | left)
    segment.member_count, segment.counted_at, segment.error = len(found), utc_now(), ""
    _note_size(segment.id, ctx.today, len(found))
    if not is_first:
        _tell(segment, entered, SegmentEntered)
        _tell(segment, left, SegmentLeft)
    emit(SegmentRefreshed(ctx.tenant_id, segment.id, len(found), len(entered), len(left)))
    return entered | left


def _parts(ids: IdSet, count: int = _AT_ONCE) -> Iterable[list[int]]:
    array = ids.to_array()
    return (array[start : start + count].tolist() for start in range(0, len(array), count))


def _insert(ctx: Context, segment_id: int, entered: IdSet, *, is_told: bool) -> None:
    """Rows of those who are there; one erased meanwhile is left out."""
    now = utc_now()
    for ids in _parts(entered):
        people = select(profiles.c.id).where(
            profiles.c.tenant_id == ctx.tenant_id, in_ids(profiles.c.id, ids, ctx.dialect)
        )
        there = people.add_columns(literal(segment_id), literal(ctx.tenant_id), literal(now, changes.c.at.type))
        ctx.session.execute(insert(members).from_select(["profile_id", "segment_id", "tenant_id", "entered_at"], there))
        if is_told:
            _insert_changes(ctx, segment_id, ids, has_entered=True)


def _insert_changes(ctx: Context, segment_id: int, ids: list[int], *, has_entered: bool) -> None:
    chosen = select(
        profiles.c.id, literal(segment_id), literal(ctx.tenant_id), literal(has_entered),
        literal(utc_now(), changes.c.at.type),
    ).where(profiles.c.tenant_id == ctx.tenant_id, in_ids(profiles.c.id, ids, ctx.dialect))  # fmt: skip
    names = ["profile_id", "segment_id", "tenant_id", "has_entered", "at"]
    ctx.session.execute(insert(changes).from_select(names, chosen.order_by(profiles.c.id)))


def _remove(ctx: Context, segment_id: int, left: IdSet, *, is_told: bool) -> None:
    for ids in _parts(left):
        theirs = in_ids(members.c.profile_id, ids, ctx.dialect)
        ctx.session.execute(delete(members).where(members.c.segment_id == segment_id, theirs))
        if is_told:
            _insert_changes(ctx, segment_id, ids, has_entered=False)


def _store(ctx: Context, segment_id: int, found: IdSet, changed: IdSet) -> None:
    """The same as bitmaps. A shard that empties keeps an empty one, since a version must never come again."""
    store, measure = SliceStore(ctx.session, ctx.tenant_id), member_measure(segment_id)
    versions = {head.shard: head.version for head in store.heads(measure)}
    for shard in changed.shards.keys() | (found.shards.keys() - versions.keys()):
        bitmap = found.shards.get(shard, BitMap())
        store.put(measure, "all", shard, bitmap.serialize(), versions.get(shard, 0) + 1)
    store.flush()


def forget_members(segment_id: int) -> None:
    """Remove the bitmaps of a segment that is about to be deleted; its rows go with it."""
    store, measure = SliceStore(db.session(), current_tenant_id()), member_measure(segment_id)
    for head in list(store.heads(measure)):
        store.remove(measure, head.key, head.shard)
    store.flush()


def _note_size(segment_id: int, today: int, count: int) -> None:
    row = db.session.get(SegmentSize, (segment_id, today))
    if row is None:
        db.session.add(SegmentSize(segment_id=segment_id, day=today, member_count=count))
    else:
        row.member_count = count


def _tell(segment: Segment, ids: IdSet, kind: type[SegmentEntered] | type[SegmentLeft]) -> None:
    for part in _parts(ids, _IN_EVENT):
        emit(kind(segment.tenant_id, segment.id, segment.uuid, segment.name, part))
