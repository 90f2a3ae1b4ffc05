"""One thing after another: A, then B within so many days, with nothing of a third kind in between."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np
from sqlalchemy import and_, exists, not_, or_

from app.cdp.services.conditions import words
from app.cdp.services.conditions.event_parts import Happening, event_need, events
from app.cdp.services.conditions.nodes import Leaf
from app.cdp.services.conditions.windows import Window
from app.cdp.services.engine.context import Context, profiles
from app.cdp.services.engine.idset import IdSet, bitmap_of
from app.cdp.services.engine.json_sql import Truth
from app.cdp.services.engine.rows import Days


@dataclass(frozen=True)
class Moments:
    """Events of one shard: whose, when, on which day; sorted by person and time."""

    ids: np.ndarray
    times: np.ndarray
    days: np.ndarray

    def chosen(self, kept: np.ndarray) -> Moments:
        return Moments(self.ids[kept], self.times[kept], self.days[kept])


@dataclass(frozen=True)
class Sequence(Leaf):
    """Each step comes later than the one before it, at most `within_days` later, all of them in the window."""

    steps: tuple[Happening, ...]
    within_days: int | None
    without: tuple[Happening, ...]
    window: Window

    def as_sql(self, ctx: Context) -> Truth:
        return self._from(ctx, 0, None)

    def _from(self, ctx: Context, number: int, previous: Any) -> Truth:
        """Whether there is an event of this step after `previous`, with the rest of the steps after it."""
        table: Any = events.alias()
        days = self.window.days(ctx.today)
        rules = [self.steps[number].sql(ctx, days, table, by_person=True), table.c.profile_id == profiles.c.id]
        if previous is not None:
            rules += [table.c.at > previous.c.at, *self._gap(ctx, previous, table)]
        if number + 1 < len(self.steps):
            rules.append(self._from(ctx, number + 1, table))
        outer = [profiles] if previous is None else [profiles, previous]
        return exists().select_from(table).where(and_(*rules)).correlate(*outer)

    def _gap(self, ctx: Context, previous: Any, table: Any) -> list[Truth]:
        rules = [table.c.day - previous.c.day <= self.within_days] if self.within_days is not None else []
        if self.without:
            between: Any = events.alias()
            kinds = or_(*(one.sql(ctx, Days(), between, by_person=True) for one in self.without))
            disturbed = exists().select_from(between).where(
                kinds, between.c.profile_id == profiles.c.id, between.c.at > previous.c.at, between.c.at < table.c.at
            )  # fmt: skip
            rules.append(not_(disturbed.correlate(profiles, previous, table)))
        return rules

    def find(self, ctx: Context) -> IdSet:
        if not self.is_indexed(ctx):
            return super().find(ctx)
        days = self.window.days(ctx.today)
        steps = [_moments(ctx, step, days) for step in self.steps]
        # What stands between two steps lies between their days.
        disturbing = [_moments(ctx, one, days) for one in self.without]
        shards = set.intersection(*(set(step) for step in steps))
        return IdSet({shard: self._in_shard(shard, steps, disturbing) for shard in shards})

    def _in_shard(self, shard: int, steps: list[dict[int, Moments]], disturbing: list[dict[int, Moments]]) -> Any:
        between = [one[shard] for one in disturbing if shard in one]
        reached = steps[0][shard]
        for step in steps[1:]:
            reached = self._follow(reached, step[shard], between)
        return bitmap_of(np.unique(reached.ids))

    def _follow(self, before: Moments, after: Moments, between: list[Moments]) -> Moments:
        """Those of `after` that follow one of `before`. The latest one before is the best for every rule."""
        ranks = _Ranks([before, after, *between])
        place = ranks.latest(before, after)
        found = place >= 0
        partner = np.maximum(place, 0)
        if not len(before.ids):
            return after.chosen(np.zeros(len(after.ids), dtype=bool))
        if self.within_days is not None:
            found &= after.days - before.days[partner] <= self.within_days
        for one in between:
            other = ranks.latest(one, after)
            if len(one.ids):
                later = one.times[np.maximum(other, 0)] > before.times[partner]
                found &= ~((other >= 0) & later)
        return after.chosen(found)

    def is_indexed(self, ctx: Context) -> bool:
        return all(one.is_indexed(ctx, Days()) for one in (*self.steps, *self.without))

    def needs(self) -> frozenset[str]:
        return frozenset(event_need(one.event) for one in (*self.steps, *self.without))

    @property
    def is_daily(self) -> bool:
        return self.window.is_relative or any(one.is_daily for one in (*self.steps, *self.without))

    def sentence(self) -> str:
        told = " and then ".join(step.words() for step in self.steps)
        if self.within_days is not None:
            told += f" within {words.plural(self.within_days, 'day')}"
        if self.without:
            told += f" with no {' or '.join(one.words() for one in self.without)} in between"
        return f"did {told}, {self.window.words()}"


class _Ranks:
    """One number for person and time, so that a search finds who did what last before a moment."""

    def __init__(self, all_moments: list[Moments]) -> None:
        self.times = np.unique(np.concatenate([one.times for one in all_moments]))

    def _key(self, one: Moments) -> np.ndarray:
        return (one.ids.astype(np.int64) << 32) | np.searchsorted(self.times, one.times)

    def latest(self, before: Moments, after: Moments) -> np.ndarray:
        """For each of `after`, the place of the same person's latest strictly earlier one in `before`, or -1."""
        place = np.searchsorted(self._key(before), self._key(after), side="left") - 1
        same = (place >= 0) & (before.ids[np.maximum(place, 0)] == after.ids) if len(before.ids) else place >= 0
        return np.where(same, place, -1)


def _moments(ctx: Context, what: Happening, days: Days) -> dict[int, Moments]:
    index = ctx.event(what.event)
    found = {}
    for batch in index.batches(days) if index else ():
        kept = what.mask(batch, ctx)
        rows = Moments(batch.ids[kept], batch.times[kept], batch.days[kept])
        found[batch.shard] = rows.chosen(np.lexsort((rows.times, rows.ids)))
    return found
