"""The index held against the truth on some people at a time; whoever differs is folded anew."""

from __future__ import annotations

import random
from collections import Counter

from sqlalchemy import and_, func, select

from app.cdp.models import EventName, FoldItem
from app.cdp.services import evaluation, fold_queue
from app.cdp.services.conditions.event_parts import Happening
from app.cdp.services.engine.columns import Column
from app.cdp.services.engine.context import Context, profiles
from app.cdp.services.engine.idset import SHARD_BITS, IdSet
from app.cdp.services.engine.json_sql import Truth, in_ids, of_tenant
from app.cdp.services.engine.rows import Days
from app.cdp.services.folding_people import fixed_measures, read_people
from app.cdp.services.folding_work import FoldWork, events
from app.core.db import db, unit_of_work
from app.core.logs import get_logger
from app.core.tenancy import current_tenant_id

SAMPLE = 500
log = get_logger()


def check_and_repair(sample: int = SAMPLE) -> list[int]:
    """Ids of the people, of a random sample, about whom the index was wrong; they are folded anew."""
    if db.session.scalar(select(FoldItem.id).where(FoldItem.kind != "touched").limit(1)) is not None:
        return []  # what waits to be folded differs, and is about to
    wrong = sorted(find_wrong(_sample(sample)))
    if wrong:
        log.error("index_differed", tenant_id=current_tenant_id(), people=len(wrong))
        with unit_of_work():
            for one in wrong:
                fold_queue.note_moved(one, one)
            fold_queue.note_profiles(wrong)
    return wrong


def _sample(size: int) -> list[int]:
    """Some people next to each other, from a random one on."""
    low, high = db.session.execute(select(func.min(profiles.c.id), func.max(profiles.c.id)).where(_own())).one()
    if low is None:
        return []
    start = random.randint(low, high)
    after = select(profiles.c.id).where(_own(), profiles.c.id >= start).order_by(profiles.c.id).limit(size)
    before = select(profiles.c.id).where(_own(), profiles.c.id < start).order_by(profiles.c.id.desc()).limit(size)
    found = list(db.session.scalars(after))
    return (found + list(db.session.scalars(before)))[:size]


def _own() -> Truth:
    return profiles.c.tenant_id == current_tenant_id()


def find_wrong(ids: list[int]) -> set[int]:
    """Those of whom the index says something else than the truth."""
    ctx = evaluation.context()
    asked = ctx.narrowed(IdSet.of(ids))
    work = FoldWork(ctx.session, ctx.tenant_id, ctx.version, ctx.store)
    alive, known = read_people(work, ids)
    wrong = set(asked.people ^ alive)
    for measure in fixed_measures():
        there = Column(ctx.store, measure).present() & asked.only if asked.only else IdSet()
        wrong |= set(there ^ IdSet.of(known.get(measure, {})))
    for (name,) in ctx.session.execute(select(EventName.name).where(EventName.tenant_id == ctx.tenant_id)):
        wrong |= _wrong_events(asked, name, ids)
    return wrong


def _wrong_events(ctx: Context, name: str, ids: list[int]) -> set[int]:
    """Whoever did it another number of times than the rows of the index say."""
    index = ctx.event(name)
    counted: Counter[tuple[int, int]] = Counter()
    for batch in index.batches(Days()) if index else ():
        kept = Happening(name).mask(batch, ctx)
        owners = (batch.ids[kept].astype("int64") + (batch.shard << SHARD_BITS)).tolist()
        counted.update(zip(owners, batch.days[kept].tolist(), strict=True))
    rows = ctx.session.execute(
        select(events.c.profile_id, events.c.day, func.count())
        .where(
            and_(of_tenant(events, ctx.tenant_id), events.c.name_id + 0 == ctx.name_id(name)),
            in_ids(events.c.profile_id, ids, ctx.dialect),
        )
        .group_by(events.c.profile_id, events.c.day)
    )
    truth = {(profile_id, day): count for profile_id, day, count in rows}
    return {one[0] for one in truth.keys() | counted.keys() if truth.get(one, 0) != counted.get(one, 0)}
