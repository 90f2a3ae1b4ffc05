"""The most and the least: the top so many, or so many percent, by a number."""

from __future__ import annotations

import math
from collections.abc import Iterator
from dataclasses import dataclass

import numpy as np
from sqlalchemy import func, select

from app.cdp.services.conditions import words
from app.cdp.services.conditions.computed import known_sql, value_array, value_sql
from app.cdp.services.conditions.nodes import Leaf
from app.cdp.services.conditions.reader import Reader
from app.cdp.services.conditions.traits import MOMENT_FIELDS, TEXT_FIELDS, left_out_measure, trait_measure
from app.cdp.services.engine.columns import Column
from app.cdp.services.engine.context import Context, profiles
from app.cdp.services.engine.definitions import FROM_ROWS, find_definition, find_measure, measure_key
from app.cdp.services.engine.idset import LOW_MASK, SHARD_BITS, IdSet, ids_of
from app.cdp.services.engine.json_sql import JsonValue, Sql, Truth
from app.cdp.services.engine.values import NUMBER


@dataclass(frozen=True)
class Ranked(Leaf):
    """Among all who have the number; of two with the same the older profile comes first."""

    trait: str
    is_computed: bool
    from_top: bool
    count: int | None = None
    percent: float | None = None

    def as_sql(self, ctx: Context) -> Truth:
        value, is_known = self._value(ctx)
        valued = select(profiles.c.id, value.label("value")).where(
            profiles.c.tenant_id == ctx.tenant_id, profiles.c.merged_into_id.is_(None), is_known
        ).subquery()  # fmt: skip
        order = valued.c.value.desc() if self.from_top else valued.c.value.asc()
        place = func.row_number().over(order_by=(order, valued.c.id))
        placed = select(valued.c.id, place.label("place"), func.count().over().label("all")).subquery()
        return profiles.c.id.in_(select(placed.c.id).where(self._is_in(placed.c.place, placed.c.all)))

    def _value(self, ctx: Context) -> tuple[Sql, Truth]:
        if not self.is_computed:
            number = JsonValue(profiles.c.traits, self.trait, ctx.dialect).number()
            return number, number.is_not(None)
        what = find_definition(ctx, self.trait)
        value = value_sql(ctx, what)
        return value, known_sql(value, what)

    def _is_in(self, place: Sql, everyone: Sql) -> Truth:
        if self.count is not None:
            return place <= self.count
        return (place - 1) * 100.0 < everyone * self.percent

    def find(self, ctx: Context) -> IdSet:
        if not self.is_indexed(ctx):
            return IdSet.of(ctx.session.scalars(select(profiles.c.id).where(self.as_sql(ctx))))
        ids, numbers = self._numbers(ctx)
        most = self._most(len(ids))
        if most == 0:
            return IdSet()
        values = -numbers if self.from_top else numbers
        last = np.partition(values, most - 1)[most - 1]
        sure = ids[values < last]
        tied = np.sort(ids[values == last])[: most - len(sure)]  # of two with the same the older comes first
        return IdSet.of_array(np.concatenate([sure, tied]))

    def _most(self, everyone: int) -> int:
        """How many places count: as the SQL has it, those before which fewer than the percentage stand."""
        if self.count is not None:
            return min(self.count, everyone)
        share = everyone * (self.percent or 0.0)
        most = min(everyone, math.ceil(share / 100.0))
        while most > 0 and (most - 1) * 100.0 >= share:
            most -= 1
        while most < everyone and most * 100.0 < share:
            most += 1
        return most

    def _numbers(self, ctx: Context) -> tuple[np.ndarray, np.ndarray]:
        """Ids and numbers of everyone alive who has one."""
        parts = [(ids, numbers) for ids, numbers in self._by_shard(ctx) if len(ids)]
        if not parts:
            return np.empty(0, dtype=np.int64), np.empty(0)
        return np.concatenate([part[0] for part in parts]), np.concatenate([part[1] for part in parts])

    def _by_shard(self, ctx: Context) -> Iterator[tuple[np.ndarray, np.ndarray]]:
        if self.is_computed:
            what = find_definition(ctx, self.trait)
            names = ("kinds", "n", "total", "low", "high", "first_day", "last_day", "first_value", "last_value")
            for shard, arrays in Column(ctx.store, measure_key(find_measure(ctx, what) or 0)).newest(*names):
                numbers = value_array(arrays, what, ctx.today)
                yield _alive(ctx, shard, arrays["ids"], numbers, (arrays["kinds"] != 0) & ~np.isnan(numbers))
            return
        for shard, arrays in Column(ctx.store, trait_measure(self.trait)).newest("kinds", "numbers"):
            yield _alive(ctx, shard, arrays["ids"], arrays["numbers"], arrays["kinds"] == NUMBER)

    def is_indexed(self, ctx: Context) -> bool:
        if not self.is_computed:
            return not ctx.store.heads(left_out_measure(self.trait))
        what = find_definition(ctx, self.trait)
        return what.function not in FROM_ROWS and find_measure(ctx, what) is not None

    def needs(self) -> frozenset[str]:
        return frozenset({f"computed:{self.trait}" if self.is_computed else trait_measure(self.trait)})

    @property
    def is_local(self) -> bool:
        return False

    @property
    def is_daily(self) -> bool:
        return self.is_computed

    def sentence(self) -> str:
        share = f"{words.number(self.percent)}%" if self.percent is not None else f"{self.count:,}"
        return f"is among the {'top' if self.from_top else 'bottom'} {share} by {words.name(self.trait)}"


def _alive(
    ctx: Context, shard: int, ids: np.ndarray, numbers: np.ndarray, known: np.ndarray
) -> tuple[np.ndarray, np.ndarray]:
    alive = np.zeros(LOW_MASK + 1, dtype=bool)
    if shard in ctx.everyone.shards:
        alive[ids_of(ctx.everyone.shards[shard])] = True
    kept = known & alive[ids]
    return ids[kept].astype(np.int64) + (shard << SHARD_BITS), numbers[kept]


def read_rank(reader: Reader) -> Ranked:
    """`trait` or `computed_trait`, `operator` top or bottom, `count` or `percent`."""
    is_computed = reader.has("computed_trait")
    trait = reader.text("computed_trait" if is_computed else "trait")
    if not is_computed and trait in (*TEXT_FIELDS, *MOMENT_FIELDS):
        reader.refuse("must be a trait that is a number", "trait")
    from_top = reader.choice("operator", ("top", "bottom"), "top") == "top"
    if reader.has("percent"):
        percent = reader.number("percent")
        if not 0 < percent <= 100:
            reader.refuse("must be more than 0 and at most 100", "percent")
        return Ranked(trait, is_computed, from_top, percent=percent)
    return Ranked(trait, is_computed, from_top, count=reader.whole("count", 1, 100_000_000))
