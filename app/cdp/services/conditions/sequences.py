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
from app.cdp.services.engine.idset import SHARD_SIZE, IdSet, bitmap_of
from app.cdp.services.engine.json_sql import Truth
from app.cdp.services.engine.rows import Days


@dataclass(frozen=True)
class Moments:
    """Events of one shard: whose, when, on which day. `keys` is one number for person and time, sorted, once it is
    known which people and times there are to tell apart."""

    ids: np.ndarray
    times: np.ndarray
    days: np.ndarray
    keys: np.ndarray

    def chosen(self, kept: np.ndarray) -> Moments:
        return Moments(self.ids[kept], self.times[kept], self.days[kept], self.keys[kept])

    def ordered(self, keys: np.ndarray) -> Moments:
        order = np.argsort(keys)
        return Moments(self.ids[order], self.times[order], self.days[order], keys[order])


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
        """Only people who did every step can have done them in order: the others are left out first."""
        found = [step[shard] for step in steps]
        did_all = np.ones(SHARD_SIZE, dtype=bool)
        for one in found:
            did_all &= _who(one)
        found = [one.chosen(did_all[one.ids]) for one in found]
        between = [one[shard].chosen(did_all[one[shard].ids]) for one in disturbing if shard in one]
        key = _Keys(did_all, [*found, *between])
        reached, *later = (one.ordered(key.of(one)) for one in found)
        between = [one.ordered(key.of(one)) for one in between]
        for step in later:
            reached = self._follow(reached, step, between)
        return bitmap_of(np.unique(reached.ids))

    def _follow(self, before: Moments, after: Moments, between: list[Moments]) -> Moments:
        """Those of `after` that follow one of `before`. The latest one before is the best for every rule."""
        if not len(before.ids):
            return after.chosen(np.zeros(len(after.ids), dtype=bool))
        place = _latest(before, after)
        found = place >= 0
        partner = np.maximum(place, 0)
        if self.within_days is not None:
            found &= after.days - before.days[partner] <= self.within_days
        for one in between:
            other = _latest(one, after)
            if len(one.ids):  # of one person, a later key is a later time
                found &= ~((other >= 0) & (one.keys[np.maximum(other, 0)] > before.keys[partner]))
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


class _Keys:
    """One number for person and time, so that one search finds who did what last before a moment."""

    def __init__(self, people: np.ndarray, rows: list[Moments]) -> None:
        self.places = np.cumsum(people, dtype=np.int64) - 1
        times = [one.times for one in rows if len(one.times)]
        self.first = min((int(one.min()) for one in times), default=0)
        span = max((int(one.max()) for one in times), default=0) - self.first
        self.bits = span.bit_length()
        self.ranked: np.ndarray | None = None
        if self.bits + int(people.sum()).bit_length() > 62:  # a long time and many people: the times by their order
            self.ranked = np.unique(np.concatenate(times))
            self.bits = len(self.ranked).bit_length()

    def of(self, one: Moments) -> np.ndarray:
        times = one.times - self.first if self.ranked is None else np.searchsorted(self.ranked, one.times)
        keys: np.ndarray = (self.places[one.ids] << self.bits) | times
        return keys


def _latest(before: Moments, after: Moments) -> np.ndarray:
    """For each of `after`, the place of the same person's latest strictly earlier one in `before`, or -1."""
    place = np.searchsorted(before.keys, after.keys, side="left") - 1
    same = (place >= 0) & (before.ids[np.maximum(place, 0)] == after.ids) if len(before.ids) else place >= 0
    return np.where(same, place, -1)


def _who(rows: Moments) -> np.ndarray:
    found = np.zeros(SHARD_SIZE, dtype=bool)
    found[rows.ids] = True
    return found


def _moments(ctx: Context, what: Happening, days: Days) -> dict[int, Moments]:
    index = ctx.event(what.event)
    found = {}
    for batch in index.batches(days) if index else ():
        kept = what.mask(batch, ctx)
        times = batch.times[kept]
        found[batch.shard] = Moments(batch.ids[kept], times, batch.days[kept], times)
    return found
