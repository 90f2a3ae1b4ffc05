"""Habits: who stopped doing something, and who does it again and again."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from pyroaring import BitMap
from sqlalchemy import and_, case, exists, not_

from app.cdp.services.conditions import words
from app.cdp.services.conditions.event_parts import Happening, event_need
from app.cdp.services.conditions.events import EventOnDays
from app.cdp.services.conditions.nodes import Leaf
from app.cdp.services.engine.context import Context
from app.cdp.services.engine.idset import SHARD_SIZE, IdSet, bitmap_of, ids_of
from app.cdp.services.engine.json_sql import Truth
from app.cdp.services.engine.rows import Days


@dataclass(frozen=True)
class Habit(Leaf):
    """What both kinds share."""

    what: Happening

    def needs(self) -> frozenset[str]:
        return frozenset({event_need(self.what.event)})

    def is_indexed(self, ctx: Context) -> bool:
        return self.what.is_indexed(ctx, Days())

    @property
    def is_daily(self) -> bool:
        return True


@dataclass(frozen=True)
class Stopped(Habit):
    """Did it in the days before, but not in the last ones."""

    active_days: int
    quiet_days: int

    def _days(self, ctx: Context) -> tuple[Days, Days]:
        quiet_from = ctx.today - self.quiet_days + 1
        return Days(quiet_from - self.active_days, quiet_from - 1), Days(quiet_from, ctx.today)

    def as_sql(self, ctx: Context) -> Truth:
        active, quiet = self._days(ctx)
        return and_(exists(self.what.of_person(ctx, active)), not_(exists(self.what.of_person(ctx, quiet))))

    def find(self, ctx: Context) -> IdSet:
        active, quiet = self._days(ctx)
        return ctx.answer(EventOnDays(self.what, active)) - ctx.answer(EventOnDays(self.what, quiet))

    def sentence(self) -> str:
        return (
            f"stopped doing {self.what.words()}: not in the last {words.plural(self.quiet_days, 'day')}, "
            f"but in the {words.plural(self.active_days, 'day')} before"
        )


@dataclass(frozen=True)
class Regularly(Habit):
    """Did it in at least so many of the last periods, each of so many days, the last of them ending today."""

    at_least: int
    periods: int
    period_days: int

    def _periods(self, ctx: Context) -> list[Days]:
        ends = [ctx.today - number * self.period_days for number in range(self.periods)]
        return [Days(end - self.period_days + 1, end) for end in ends]

    def as_sql(self, ctx: Context) -> Truth:
        did = [exists(self.what.of_person(ctx, days)) for days in self._periods(ctx)]
        count = sum((case((one, 1), else_=0) for one in did[1:]), start=case((did[0], 1), else_=0))
        found: Truth = count >= self.at_least
        return found

    def find(self, ctx: Context) -> IdSet:
        sets = [ctx.answer(EventOnDays(self.what, days)) for days in self._periods(ctx)]
        shards = {shard for one in sets for shard in one.shards}
        return IdSet(
            {shard: self._often([one.shards[shard] for one in sets if shard in one.shards]) for shard in shards}
        )

    def _often(self, bitmaps: list[BitMap]) -> BitMap:
        counts = np.zeros(SHARD_SIZE, dtype=np.uint16)
        for bitmap in bitmaps:
            counts[ids_of(bitmap)] += 1
        return bitmap_of(np.flatnonzero(counts >= self.at_least).astype(np.uint32))

    def sentence(self) -> str:
        return (
            f"did {self.what.words()} in at least {self.at_least:,} of the last {self.periods:,} "
            f"periods of {words.plural(self.period_days, 'day')}"
        )
