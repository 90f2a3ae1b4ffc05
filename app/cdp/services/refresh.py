"""Segments kept up to date: those something changed for are asked about whom it changed for, and nobody else."""

from __future__ import annotations

import base64
import time
from collections import defaultdict
from dataclasses import dataclass, field

from pyroaring import BitMap
from sqlalchemy import Table, delete, exists, insert, literal, select, update

from app.cdp.models import IndexState, Segment, SegmentKind, SegmentSize
from app.cdp.services import evaluation
from app.cdp.services.conditions import Node, parse
from app.cdp.services.conditions.people import InSegment, member_measure, stored_members
from app.cdp.services.engine.context import Context, profiles
from app.cdp.services.engine.idset import IdSet
from app.cdp.services.engine.json_sql import in_ids
from app.cdp.services.folding import TOUCHED
from app.cdp.services.folding_work import items
from app.cdp.services.segment_members import write_members
from app.cdp.services.segment_rules import in_order, needs_of
from app.core.clock import utc_now
from app.core.db import db, find_row, unit_of_work
from app.core.errors import AppError
from app.core.tenancy import current_tenant_id

segments: Table = Segment.__table__  # type: ignore[assignment]
sizes: Table = SegmentSize.__table__  # type: ignore[assignment]
_MOST_NOTES = 2000
MANY = 3  # when more than a third of everyone changed, everyone is asked


@dataclass
class Round:
    """One pass over the segments: what changed of whom since the last one."""

    item_ids: list[int]
    touched: dict[str, IdSet]
    is_new_day: bool
    today: int
    version: int
    contexts: dict[str, Context] = field(default_factory=dict)
    unchanged: list[int] = field(default_factory=list)

    def concerned(self, tree: Node) -> IdSet:
        """Those of whom something changed that the condition reads."""
        needs = {"people", *(need for leaf in tree.leaves() for need in leaf.needs())}
        return IdSet.union_of(self.touched[need] for need in needs if need in self.touched)


def refresh_all() -> int:
    """Bring every segment of the acting tenant up to date; how many were looked at. Safe to run again at any point."""
    round_now = _open_round()
    looked_at = 0
    ordered = in_order(list(db.session.scalars(select(Segment).order_by(Segment.id))))
    for segment_id in [segment.id for segment in ordered]:
        looked_at += _refresh_one(round_now, segment_id)
    _close_round(round_now)
    return looked_at


def refresh_segment(segment_id: int) -> None:
    """Look at everyone for one segment, and at those it touches in the segments built on it."""
    _refresh_one(_open_round(), segment_id, everyone=True)
    if _is_used(segment_id):
        refresh_all()


def _is_used(segment_id: int) -> bool:
    return any(segment_id in needs_of(row) for row in db.session.scalars(select(Segment)))


def _open_round() -> Round:
    rows = db.session.execute(
        select(items.c.id, items.c.payload)
        .where(items.c.tenant_id == current_tenant_id(), items.c.kind == TOUCHED)
        .order_by(items.c.id)
        .limit(_MOST_NOTES)
    ).all()
    parts: dict[str, list[IdSet]] = defaultdict(list)
    for _, payload in rows:
        for need, packed in payload["needs"].items():
            parts[need].append(_unpacked(packed))
    ctx = evaluation.context()
    state = db.session.scalar(select(IndexState.refreshed_day).where(IndexState.tenant_id == ctx.tenant_id))
    touched = {need: IdSet.union_of(sets) for need, sets in parts.items()}
    return Round([row.id for row in rows], touched, state != ctx.today, ctx.today, ctx.version)


def _unpacked(packed: dict[str, str]) -> IdSet:
    return IdSet({int(shard): BitMap.deserialize(base64.b64decode(text)) for shard, text in packed.items()})


def _close_round(round_now: Round) -> None:
    """Forget what was changed, now that every segment knows of it."""
    with unit_of_work():
        if round_now.item_ids:
            dialect = db.session.get_bind().dialect.name
            db.session.execute(delete(items).where(in_ids(items.c.id, round_now.item_ids, dialect)))
        _note_unchanged(round_now)
        state = db.session.scalars(select(IndexState)).one_or_none()
        if state is not None and state.refreshed_day != round_now.today:
            state.refreshed_day = round_now.today


def _note_unchanged(round_now: Round) -> None:
    """Those that were looked at and stayed as they were, and the sizes of all on a new day."""
    if round_now.unchanged:
        theirs = in_ids(segments.c.id, round_now.unchanged, db.session.get_bind().dialect.name)
        db.session.execute(update(segments).where(theirs).values(counted_at=utc_now()))
    if round_now.is_new_day:
        known = exists().where(sizes.c.segment_id == segments.c.id, sizes.c.day == round_now.today)
        missing = select(segments.c.id, literal(round_now.today), segments.c.member_count, segments.c.tenant_id).where(
            segments.c.tenant_id == current_tenant_id(), segments.c.member_count.is_not(None), ~known
        )
        names = ["segment_id", "day", "member_count", "tenant_id"]
        db.session.execute(insert(sizes).from_select(names, missing))


def _refresh_one(round_now: Round, segment_id: int, *, everyone: bool = False) -> int:
    segment = find_row(Segment, segment_id)
    if segment is None:
        return 0
    if segment.kind == SegmentKind.STATIC:
        return _refresh_static(round_now, segment)
    try:
        tree = parse(segment.conditions)
        scope = _scope(round_now, segment, tree, everyone=everyone)
        if scope is not None and not scope:
            return 0
        _apply(round_now, segment, tree, scope)
    except AppError as error:  # a trait it needs was deleted, or an earlier release wrote it
        _note_error(segment_id, error.message)
    return 1


def _scope(round_now: Round, segment: Segment, tree: Node, *, everyone: bool) -> IdSet | None:
    """Whom to ask about; None is everyone."""
    if everyone or segment.counted_version != segment.version:
        return None
    if round_now.is_new_day and any(leaf.is_daily for leaf in tree.leaves()):
        return None
    concerned = round_now.concerned(tree)
    if concerned and not all(leaf.is_local for leaf in tree.leaves()):
        return None
    return concerned


def _apply(round_now: Round, segment: Segment, tree: Node, scope: IdSet | None) -> None:
    started = time.perf_counter()
    ctx = _context_for(round_now, tree, scope)
    if scope is not None and len(scope) * MANY > len(ctx.everyone):
        ctx, scope = evaluation.context(today=round_now.today), None
    found = tree.evaluate(ctx)
    if scope is not None:
        before = stored_members(ctx, segment.id)
        found = (before - (ctx.only or scope)) | found
        if found == before:
            round_now.unchanged.append(segment.id)
            return
    took_ms = round((time.perf_counter() - started) * 1000)
    version, segment_id = segment.version, segment.id
    with unit_of_work():
        row = db.session.scalars(
            select(Segment).where(Segment.id == segment_id).with_for_update().execution_options(populate_existing=True)
        ).one_or_none()
        if row is None or row.version != version:  # deleted, or about to be counted with another condition
            return
        row.took_ms = took_ms
        changed = write_members(row, found, is_first=row.counted_version is None, today=round_now.today)
        row.counted_version = version
    measure = member_measure(segment_id)
    round_now.touched[measure] = round_now.touched.get(measure, IdSet()) | changed


def _context_for(round_now: Round, tree: Node, scope: IdSet | None) -> Context:
    """Segments asked about the same people share their answers; who needs another segment looks for itself."""
    if scope is None:
        key = "everyone"
    elif any(isinstance(leaf, InSegment) for leaf in tree.leaves()):
        return evaluation.context(today=round_now.today).narrowed(scope)
    else:
        key = "touched"
        scope = IdSet.union_of(round_now.touched.values())
    if key not in round_now.contexts or any(isinstance(leaf, InSegment) for leaf in tree.leaves()):
        ctx = evaluation.context(today=round_now.today)
        round_now.contexts[key] = ctx if scope is None else ctx.narrowed(scope)
    return round_now.contexts[key]


def _refresh_static(round_now: Round, segment: Segment) -> int:
    """A static segment loses who is gone; who turned out to be another stays as that one."""
    changed = round_now.touched.get("people", IdSet())
    ctx = evaluation.context(today=round_now.today)
    before = stored_members(ctx, segment.id)
    gone = (before & changed) - ctx.everyone
    if not gone:
        return 0
    winners = db.session.scalars(
        select(profiles.c.merged_into_id).where(
            in_ids(profiles.c.id, gone, ctx.dialect), profiles.c.merged_into_id.is_not(None)
        )
    )
    found = (before - gone) | (IdSet.of(winners) & ctx.everyone)
    with unit_of_work():
        row = db.session.scalars(select(Segment).where(Segment.id == segment.id).with_for_update()).one_or_none()
        if row is not None:
            write_members(row, found, is_first=False, today=round_now.today)
    return 1


def _note_error(segment_id: int, message: str) -> None:
    with unit_of_work():
        row = find_row(Segment, segment_id)
        if row is not None:
            row.error = message
