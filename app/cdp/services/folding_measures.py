"""What events add up to per person: rows of `computed`, and the same as columns of the index."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Sequence
from datetime import UTC, datetime, timedelta
from typing import Any

import numpy as np
from sqlalchemy import Table, delete, insert, select

from app.cdp.models import Computed, EventName
from app.cdp.services.engine.columns import write_rows
from app.cdp.services.engine.definitions import FROM_ROWS, list_definitions, measure_key, measures
from app.cdp.services.engine.idset import LOW_MASK, SHARD_BITS
from app.cdp.services.engine.json_sql import in_ids
from app.cdp.services.engine.packing import Arrays
from app.cdp.services.engine.rows import Days, EventIndex
from app.cdp.services.engine.values import number_of
from app.cdp.services.folding_work import EventRow, FoldWork

computed: Table = Computed.__table__  # type: ignore[assignment]
_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
_NUMBERS = ("n", "total", "low", "high", "first_day", "last_day", "first_value", "last_value")
_AT_ONCE = 5000


def wanted_measures(work: FoldWork) -> dict[tuple[str, str], int]:
    """Event and property of each measure that is kept, and its id."""
    rows = work.session.execute(
        select(measures.c.event, measures.c.property, measures.c.id).where(measures.c.tenant_id == work.tenant_id)
    )
    return {(event, name): measure_id for event, name, measure_id in rows}


def begin_measures(work: FoldWork) -> None:
    """Start to keep what new computed traits need, from the events folded so far."""
    definitions = list_definitions(work.session, work.tenant_id).values()
    needed = {one.measured for one in definitions if one.function not in FROM_ROWS}
    for event, name in sorted(needed - wanted_measures(work).keys()):
        added = work.session.execute(
            insert(measures).values(tenant_id=work.tenant_id, event=event, property=name).returning(measures.c.id)
        )
        rebuild_measure(work, added.scalar_one(), event, name)


def rebuild_measure(work: FoldWork, measure_id: int, event: str, name: str) -> None:
    """Count a measure anew from the rows of the index."""
    work.session.execute(delete(computed).where(computed.c.measure_id == measure_id))
    for head in list(work.store.heads(measure_key(measure_id))):
        work.store.remove(measure_key(measure_id), head.key, head.shard)
    name_id = work.session.scalar(
        select(EventName.id).where(EventName.tenant_id == work.tenant_id, EventName.name == event)
    )
    for batch in EventIndex(work.store, name_id).batches(Days()) if name_id is not None else ():
        ids = batch.ids.astype(np.int64) + (batch.shard << SHARD_BITS)
        numbers = batch.numbers(name) if name else np.full(len(ids), np.nan)
        _write(work, measure_id, add_up(ids, batch.times, batch.days, numbers, has_values=bool(name)))


def add_to_measures(work: FoldWork, rows: Sequence[EventRow]) -> None:
    """Add new events to what is kept."""
    for (event, name), measure_id in wanted_measures(work).items():
        sums = _sums(work, event, name, rows)
        if len(sums["ids"]):
            _write(work, measure_id, _merged(_stored(work, measure_id, sums["ids"]), sums))
    _touch(work, rows)


def recount(work: FoldWork, profile_ids: Iterable[int], rows: Sequence[EventRow]) -> None:
    """Count these people anew: `rows` are all their events."""
    ids = np.array(sorted(profile_ids), dtype=np.int64)
    for (event, name), measure_id in wanted_measures(work).items():
        _delete(work, measure_id, ids)
        sums = _sums(work, event, name, rows)
        nothing = np.setdiff1d(ids, sums["ids"])
        _write_column(work, measure_id, {"ids": nothing} | {one: np.full(len(nothing), np.nan) for one in _NUMBERS}, 0)
        _write(work, measure_id, sums)
    for one in list_definitions(work.session, work.tenant_id):
        work.touched[f"computed:{one}"].update(ids.tolist())


def _touch(work: FoldWork, rows: Sequence[EventRow]) -> None:
    by_event: dict[str, set[int]] = defaultdict(set)
    for row in rows:
        by_event[work.name_of(row.name_id)].add(row.profile_id)
    for one in list_definitions(work.session, work.tenant_id).values():
        if one.event in by_event:
            work.touched[f"computed:{one.name}"] |= by_event[one.event]


def _sums(work: FoldWork, event: str, name: str, rows: Sequence[EventRow]) -> Arrays:
    chosen = [row for row in rows if work.name_of(row.name_id) == event]
    numbers = [number_of(row.properties.get(name)) if name else None for row in chosen]
    return add_up(
        np.array([row.profile_id for row in chosen], dtype=np.int64),
        np.array([row.time for row in chosen], dtype=np.int64),
        np.array([row.day for row in chosen], dtype=np.int64),
        np.array([np.nan if number is None else number for number in numbers], dtype=np.float64),
        has_values=bool(name),
    )


def add_up(ids: np.ndarray, times: np.ndarray, days: np.ndarray, numbers: np.ndarray, *, has_values: bool) -> Arrays:
    """Per person, sorted by id. With values, only events that have a number count."""
    if has_values:
        kept = ~np.isnan(numbers)
        ids, times, days, numbers = ids[kept], times[kept], days[kept], numbers[kept]
    order = np.lexsort((numbers, times, ids))
    ids, times, days, numbers = ids[order], times[order], days[order], numbers[order]
    first = np.flatnonzero(np.concatenate(([True], ids[1:] != ids[:-1]))) if len(ids) else np.empty(0, dtype=np.int64)
    last = np.append(first[1:], len(ids)) - 1 if len(first) else first
    total, low, high = (
        operate.reduceat(numbers, first) if len(first) else np.empty(0) for operate in (np.add, np.minimum, np.maximum)
    )
    return {
        "ids": ids[first], "n": (last - first + 1).astype(np.float64),
        "total": total if has_values else np.zeros(len(first)), "low": low, "high": high,
        "first_day": days[first].astype(np.float64), "last_day": days[last].astype(np.float64),
        "first_value": numbers[first], "last_value": numbers[last],
        "first_time": times[first], "last_time": times[last],
    }  # fmt: skip


def _merged(old: Arrays, new: Arrays) -> Arrays:
    """Both as one: rows of the same person are added up. `old` holds only people of `new`."""
    place = np.searchsorted(new["ids"], old["ids"])
    out = {name: array.copy() for name, array in new.items()}
    out["n"][place] += old["n"]
    out["total"][place] += old["total"]
    out["low"][place] = np.fmin(out["low"][place], old["low"])
    out["high"][place] = np.fmax(out["high"][place], old["high"])
    earlier = _comes_before(old, "first", new, place)
    later = ~_comes_before(old, "last", new, place)
    for edge, wins in (("first", earlier), ("last", later)):
        for name in (f"{edge}_time", f"{edge}_day", f"{edge}_value"):
            out[name][place[wins]] = old[name][wins]
    return out


def _comes_before(old: Arrays, edge: str, new: Arrays, place: np.ndarray) -> np.ndarray:
    """Of two at the same moment the one with the smaller number comes first."""
    times, values = new[f"{edge}_time"][place], new[f"{edge}_value"][place]
    same = old[f"{edge}_time"] == times
    smaller = np.nan_to_num(old[f"{edge}_value"]) <= np.nan_to_num(values)
    found: np.ndarray = (old[f"{edge}_time"] < times) | (same & smaller)
    return found


def _stored(work: FoldWork, measure_id: int, ids: np.ndarray) -> Arrays:
    columns = [computed.c[name] for name in ("profile_id", *_NUMBERS, "first_at", "last_at")]
    rows: list[Any] = []
    for start in range(0, len(ids), _AT_ONCE):
        chosen = in_ids(computed.c.profile_id, ids[start : start + _AT_ONCE].tolist(), work.dialect)
        rows += work.session.execute(select(*columns).where(computed.c.measure_id == measure_id, chosen)).all()
    rows.sort()
    arrays: Arrays = {"ids": np.array([row[0] for row in rows], dtype=np.int64)}
    for place, name in enumerate(_NUMBERS, start=1):
        arrays[name] = np.array([np.nan if row[place] is None else row[place] for row in rows], dtype=np.float64)
    for place, name in ((len(_NUMBERS) + 1, "first_time"), (len(_NUMBERS) + 2, "last_time")):
        arrays[name] = np.array([(row[place] - _EPOCH) // timedelta(microseconds=1) for row in rows], dtype=np.int64)
    return arrays


def _delete(work: FoldWork, measure_id: int, ids: np.ndarray) -> None:
    for start in range(0, len(ids), _AT_ONCE):
        chosen = in_ids(computed.c.profile_id, ids[start : start + _AT_ONCE].tolist(), work.dialect)
        work.session.execute(delete(computed).where(computed.c.measure_id == measure_id, chosen))


def _write(work: FoldWork, measure_id: int, sums: Arrays) -> None:
    """Put these people's figures in place of what was there."""
    _delete(work, measure_id, sums["ids"])
    for start in range(0, len(sums["ids"]), _AT_ONCE):
        part = {name: array[start : start + _AT_ONCE].tolist() for name, array in sums.items()}
        people = zip(*part.values(), strict=True)
        rows = [_row(work, measure_id, dict(zip(part, one, strict=True))) for one in people]
        work.session.execute(insert(computed), rows)
    _write_column(work, measure_id, sums, 1)


def _row(work: FoldWork, measure_id: int, one: dict[str, Any]) -> dict[str, Any]:
    numbers = {name: None if one[name] != one[name] else one[name] for name in _NUMBERS}
    return numbers | {
        "tenant_id": work.tenant_id, "measure_id": measure_id, "profile_id": one["ids"], "n": int(one["n"]),
        "first_day": int(one["first_day"]), "last_day": int(one["last_day"]),
        "first_at": _EPOCH + timedelta(microseconds=one["first_time"]),
        "last_at": _EPOCH + timedelta(microseconds=one["last_time"]),
    }  # fmt: skip


def _write_column(work: FoldWork, measure_id: int, sums: Arrays, kind: int) -> None:
    shards = sums["ids"] >> SHARD_BITS
    for shard in np.unique(shards).tolist():
        chosen = shards == shard
        rows = {name: sums[name][chosen] for name in _NUMBERS}
        rows["ids"] = (sums["ids"][chosen] & LOW_MASK).astype(np.uint32)
        rows["kinds"] = np.full(len(rows["ids"]), kind, dtype=np.uint8)
        write_rows(work.store, measure_key(measure_id), shard, rows, work.version)
