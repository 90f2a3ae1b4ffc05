"""Writing who is in segments: rows, changes, bitmaps, sizes, and the facts that others hear of."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field

from pyroaring import BitMap
from sqlalchemy import Table, bindparam, delete, select

from app.cdp.events import SegmentEntered, SegmentLeft, SegmentRefreshed
from app.cdp.models import Segment, SegmentChange, SegmentSize
from app.cdp.services import evaluation
from app.cdp.services.bulk import insert_rows, run
from app.cdp.services.conditions.people import member_measure, members, stored_members
from app.cdp.services.engine.context import Context, profiles
from app.cdp.services.engine.idset import IdSet
from app.cdp.services.engine.json_sql import in_ids, of_tenant
from app.cdp.services.engine.rows import as_bitmap
from app.cdp.services.engine.store import Head, SliceStore
from app.core.clock import utc_now
from app.core.db import after_commit, db
from app.core.events import Event, emit_all
from app.core.tenancy import current_tenant_id

changes: Table = SegmentChange.__table__  # type: ignore[assignment]
_AT_ONCE = 10_000
_IN_EVENT = 1000
_MEMBER = ("segment_id", "profile_id", "tenant_id", "entered_at")
_CHANGE = ("segment_id", "profile_id", "tenant_id", "has_entered", "at")
Pairs = list[tuple[int, int]]  # segment and profile


@dataclass
class Filling:
    """Who a segment is to have. Filling a new one is no entering: there are no changes and no events of it.

    With `seen`, the slices its members were read from, nothing is written when somebody else wrote them meanwhile.
    """

    segment: Segment
    found: IdSet
    is_first: bool
    seen: list[Head] | None = None
    entered: IdSet = field(default_factory=IdSet)
    left: IdSet = field(default_factory=IdSet)


def write_members(segment: Segment, found: IdSet, *, is_first: bool) -> IdSet:
    """Make these the members, in the current unit of work; gives who came and went."""
    done = write_many([Filling(segment, found, is_first)])[0]
    return done.entered | done.left


def write_many(fillings: Sequence[Filling], today: int | None = None) -> list[Filling]:
    """Make these the members of several segments, whose rows are locked, in the current unit of work: all in a fixed
    number of statements. Gives those that were written, with who came and went."""
    ctx = evaluation.context(today=today)
    ctx.store = SliceStore(ctx.session, ctx.tenant_id)
    ctx.store.prefetch((member_measure(one.segment.id) for one in fillings), as_bitmap)
    written = [one for one in fillings if one.seen is None or one.seen == _heads(ctx, one)]
    for one in written:
        before = stored_members(ctx, one.segment.id)
        one.entered, one.left = one.found - before, before - one.found
    _write_rows(ctx, written)
    _store(ctx, written)
    for one in written:
        one.segment.member_count, one.segment.counted_at, one.segment.error = len(one.found), utc_now(), ""
    _note_sizes(written, ctx.today)
    emit_all([fact for one in written for fact in _facts(one)])
    return written


def _heads(ctx: Context, filling: Filling) -> list[Head]:
    return ctx.store.heads(member_measure(filling.segment.id))


def _write_rows(ctx: Context, written: Sequence[Filling]) -> None:
    """Rows of those who are there; one erased meanwhile is left out."""
    there = _there(ctx, IdSet.union_of([*(one.entered for one in written), *(one.left for one in written)]))
    for one in written:
        run(_REMOVAL, [{"segment": one.segment.id, "profile": who} for who in one.left])
        for has_entered, ids in ((True, one.entered & there), (False, one.left & there)):
            for part in _parts(ids):
                _insert(ctx, one, part, has_entered=has_entered)


_REMOVAL = delete(members).where(
    members.c.segment_id == bindparam("segment"), members.c.profile_id == bindparam("profile")
)


def _there(ctx: Context, ids: IdSet) -> IdSet:
    """Those whose rows stand, kept from being erased until the commit."""
    found: list[int] = []
    for part in _parts(ids):
        theirs = select(profiles.c.id).where(
            of_tenant(profiles, ctx.tenant_id), in_ids(profiles.c.id, part, ctx.dialect)
        )
        found += ctx.session.scalars(theirs.order_by(profiles.c.id + 0).with_for_update(read=True, key_share=True))
    return IdSet.of(found)


def _insert(ctx: Context, filling: Filling, ids: list[int], *, has_entered: bool) -> None:
    segment_id, tenant_id, now = filling.segment.id, ctx.tenant_id, utc_now()
    if has_entered:
        insert_rows(members, _MEMBER, ((segment_id, one, tenant_id, now) for one in ids))
    if not filling.is_first:
        insert_rows(changes, _CHANGE, ((segment_id, one, tenant_id, has_entered, now) for one in ids))


def _parts(ids: IdSet, count: int = _AT_ONCE) -> Iterable[list[int]]:
    array = ids.to_array()
    return (array[start : start + count].tolist() for start in range(0, len(array), count))


def _store(ctx: Context, written: Sequence[Filling]) -> None:
    """The same as bitmaps. A shard that empties keeps an empty one, since a version must never come again."""
    kept: list[tuple[str, Head, BitMap]] = []
    for one in written:
        measure, found = member_measure(one.segment.id), one.found
        versions = {head.shard: head.version for head in ctx.store.heads(measure)}
        changed = (one.entered | one.left).shards.keys()
        for shard in changed | (found.shards.keys() - versions.keys()):
            head = Head("all", shard, versions.get(shard, 0) + 1)
            bitmap = found.shards.get(shard, BitMap())
            ctx.store.put(measure, head.key, shard, bitmap.serialize(), head.version)
            kept.append((measure, head, bitmap))
    ctx.store.flush()
    after_commit(lambda: ctx.store.keep(kept))


def forget_members(segment_id: int) -> None:
    """Remove the bitmaps of a segment that is about to be deleted; its rows go with it."""
    store, measure = SliceStore(db.session(), current_tenant_id()), member_measure(segment_id)
    for head in list(store.heads(measure)):
        store.remove(measure, head.key, head.shard)
    store.flush()


def _note_sizes(written: Sequence[Filling], today: int) -> None:
    ids = [one.segment.id for one in written]
    of_today = select(SegmentSize).where(SegmentSize.segment_id.in_(ids), SegmentSize.day == today)
    known = {row.segment_id: row for row in db.session.scalars(of_today)}
    for one in written:
        row = known.get(one.segment.id) or SegmentSize(segment_id=one.segment.id, day=today)
        row.member_count = len(one.found)
        db.session.add(row)


def _facts(one: Filling) -> Iterable[Event]:
    segment = one.segment
    if not one.is_first:
        for kind, ids in ((SegmentEntered, one.entered), (SegmentLeft, one.left)):
            for part in _parts(ids, _IN_EVENT):
                yield kind(segment.tenant_id, segment.id, segment.uuid, segment.name, part)
    came, went = len(one.entered), len(one.left)
    yield SegmentRefreshed(segment.tenant_id, segment.id, len(one.found), came, went, segment.uuid, segment.name)
