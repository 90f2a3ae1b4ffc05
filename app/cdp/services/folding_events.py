"""Events into slices: appended in small parts that are joined when there are many, taken out person by person."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Sequence

import numpy as np
from pyroaring import BitMap

from app.cdp.services.engine.idset import LOW_MASK, SHARD_BITS, IdSet, bitmap_of
from app.cdp.services.engine.packing import Arrays, pack, unpack
from app.cdp.services.engine.rows import (
    LONGEST_NAME,
    PROPERTY_LIMIT,
    as_bitmap,
    day_measure,
    day_of_key,
    property_measure,
    row_measure,
    size_of_key,
)
from app.cdp.services.engine.store import Head
from app.cdp.services.engine.values import encode, joined
from app.cdp.services.folding_work import EventRow, FoldWork

MOST_PARTS = 8
Pair = tuple[int, int]  # name id and day


def properties_measure(name_id: int) -> str:
    """Names of the properties an event was ever seen with."""
    return f"n:{name_id}"


def add_events(work: FoldWork, rows: Iterable[EventRow]) -> None:
    """Put events into the slices. The caller sees to it that each comes once."""
    groups: dict[tuple[int, int, int], list[EventRow]] = defaultdict(list)
    for row in rows:
        groups[row.name_id, row.day, row.profile_id >> SHARD_BITS].append(row)
    for (name_id, day, shard), group in sorted(groups.items()):
        _add_to_day(work, name_id, day, shard, [row.profile_id & LOW_MASK for row in group])
        _append(work, name_id, day, shard, group)
        work.touched[f"e:{work.name_of(name_id)}"].update(row.profile_id for row in group)


def _add_to_day(work: FoldWork, name_id: int, day: int, shard: int, ids: list[int]) -> None:
    measure, key = day_measure(name_id), str(day)
    head = work.store.head(measure, key, shard)
    old = work.store.load(measure, [head], as_bitmap) if head else []
    whole = BitMap(ids) | old[0] if old else BitMap(ids)
    work.store.put(measure, key, shard, whole.serialize(), work.version)


def _append(work: FoldWork, name_id: int, day: int, shard: int, rows: Sequence[EventRow]) -> None:
    """As a part of its own. Many parts of one size are joined to one of the next, so that no row is written often."""
    parts = _parts_of(work, name_id, day, shard)
    new, size = [_columns(work, name_id, rows)], 0
    while len(alike := [head for head in parts if size_of_key(head.key) == size]) >= MOST_PARTS:
        new = [*(_take(work, name_id, head) for head in alike), *new]
        size += 1
    _put_part(work, name_id, work.new_part(day, size), shard, _join(new) if len(new) > 1 else new[0])


def _parts_of(work: FoldWork, name_id: int, day: int, shard: int) -> list[Head]:
    return [head for head in work.store.begins(row_measure(name_id), f"{day}.") if head.shard == shard]


class _Part:
    """Rows of one part: who and when, and each property as a column; `is_partial` when some were left out."""

    def __init__(self, rows: Arrays, columns: dict[str, Arrays], is_partial: bool) -> None:
        self.rows, self.columns, self.is_partial = rows, columns, is_partial

    def chosen(self, kept: np.ndarray) -> _Part:
        rows = {name: array[kept] for name, array in self.rows.items()}
        columns = {name: joined([column], [kept]) for name, column in self.columns.items()}
        return _Part(rows, {name: one for name, one in columns.items() if one["kinds"].any()}, self.is_partial)


def _columns(work: FoldWork, name_id: int, rows: Sequence[EventRow]) -> _Part:
    names = dict.fromkeys(name for row in rows for name in row.properties)
    known = work.listed(properties_measure(name_id))
    room = PROPERTY_LIMIT - len(known)
    new = [name for name in names if name not in set(known) and len(name) <= LONGEST_NAME][: max(0, room)]
    work.list_more(properties_measure(name_id), new)
    kept = [name for name in names if name in {*known, *new}]
    arrays: Arrays = {
        "ids": np.array([row.profile_id & LOW_MASK for row in rows], dtype=np.uint32),
        "times": np.array([row.time for row in rows], dtype=np.int64),
    }
    columns = {name: encode([row.properties.get(name) for row in rows]) for name in kept}
    return _Part(arrays, columns, is_partial=len(kept) < len(names))


def _put_part(work: FoldWork, name_id: int, key: str, shard: int, part: _Part) -> None:
    if not len(part.rows["ids"]):
        return
    work.store.put(row_measure(name_id), key, shard, pack(part.rows), work.version)
    for name, column in part.columns.items():
        work.store.put(property_measure(name_id, name), key, shard, pack(column), work.version)
    if part.is_partial:
        work.store.put(property_measure(name_id, ""), key, shard, b"", work.version)


def _take(work: FoldWork, name_id: int, head: Head) -> _Part:
    """Read a part and remove it."""
    store = work.store
    rows = store.load(row_measure(name_id), [head], unpack)[0]
    store.remove(row_measure(name_id), head.key, head.shard)
    columns, is_partial = {}, False
    for name in ["", *work.listed(properties_measure(name_id))]:
        measure = property_measure(name_id, name)
        one = store.head(measure, head.key, head.shard)
        if one is not None:
            if name:
                columns[name] = dict(store.load(measure, [one], unpack)[0])
            is_partial = is_partial or not name
            store.remove(measure, one.key, one.shard)
    return _Part(dict(rows), columns, is_partial)


def _join(parts: Sequence[_Part]) -> _Part:
    rows = {name: np.concatenate([part.rows[name] for part in parts]) for name in parts[0].rows}
    names = dict.fromkeys(name for part in parts for name in part.columns)
    columns = {}
    for name in names:
        each = [part.columns.get(name) or encode([None] * len(part.rows["ids"])) for part in parts]
        columns[name] = joined(each, [np.ones(len(one["kinds"]), dtype=bool) for one in each])
    return _Part(rows, columns, any(part.is_partial for part in parts))


def remove_people(work: FoldWork, profile_ids: Iterable[int], pairs: Iterable[Pair]) -> None:
    """Take all events of these people out of the given names and days."""
    gone = IdSet.of(profile_ids)
    for name_id, day in sorted(set(pairs)):
        for shard, bitmap in gone.shards.items():
            if _remove_from_day(work, name_id, day, shard, bitmap):
                _remove_from_parts(work, name_id, day, shard, bitmap)


def _remove_from_day(work: FoldWork, name_id: int, day: int, shard: int, gone: BitMap) -> bool:
    measure, key = day_measure(name_id), str(day)
    head = work.store.head(measure, key, shard)
    if head is None:
        return False
    old = work.store.load(measure, [head], as_bitmap)[0]
    left = old - gone
    if len(left) == len(old):
        return False
    touched = (int(low) + (shard << SHARD_BITS) for low in old & gone)
    work.touched[f"e:{work.name_of(name_id)}"].update(touched)
    if left:
        work.store.put(measure, key, shard, left.serialize(), work.version)
    else:
        work.store.remove(measure, key, shard)
    return True


def _remove_from_parts(work: FoldWork, name_id: int, day: int, shard: int, gone: BitMap) -> None:
    absent = np.array(gone.to_array(), dtype=np.uint32)
    for head in _parts_of(work, name_id, day, shard):
        rows = work.store.load(row_measure(name_id), [head], unpack)[0]
        kept = ~np.isin(rows["ids"], absent)
        if not kept.all():
            _put_part(work, name_id, head.key, shard, _take(work, name_id, head).chosen(kept))


def replace_days(work: FoldWork, name_id: int, first: int, last: int, rows: Iterable[EventRow]) -> None:
    """Write the slices of these days anew from all their events."""
    store = work.store
    for measure in (day_measure(name_id), row_measure(name_id), property_measure(name_id, "")):
        _remove_days(work, measure, first, last)
    for name in work.listed(properties_measure(name_id)):
        _remove_days(work, property_measure(name_id, name), first, last)
    groups: dict[tuple[int, int], list[EventRow]] = defaultdict(list)
    for row in rows:
        groups[row.day, row.profile_id >> SHARD_BITS].append(row)
    for (day, shard), group in groups.items():
        part = _columns(work, name_id, group)
        whole = bitmap_of(np.unique(part.rows["ids"]))
        store.put(day_measure(name_id), str(day), shard, whole.serialize(), work.version)
        _put_part(work, name_id, work.new_part(day), shard, part)


def _remove_days(work: FoldWork, measure: str, first: int, last: int) -> None:
    for head in list(work.store.heads(measure)):
        if first <= day_of_key(head.key) <= last:
            work.store.remove(measure, head.key, head.shard)
