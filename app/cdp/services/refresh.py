"""Segments kept up to date: those something changed for are asked about whom it changed for, and nobody else.

Many are counted over one context and written in one short transaction. The notes of what changed go last: after a
refresh that was killed, the next one looks again, and writes nothing a second time.
"""

from __future__ import annotations

import time
from collections.abc import Sequence
from dataclasses import dataclass, field
from functools import cached_property
from typing import Any

from sqlalchemy import Table, select

from app.cdp.models import Segment, SegmentKind
from app.cdp.services.conditions.people import member_measure, stored_members
from app.cdp.services.engine.context import Context, profiles
from app.cdp.services.engine.idset import IdSet
from app.cdp.services.engine.json_sql import in_ids, of_tenant
from app.cdp.services.engine.rows import as_bitmap
from app.cdp.services.engine.store import Head
from app.cdp.services.refresh_round import Round, close_round, open_round
from app.cdp.services.segment_members import Filling, write_many
from app.cdp.services.segment_rules import in_order, needs_of, tree_of
from app.core.db import db, find_row, unit_of_work
from app.core.errors import AppError, Conflict
from app.core.tenancy import current_tenant_id

segments: Table = Segment.__table__  # type: ignore[assignment]
MOST_SEGMENTS = 50  # written in one transaction
MOST_CHANGES = 20_000  # people who come and go in one transaction; a single segment may have more
_TRIES = 5


@dataclass(frozen=True)
class Row:
    """A segment as it was when the refresh began."""

    id: int
    kind: str
    conditions: dict[str, Any]
    version: int
    counted_version: int | None

    @cached_property
    def needs(self) -> set[int]:
        return needs_of(self)

    @property
    def is_counted(self) -> bool:
        return self.counted_version == self.version


@dataclass(frozen=True)
class Count:
    """Whom a segment is to have, and the slices its members before were read from."""

    row: Row
    found: IdSet
    changes: int
    seen: list[Head]
    took_ms: int


@dataclass
class Batch:
    """What was counted and waits to be written, and what has to be counted again."""

    waiting: dict[int, Count] = field(default_factory=dict)
    stale: list[int] = field(default_factory=list)

    @property
    def is_full(self) -> bool:
        return len(self.waiting) >= MOST_SEGMENTS or sum(one.changes for one in self.waiting.values()) > MOST_CHANGES


def refresh_all() -> int:
    """Bring every segment of the acting tenant up to date; how many were looked at. Safe to run again at any point."""
    round_now = open_round()
    looked_at = _refresh(round_now, in_order(_rows()))
    close_round(round_now)
    return looked_at


def refresh_segment(segment_id: int) -> None:
    """Look at everyone for one segment, and at those it touches in the segments built on it."""
    _refresh(open_round(is_forced=True), [row for row in _rows() if row.id == segment_id])
    if any(segment_id in row.needs for row in _rows()):
        refresh_all()


def _rows() -> list[Row]:
    names = ("id", "kind", "conditions", "version", "counted_version")
    mine = segments.c.tenant_id == current_tenant_id()
    rows = db.session.execute(select(*(segments.c[name] for name in names)).where(mine).order_by(segments.c.id))
    return [Row(*row) for row in rows]


def _refresh(round_now: Round, rows: Sequence[Row]) -> int:
    """Count and write these; again those that somebody else wrote meanwhile. How many were looked at."""
    looked_at = 0
    for _ in range(_TRIES):
        stale: list[int] = []
        for start in range(0, len(rows), MOST_SEGMENTS):
            part = rows[start : start + MOST_SEGMENTS]
            looked_at += _refresh_part(round_now, [row for row in part if _is_concerned(round_now, row)], stale)
        if not stale:
            return looked_at
        round_now.begin_anew()
        rows = [row for row in _rows() if row.id in stale]
    raise Conflict("These segments are being counted by several at once.")


def _is_concerned(round_now: Round, row: Row) -> bool:
    """Whether there may be anybody to ask about, once the segments it needs are counted."""
    if row.kind == SegmentKind.STATIC:
        return "people" in round_now.touched
    if row.needs:
        return True
    try:
        scope = round_now.scope(tree_of(row), is_counted=row.is_counted)
    except AppError:
        return True
    return scope is None or bool(scope)


def _refresh_part(round_now: Round, rows: Sequence[Row], stale: list[int]) -> int:
    batch, looked_at = Batch(stale=stale), 0
    round_now.ctx.store.prefetch((member_measure(row.id) for row in rows), as_bitmap)
    for row in rows:
        if batch.is_full or row.needs & batch.waiting.keys():
            _write(round_now, batch)
        try:
            count = _count_static(round_now, row) if row.kind == SegmentKind.STATIC else _count(round_now, row)
        except AppError as error:  # a trait it needs was deleted, or an earlier release wrote it
            _note_error(row.id, error.message)
            looked_at += 1
            continue
        looked_at += count is not None
        if count is not None:
            _take(round_now, batch, count)
    _write(round_now, batch)
    return looked_at


def _take(round_now: Round, batch: Batch, count: Count) -> None:
    if not count.changes and count.row.is_counted and not round_now.is_forced:
        round_now.unchanged.append(count.row.id)
    else:
        batch.waiting[count.row.id] = count


def _count(round_now: Round, row: Row) -> Count | None:
    """None when there is nobody to ask about."""
    tree = tree_of(row)
    scope = round_now.scope(tree, is_counted=row.is_counted)
    if scope is not None and not scope:
        return None
    started = time.perf_counter()
    ctx = round_now.context(scope)
    found, before = tree.evaluate(ctx), stored_members(ctx, row.id)
    if ctx.only is not None:
        found = (before - ctx.only) | found
    return _counted(ctx, row, before, found, started)


def _counted(ctx: Context, row: Row, before: IdSet, found: IdSet, started: float) -> Count:
    took_ms = round((time.perf_counter() - started) * 1000)
    return Count(row, found, len(before ^ found), ctx.store.heads(member_measure(row.id)), took_ms)


def _count_static(round_now: Round, row: Row) -> Count | None:
    """A static segment loses who is gone; who turned out to be another stays as that one."""
    started, ctx = time.perf_counter(), round_now.ctx
    before = stored_members(ctx, row.id)
    gone = (before & round_now.touched.get("people", IdSet())) - ctx.everyone
    if not gone:
        return None
    return _counted(ctx, row, before, (before - gone) | _winners(ctx, gone), started)


def _winners(ctx: Context, gone: IdSet) -> IdSet:
    """Who those are by now that were merged, at the end of the chain."""
    found, layer = IdSet(), gone
    while layer:
        merged = select(profiles.c.merged_into_id).where(
            of_tenant(profiles, ctx.tenant_id), in_ids(profiles.c.id, layer, ctx.dialect),
            profiles.c.merged_into_id.is_not(None),
        )  # fmt: skip
        layer = IdSet.of(ctx.session.scalars(merged)) - found
        found = found | layer
    return found & ctx.everyone


def _write(round_now: Round, batch: Batch) -> None:
    """Write what waits in one transaction. Not written: what was deleted, what is about to be counted with another
    condition, and what somebody else wrote since it was counted, which is stale."""
    waiting, batch.waiting = batch.waiting, {}
    if not waiting:
        return
    chosen = select(Segment).where(Segment.id.in_(waiting)).order_by(Segment.id)
    with unit_of_work():
        locked = db.session.scalars(chosen.with_for_update().execution_options(populate_existing=True)).all()
        rows = [row for row in locked if row.version == waiting[row.id].row.version]
        written = write_many([_filling(row, waiting[row.id]) for row in rows], round_now.ctx.today)
        for one in written:
            if one.segment.kind == SegmentKind.LIVE:
                one.segment.took_ms = waiting[one.segment.id].took_ms
                one.segment.counted_version = one.segment.version
        changed = {one.segment.id: one.entered | one.left for one in written}
        batch.stale += [row.id for row in rows if row.id not in changed]
    for segment_id, ids in changed.items():
        round_now.note_written(segment_id, ids)


def _filling(row: Segment, count: Count) -> Filling:
    is_first = row.kind == SegmentKind.LIVE and row.counted_version is None
    return Filling(row, count.found, is_first, seen=count.seen)


def _note_error(segment_id: int, message: str) -> None:
    with unit_of_work():
        row = find_row(Segment, segment_id)
        if row is not None:
            row.error = message
