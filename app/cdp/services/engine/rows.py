"""Events as columns: for each event name and day the ids, times and properties, and a bitmap of who did it."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from functools import cached_property

import numpy as np
from pyroaring import BitMap

from app.cdp.services.engine import cache
from app.cdp.services.engine.idset import IdSet, ids_of, ranges
from app.cdp.services.engine.packing import Arrays, unpack
from app.cdp.services.engine.store import Head, SliceStore
from app.cdp.services.engine.values import NUMBER, Values, encode, joined

PROPERTY_LIMIT = 60
LONGEST_NAME = 200
FEW = 20  # rows a person asked about may be looked up for, before all rows are quicker


def day_measure(name_id: int) -> str:
    """A bitmap per day of those who did it."""
    return f"e:{name_id}"


def row_measure(name_id: int) -> str:
    """Ids and times of the events of a day, in one or several parts."""
    return f"r:{name_id}"


def property_measure(name_id: int, name: str) -> str:
    """One property of the same events, row by row; the empty name marks parts with properties left out."""
    return f"p:{name_id}:{name}"


def day_of_key(key: str) -> int:
    return int(key.partition(".")[0])


def size_of_key(key: str) -> int:
    """How often the part was joined from others: parts of one size hold about as many rows."""
    return int(key.split(".")[3]) if key.count(".") == 3 else 0


def as_bitmap(data: bytes) -> BitMap:
    return BitMap.deserialize(data) if data else BitMap()


@dataclass(frozen=True)
class Days:
    """Whole days from `first` to `last`; None is open."""

    first: int | None = None
    last: int | None = None

    def holds(self, day: int) -> bool:
        return (self.first is None or day >= self.first) and (self.last is None or day <= self.last)


class EventIndex:
    """One event of a tenant, as the slices know it. With `only`, rows of others may be left out."""

    def __init__(self, store: SliceStore, name_id: int, only: IdSet | None = None) -> None:
        self.store = store
        self.name_id = name_id
        self.only = only

    def who(self, days: Days, today: int) -> IdSet:
        """Everyone who did it on one of the days. The union of the days before today is kept while they stand."""
        measure = day_measure(self.name_id)
        heads = [head for head in self.store.heads(measure) if days.holds(int(head.key))]
        closed = [head for head in heads if int(head.key) < today]
        return IdSet.union_of([self._closed(measure, closed), self._union(measure, heads, today)])

    def _closed(self, measure: str, heads: list[Head]) -> IdSet:
        key = (self.store.tenant_id, measure, "union", hash(tuple(heads)), len(heads))
        found: IdSet | None = cache.slices.get(key)
        if found is None:
            found = self._union(measure, heads, None)
            cache.slices.put(key, found, found.size_bytes)
        return found

    def _union(self, measure: str, heads: list[Head], since: int | None) -> IdSet:
        chosen = [head for head in heads if since is None or int(head.key) >= since]
        bitmaps = self.store.load(measure, chosen, as_bitmap)
        return IdSet.union_of(IdSet({head.shard: one}) for head, one in zip(chosen, bitmaps, strict=True))

    def batches(self, days: Days) -> Iterator[Batch]:
        """The events of the days, a shard at a time."""
        heads = [head for head in self.store.heads(row_measure(self.name_id)) if days.holds(day_of_key(head.key))]
        heads.sort(key=lambda head: day_of_key(head.key))
        for shard in sorted({head.shard for head in heads}):
            asked = None if self.only is None else self.only.shards.get(shard, BitMap())
            yield Batch(self, shard, [head for head in heads if head.shard == shard], asked)

    def is_whole(self, days: Days) -> bool:
        """Whether every property of these events is in the slices; rare, wide events have some left out."""
        heads = self.store.heads(property_measure(self.name_id, ""))
        return not any(days.holds(day_of_key(head.key)) for head in heads)


@dataclass
class Batch:
    """Events of one shard; arrays are read when asked for, all in the same order. What there is of the days before the
    newest one is put together once and kept while it stands; when a few are asked about, their rows are picked out."""

    index: EventIndex
    shard: int
    heads: list[Head]
    asked: BitMap | None = None

    @cached_property
    def _stretches(self) -> list[list[Head]]:
        """The parts of the days before the newest, and those of the newest."""
        newest = max(day_of_key(head.key) for head in self.heads)
        closed = [head for head in self.heads if day_of_key(head.key) < newest]
        return [stretch for stretch in (closed, self.heads[len(closed) :]) if stretch]

    @cached_property
    def _rows(self) -> Arrays:
        parts = [
            _picked(self._kept("rows", stretch, self._join_rows), chosen)
            for stretch, chosen in zip(self._stretches, self._chosen, strict=True)
        ]
        return (
            parts[0] if len(parts) == 1 else {name: np.concatenate([one[name] for one in parts]) for name in parts[0]}
        )

    @cached_property
    def _chosen(self) -> list[np.ndarray | None]:
        """Of each stretch the rows of those asked about; None is all of them. The newest day is short, and another
        after every fold: an order by person would cost more than it saves."""
        return [*(self._choose(stretch) for stretch in self._stretches[:-1]), None]

    def _choose(self, stretch: list[Head]) -> np.ndarray | None:
        count = len(self._kept("rows", stretch, self._join_rows)["ids"])
        if self.asked is None or len(self.asked) * FEW > count:
            return None
        by_person = self._kept("order", stretch, self._order)
        wanted = ids_of(self.asked)
        first, last = (np.searchsorted(by_person["ids"], wanted, side=side) for side in ("left", "right"))
        found: np.ndarray = np.sort(by_person["rows"][ranges(first, last)])
        return found

    def _order(self, stretch: list[Head]) -> Arrays:
        ids = self._kept("rows", stretch, self._join_rows)["ids"]
        order = np.argsort(ids, kind="stable")
        return {"ids": ids[order], "rows": order.astype(np.uint32)}

    @property
    def ids(self) -> np.ndarray:
        return self._rows["ids"]

    @property
    def times(self) -> np.ndarray:
        return self._rows["times"]

    @property
    def days(self) -> np.ndarray:
        return self._rows["days"]

    def columns(self, name: str) -> Iterator[tuple[int, Values | None]]:
        """The property in each stretch of rows, with its length; None where no event of it has the property."""
        for stretch, chosen in zip(self._stretches, self._chosen, strict=True):
            count = len(self._kept("rows", stretch, self._join_rows)["ids"] if chosen is None else chosen)
            arrays = self._kept(f"p:{name}", stretch, lambda heads: self._join_column(name, heads))
            yield count, Values(_picked(arrays, chosen)) if arrays else None

    def numbers(self, name: str) -> np.ndarray:
        """The property as numbers, NaN where it is none."""
        return np.concatenate(
            [
                np.full(count, np.nan) if values is None else np.where(values.kinds == NUMBER, values.numbers, np.nan)
                for count, values in self.columns(name)
            ]
        )

    def _kept(self, what: str, stretch: list[Head], join: Callable[[list[Head]], Arrays]) -> Arrays:
        key = (self.index.store.tenant_id, self.index.name_id, what, hash(tuple(stretch)), len(stretch))
        found: Arrays | None = cache.slices.get(key)
        if found is None:
            found = join(stretch)
            cache.slices.put(key, found, 200 + sum(array.nbytes for array in found.values()))
        return found

    def _join_rows(self, heads: list[Head]) -> Arrays:
        parts = self.index.store.load(row_measure(self.index.name_id), heads, _arrays)
        counts = [len(part["ids"]) for part in parts]
        return {
            "ids": np.concatenate([part["ids"] for part in parts]),
            "times": np.concatenate([part["times"] for part in parts]),
            "days": np.repeat(np.array([day_of_key(head.key) for head in heads], dtype=np.int32), counts),
        }

    def _join_column(self, name: str, heads: list[Head]) -> Arrays:
        """Empty when none of the parts has the property."""
        measure = property_measure(self.index.name_id, name)
        there = {(head.key, head.shard): head for head in self.index.store.heads(measure)}
        found = [there.get((head.key, head.shard)) for head in heads]
        if not any(found):
            return {}
        loaded = iter(self.index.store.load(measure, [head for head in found if head], _column))
        rows = self.index.store.load(row_measure(self.index.name_id), heads, _arrays)
        columns = [
            next(loaded) if head else encode([None] * len(part["ids"])) for head, part in zip(found, rows, strict=True)
        ]
        return (
            columns[0] if len(columns) == 1 else joined(columns, [np.ones(len(one["kinds"]), bool) for one in columns])
        )


def _picked(arrays: Arrays, rows: np.ndarray | None) -> Arrays:
    return arrays if rows is None else {name: one if name == "words" else one[rows] for name, one in arrays.items()}


def _arrays(data: bytes) -> Arrays:
    return unpack(data) if data else {"ids": np.empty(0, np.uint32), "times": np.empty(0, np.int64)}


def _column(data: bytes) -> Arrays:
    return unpack(data) if data else encode([])
