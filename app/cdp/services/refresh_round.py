"""One pass over a tenant's segments: what changed of whom since the last one, and what it is asked with."""

from __future__ import annotations

import base64
from collections import defaultdict
from dataclasses import dataclass, field

from pyroaring import BitMap
from sqlalchemy import Table, delete, exists, insert, literal, select, update

from app.cdp.models import IndexState, Segment, SegmentSize
from app.cdp.services import evaluation
from app.cdp.services.conditions import Node
from app.cdp.services.conditions.people import member_measure
from app.cdp.services.engine.context import Context
from app.cdp.services.engine.idset import IdSet
from app.cdp.services.engine.json_sql import in_ids
from app.cdp.services.folding import TOUCHED
from app.cdp.services.folding_work import items
from app.core.clock import utc_now
from app.core.db import db, unit_of_work
from app.core.tenancy import current_tenant_id

segments: Table = Segment.__table__  # type: ignore[assignment]
sizes: Table = SegmentSize.__table__  # type: ignore[assignment]
MANY = 3  # when more than a third of everyone changed, everyone is asked
_MOST_NOTES = 2000


@dataclass
class Round:
    """What changed, by what a condition may need. With `is_forced` everyone is asked, whatever changed."""

    item_ids: list[int]
    touched: dict[str, IdSet]
    is_new_day: bool
    is_forced: bool
    ctx: Context
    unchanged: list[int] = field(default_factory=list)
    _narrow: Context | None = None

    def scope(self, tree: Node, *, is_counted: bool) -> IdSet | None:
        """Whom to ask about a condition; None is everyone."""
        leaves = list(tree.leaves())
        if self.is_forced or not is_counted or (self.is_new_day and any(leaf.is_daily for leaf in leaves)):
            return None
        needs = {"people", *(need for leaf in leaves for need in leaf.needs())}
        concerned = IdSet.union_of(self.touched[need] for need in needs if need in self.touched)
        is_everyones = concerned and not all(leaf.is_local for leaf in leaves)
        return None if is_everyones or len(concerned) * MANY > len(self.ctx.everyone) else concerned

    def context(self, scope: IdSet | None) -> Context:
        """What these are asked with: segments that are asked about a few share the answers about all who changed."""
        if scope is None:
            return self.ctx
        if self._narrow is None or scope - (self._narrow.only or IdSet()):
            self._narrow = self.ctx.narrowed(IdSet.union_of(self.touched.values()))
        return self._narrow

    def note_written(self, segment_id: int, changed: IdSet) -> None:
        """Let segments that need this one know who came and went."""
        measure = member_measure(segment_id)
        self.touched[measure] = self.touched.get(measure, IdSet()) | changed
        self.ctx.store.forget(measure)

    def begin_anew(self) -> None:
        """Ask again as things are now."""
        self.ctx, self._narrow = evaluation.context(today=self.ctx.today), None


def open_round(*, is_forced: bool = False) -> Round:
    """Read what was noted since the last round."""
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
    day = db.session.scalar(select(IndexState.refreshed_day).where(IndexState.tenant_id == ctx.tenant_id))
    touched = {need: IdSet.union_of(sets) for need, sets in parts.items()}
    return Round([row.id for row in rows], touched, day != ctx.today, is_forced, ctx)


def _unpacked(packed: dict[str, str]) -> IdSet:
    return IdSet({int(shard): BitMap.deserialize(base64.b64decode(text)) for shard, text in packed.items()})


def close_round(round_now: Round) -> None:
    """Forget what was changed, now that every segment knows of it."""
    today = round_now.ctx.today
    with unit_of_work():
        if round_now.item_ids:
            dialect = db.session.get_bind().dialect.name
            db.session.execute(delete(items).where(in_ids(items.c.id, round_now.item_ids, dialect)))
        _note_unchanged(round_now, today)
        state = db.session.scalars(select(IndexState)).one_or_none()
        if state is not None and state.refreshed_day != today:
            state.refreshed_day = today


def _note_unchanged(round_now: Round, today: int) -> None:
    """Those that were looked at and stayed as they were, and the sizes of all on a new day."""
    if round_now.unchanged:
        theirs = in_ids(segments.c.id, round_now.unchanged, db.session.get_bind().dialect.name)
        db.session.execute(update(segments).where(theirs).values(counted_at=utc_now(), error=""))
    if round_now.is_new_day:
        known = exists().where(sizes.c.segment_id == segments.c.id, sizes.c.day == today)
        missing = select(segments.c.id, literal(today), segments.c.member_count, segments.c.tenant_id).where(
            segments.c.tenant_id == current_tenant_id(), segments.c.member_count.is_not(None), ~known
        )
        names = ["segment_id", "day", "member_count", "tenant_id"]
        db.session.execute(insert(sizes).from_select(names, missing))
