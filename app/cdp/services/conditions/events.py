"""What people did or did not do, how often, and what it came to."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import numpy as np
from sqlalchemy import Float, and_, cast, func, not_, select
from sqlalchemy import exists as sql_exists

from app.cdp.services.conditions import windows, words
from app.cdp.services.conditions.comparisons import NumberIs
from app.cdp.services.conditions.event_parts import Happening, event_need, events
from app.cdp.services.conditions.nodes import Leaf
from app.cdp.services.conditions.windows import Window
from app.cdp.services.engine.context import Context
from app.cdp.services.engine.idset import SHARD_SIZE, IdSet, bitmap_of
from app.cdp.services.engine.json_sql import JsonValue, Sql, Truth
from app.cdp.services.engine.rows import Batch, Days

PLAY = 1e-9  # sums are compared with this much play, relative
FUNCTIONS = {"sum": "total", "average": "average", "minimum": "lowest", "maximum": "highest"}


@dataclass(frozen=True)
class Aggregate:
    """A number in a property over all the events meant; who has none passes nothing."""

    function: str
    property_name: str
    test: NumberIs

    def sql(self, ctx: Context) -> Sql:
        number = JsonValue(events.c.properties, self.property_name, ctx.dialect).number()
        functions: dict[str, Any] = {"sum": func.sum, "average": func.avg, "minimum": func.min, "maximum": func.max}
        found: Sql = functions[self.function](cast(number, Float(53)))
        return found

    def passing(self, ids: np.ndarray, numbers: np.ndarray) -> np.ndarray:
        """Low ids of a shard whose number passes."""
        known = ~np.isnan(numbers)
        ids, numbers = ids[known], numbers[known]
        if not len(ids):
            return np.empty(0, dtype=np.uint32)
        counts = np.bincount(ids, minlength=SHARD_SIZE)
        people = np.flatnonzero(counts)
        return people[self.test.mask_of(self._over(ids, numbers, counts)[people])].astype(np.uint32)

    def _over(self, ids: np.ndarray, numbers: np.ndarray, counts: np.ndarray) -> np.ndarray:
        if self.function in ("minimum", "maximum"):
            start, operate = (np.inf, np.minimum) if self.function == "minimum" else (-np.inf, np.maximum)
            found = np.full(SHARD_SIZE, start)
            operate.at(found, ids, numbers)
            return found
        total = np.bincount(ids, weights=numbers, minlength=SHARD_SIZE)
        return total / np.maximum(counts, 1) if self.function == "average" else total

    def words(self) -> str:
        return f"the {FUNCTIONS[self.function]} {words.name(self.property_name)} {self.test.words()}"


@dataclass(frozen=True)
class EventIs(Leaf):
    """Happened within the window, so often, and came to so much."""

    what: Happening
    window: Window = windows.EVER
    count: NumberIs | None = None
    aggregate: Aggregate | None = None
    is_negated: bool = False

    @property
    def _is_plain(self) -> bool:
        return self.count is None and self.aggregate is None

    def as_sql(self, ctx: Context) -> Truth:
        found = self._happened(ctx)
        return not_(found) if self.is_negated else found

    def _happened(self, ctx: Context) -> Truth:
        days = self.window.days(ctx.today)
        tests = []
        if self.count is not None:
            counted = self.what.of_person(ctx, days, func.count()).scalar_subquery()
            tests.append(self.count.sql_of(counted))
        if self.aggregate is not None:
            over = self.what.of_person(ctx, days, self.aggregate.sql(ctx)).scalar_subquery()
            tests.append(self.aggregate.test.sql_of(over))
        return and_(*tests) if tests else sql_exists(self.what.of_person(ctx, days))

    def find(self, ctx: Context) -> IdSet:
        found = self._found(ctx)
        return ctx.people - found if self.is_negated else found

    def _found(self, ctx: Context) -> IdSet:
        index = ctx.event(self.what.event)
        days = self.window.days(ctx.today)
        if not self.what.is_indexed(ctx, days):
            return self._by_select(ctx, days)
        if self._is_plain and not self.what.where:
            return index.who(days, ctx.today) if index else IdSet()
        return self._counted(ctx, list(index.batches(days)) if index else [])

    def _counted(self, ctx: Context, batches: list[Batch]) -> IdSet:
        rows = [(batch, self.what.mask(batch, ctx)) for batch in batches]
        if self._is_plain:
            return _by_shard(rows, lambda batch, kept: np.unique(batch.ids[kept]))
        sets = []
        if self.count is not None:
            sets.append(self._often(ctx, rows, self.count))
        if self.aggregate is not None:
            over = self.aggregate
            sets.append(
                _by_shard(
                    rows, lambda batch, kept: over.passing(batch.ids[kept], batch.numbers(over.property_name)[kept])
                )
            )
        return sets[0] if len(sets) == 1 else sets[0] & sets[1]

    def _often(self, ctx: Context, rows: list[tuple[Batch, np.ndarray]], count: NumberIs) -> IdSet:
        """Those who never did it count as well, when no times pass."""
        passes_without = bool(count.test(0))

        def chosen(batch: Batch, kept: np.ndarray) -> np.ndarray:
            counts = np.bincount(batch.ids[kept], minlength=SHARD_SIZE)
            people = np.flatnonzero(counts)
            return people[count.mask_of(counts[people]) != passes_without].astype(np.uint32)

        found = _by_shard(rows, chosen)
        return ctx.people - found if passes_without else found

    def _by_select(self, ctx: Context, days: Days) -> IdSet:
        """One SELECT, by person where few are asked about or no event counts too, else by event."""
        never_passes = self.count is None or not self.count.test(0)
        if ctx.only is not None or not never_passes:
            return ctx.select_ids(self._happened(ctx))
        grouped = select(events.c.profile_id).where(self.what.sql(ctx, days)).group_by(events.c.profile_id)
        if self.count is not None:
            grouped = grouped.having(self.count.sql_of(func.count()))
        if self.aggregate is not None:
            grouped = grouped.having(self.aggregate.test.sql_of(self.aggregate.sql(ctx)))
        return IdSet.of(ctx.session.scalars(grouped))

    def needs(self) -> frozenset[str]:
        return frozenset({event_need(self.what.event)})

    def is_indexed(self, ctx: Context) -> bool:
        return self.what.is_indexed(ctx, self.window.days(ctx.today))

    @property
    def is_daily(self) -> bool:
        return self.window.is_relative or self.what.is_daily

    def sentence(self) -> str:
        verb = "did not" if self.is_negated else "did"
        told = [f"{verb} {self.what.words()}"]
        if self.count is not None:
            told.append(_count_words(self.count))
        told.append(self.window.words())
        if self.aggregate is not None:
            told.append(f"and {self.aggregate.words()}")
        return " ".join(told)

    def because(self, ctx: Context, profile_id: int) -> str:
        days = self.window.days(ctx.today)
        asked = select(func.count(), func.max(events.c.day)).where(
            events.c.profile_id == profile_id, self.what.sql(ctx, days, by_person=True)
        )
        count, last = ctx.session.execute(asked).one()
        if not count:
            return f"no {self.what.words()} {self.window.words()}"
        return f"{words.plural(count, words.name(self.what.event))} {self.window.words()}, last on {words.day(last)}"


def _by_shard(rows: list[tuple[Batch, np.ndarray]], choose: Callable[[Batch, np.ndarray], np.ndarray]) -> IdSet:
    return IdSet({batch.shard: bitmap_of(choose(batch, kept)) for batch, kept in rows})


def _count_words(count: NumberIs) -> str:
    often = words.times(int(count.low))
    return {"greater_or_equal": f"at least {often}", "less_or_equal": f"at most {often}"}.get(
        count.operator, f"exactly {often}"
    )


@dataclass(frozen=True)
class EventEdge(Leaf):
    """The first or the last time something happened lies within the window."""

    edge: str
    what: Happening
    window: Window

    def as_sql(self, ctx: Context) -> Truth:
        days = self.window.days(ctx.today)
        outside = Days(last=_before(days)) if self.edge == "first" else Days(first=_after(days))
        inside = sql_exists(self.what.of_person(ctx, days))
        if outside == Days():
            return inside
        return and_(inside, not_(sql_exists(self.what.of_person(ctx, outside))))

    def find(self, ctx: Context) -> IdSet:
        days = self.window.days(ctx.today)
        outside = Days(last=_before(days)) if self.edge == "first" else Days(first=_after(days))
        inside = ctx.answer(EventOnDays(self.what, days))
        return inside if outside == Days() else inside - ctx.answer(EventOnDays(self.what, outside))

    def needs(self) -> frozenset[str]:
        return frozenset({event_need(self.what.event)})

    def is_indexed(self, ctx: Context) -> bool:
        return self.what.is_indexed(ctx, Days())

    @property
    def is_daily(self) -> bool:
        return self.window.is_relative or self.what.is_daily

    def sentence(self) -> str:
        return f"did {self.what.words()} for the {self.edge} time {self.window.words()}"

    def because(self, ctx: Context, profile_id: int) -> str:
        edge = func.min(events.c.day) if self.edge == "first" else func.max(events.c.day)
        day = ctx.session.scalar(
            select(edge).where(events.c.profile_id == profile_id, self.what.sql(ctx, Days(), by_person=True))
        )
        return f"the {self.edge} was on {words.day(day)}" if day is not None else f"never did {self.what.words()}"


def _before(days: Days) -> int | None:
    return None if days.first is None else days.first - 1


def _after(days: Days) -> int | None:
    return None if days.last is None else days.last + 1


@dataclass(frozen=True)
class EventOnDays(Leaf):
    """Happened on one of the days: what other event conditions are put together from."""

    what: Happening
    days: Days

    def as_sql(self, ctx: Context) -> Truth:
        return sql_exists(self.what.of_person(ctx, self.days))

    def find(self, ctx: Context) -> IdSet:
        index = ctx.event(self.what.event)
        if not self.what.is_indexed(ctx, self.days):
            grouped = select(events.c.profile_id).where(self.what.sql(ctx, self.days)).distinct()
            return super().find(ctx) if ctx.only is not None else IdSet.of(ctx.session.scalars(grouped))
        if index is None:
            return IdSet()
        if not self.what.where:
            return index.who(self.days, ctx.today)
        rows = [(batch, self.what.mask(batch, ctx)) for batch in index.batches(self.days)]
        return _by_shard(rows, lambda batch, kept: np.unique(batch.ids[kept]))
