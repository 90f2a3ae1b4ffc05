"""Slices in the database: what there is of a measure, read once per version and kept; and writing them."""

from __future__ import annotations

import zlib
from bisect import bisect_left
from collections.abc import Callable, Iterable
from dataclasses import dataclass, field
from itertools import islice, takewhile
from typing import Any, NamedTuple

from pyroaring import BitMap
from sqlalchemy import Table, and_, delete, insert, or_, select
from sqlalchemy.orm import Session

from app.cdp.models import Slice
from app.cdp.services.engine import cache
from app.core.clock import utc_now

_AT_ONCE = 300
_LARGEST_BITMAP = 1 << 17  # bytes: a bit for each profile of a shard
_SQUEEZED = b"Z"
_PLAIN = b"P"
_SQUEEZE_FROM = 512
OF_SEGMENTS = "s:"  # members change without a new version of the index
slices: Table = Slice.__table__  # type: ignore[assignment]


class Head(NamedTuple):
    """A slice without its data. The same measure, key, shard and version is the same data for ever."""

    key: str
    shard: int
    version: int


def squeeze(data: bytes) -> bytes:
    """As it is stored: deflated where that saves a quarter."""
    if len(data) >= _SQUEEZE_FROM:
        small = zlib.compress(data, 1)
        if len(small) < len(data) * 3 // 4:
            return _SQUEEZED + small
    return _PLAIN + data


def expand(data: bytes) -> bytes:
    return zlib.decompress(memoryview(data)[1:]) if data[:1] == _SQUEEZED else data[1:]


@dataclass
class SliceStore:
    """The slices of one tenant, through a session; `pending` holds what this transaction is about to write.

    With a `version`, that of the index when it began, what there is of a measure is looked up once for all who begin
    at the same: readers, and the folder, which holds the index's lock and leaves what it knows to the next version.
    """

    session: Session
    tenant_id: int
    version: int | None = None
    pending: dict[tuple[str, str, int], tuple[bytes | None, int]] = field(default_factory=dict)
    _heads: dict[str, list[Head]] = field(default_factory=dict)
    _found: list[str] = field(default_factory=list)

    def heads(self, measure: str) -> list[Head]:
        """What there is of a measure, by key and shard."""
        if measure not in self._heads:
            kept: list[Head] | None = cache.slices.get(self._heads_key(measure)) if self.version is not None else None
            self._heads[measure] = self._find_heads(measure) if kept is None else kept
            if kept is None:
                self._found.append(measure)
        return self._heads[measure]

    def _find_heads(self, measure: str) -> list[Head]:
        rows = self.session.execute(
            select(slices.c.key, slices.c.shard, slices.c.version).where(
                slices.c.tenant_id == self.tenant_id, slices.c.measure == measure
            )
        )
        return sorted(Head(*row) for row in rows)

    def _heads_key(self, measure: str) -> tuple[Any, ...]:
        return (self.tenant_id, measure, "heads", self.version)

    def prefetch(self, measures: Iterable[str], decode: Callable[[bytes], Any]) -> None:
        """Look up what there is of many measures, and read what this process does not hold of it, in few statements."""
        wanted = [measure for measure in dict.fromkeys(measures) if measure not in self._heads]
        for start in range(0, len(wanted), _AT_ONCE):
            part = wanted[start : start + _AT_ONCE]
            rows = self.session.execute(
                select(slices.c.measure, slices.c.key, slices.c.shard, slices.c.version).where(
                    slices.c.tenant_id == self.tenant_id, slices.c.measure.in_(part)
                )
            )
            found: dict[str, list[Head]] = {measure: [] for measure in part}
            for measure, *head in rows:
                found[measure].append(Head(*head))
            self._heads |= {measure: sorted(heads) for measure, heads in found.items()}
            self._read_missing(found, decode)

    def _read_missing(self, wanted: dict[str, list[Head]], decode: Callable[[bytes], Any]) -> None:
        missing = [
            (measure, head.key, head.shard)
            for measure, heads in wanted.items()
            for head in heads
            if cache.slices.get(self._cache_key(measure, head)) is None
        ]
        for start in range(0, len(missing), _AT_ONCE):
            rows = self.session.execute(
                select(slices.c.measure, slices.c.key, slices.c.shard, slices.c.version, slices.c.data).where(
                    slices.c.tenant_id == self.tenant_id, _at3(missing[start : start + _AT_ONCE])
                )
            )
            for measure, key, shard, version, stored in rows:
                data = expand(stored)
                cache.slices.put(self._cache_key(measure, Head(key, shard, version)), decode(data), len(data) + 200)

    def keep(self, written: Iterable[tuple[str, Head, BitMap]]) -> None:
        """Hold bitmaps that were written and committed: whoever reads them next need not."""
        for measure, head, bitmap in written:
            cache.slices.put(self._cache_key(measure, head), bitmap, min(2 * len(bitmap), _LARGEST_BITMAP) + 200)

    def keep_heads(self) -> None:
        """Let others have what was looked up: the index is known to have stayed at this version."""
        for measure in self._found:
            if self.version is not None:
                self._keep(measure, self._heads.get(measure, []), self.version)
        self._found.clear()

    def _keep(self, measure: str, heads: list[Head], version: int) -> None:
        if not measure.startswith(OF_SEGMENTS):
            cache.slices.put((self.tenant_id, measure, "heads", version), heads, 150 * len(heads) + 200)

    def forget(self, measure: str) -> None:
        """Look again what there is: someone else wrote it."""
        self._heads.pop(measure, None)

    def load(self, measure: str, heads: Iterable[Head], decode: Callable[[bytes], Any]) -> list[Any]:
        """The decoded slices, in the order asked for; read in as few queries as there need be."""
        wanted = list(heads)
        found = {head: cache.slices.get(self._cache_key(measure, head)) for head in wanted}
        missing = [head for head, value in found.items() if value is None]
        for start in range(0, len(missing), _AT_ONCE):
            self._read(measure, missing[start : start + _AT_ONCE], decode, found)
        return [found[head] for head in wanted]

    def _cache_key(self, measure: str, head: Head) -> tuple[Any, ...]:
        return (self.tenant_id, measure, head)

    def _read(self, measure: str, heads: list[Head], decode: Callable[[bytes], Any], found: dict[Head, Any]) -> None:
        by_place = {(head.key, head.shard): head for head in heads}
        for place, head in by_place.items():
            data, _ = self.pending.get((measure, *place), (None, 0))
            if data is not None:
                found[head] = decode(data)
        places = [place for place, head in by_place.items() if found[head] is None]
        if not places:
            return
        rows = self.session.execute(
            select(slices.c.key, slices.c.shard, slices.c.version, slices.c.data).where(
                slices.c.tenant_id == self.tenant_id, slices.c.measure == measure, _at(places)
            )
        )
        for key, shard, version, stored in rows:
            data = expand(stored)
            value = decode(data)
            found[by_place[key, shard]] = value
            cache.slices.put(self._cache_key(measure, Head(key, shard, version)), value, len(data) + 200)
        for head in heads:
            if found[head] is None:  # folded again since its head was read
                found[head] = decode(b"")

    def put(self, measure: str, key: str, shard: int, data: bytes, version: int) -> None:
        """Write a slice when the transaction's changes are flushed."""
        self._place(measure, key, shard, [Head(key, shard, version)])
        self.pending[measure, key, shard] = (data, version)

    def remove(self, measure: str, key: str, shard: int) -> None:
        self._place(measure, key, shard, [])
        self.pending[measure, key, shard] = (None, 0)

    def head(self, measure: str, key: str, shard: int) -> Head | None:
        """One slice of a measure, or None when there is none."""
        heads = self.heads(measure)
        place = bisect_left(heads, (key, shard))
        return heads[place] if place < len(heads) and heads[place][:2] == (key, shard) else None

    def begins(self, measure: str, start: str) -> list[Head]:
        """Slices of a measure whose key begins so."""
        heads = self.heads(measure)
        first = bisect_left(heads, (start,))
        return list(takewhile(lambda head: head.key.startswith(start), islice(heads, first, None)))

    def _place(self, measure: str, key: str, shard: int, new: list[Head]) -> None:
        """In place of what there was. A new list each time: others may hold the old one."""
        heads = self.heads(measure)
        place = bisect_left(heads, (key, shard))
        rest = place + (self.head(measure, key, shard) is not None)
        self._heads[measure] = [*heads[:place], *new, *heads[rest:]]

    def leave_heads(self, version: int) -> None:
        """What is known here is true of the version that was just committed."""
        for measure, heads in self._heads.items():
            self._keep(measure, heads, version)

    def flush(self) -> None:
        """Write everything put and remove everything removed."""
        places = list(self.pending)
        for start in range(0, len(places), _AT_ONCE):
            self.session.execute(
                delete(slices).where(slices.c.tenant_id == self.tenant_id, _at3(places[start : start + _AT_ONCE]))
            )
        now = utc_now()
        rows = [
            {"tenant_id": self.tenant_id, "measure": measure, "key": key, "shard": shard, "data": squeeze(data),
             "version": version, "updated_at": now}
            for (measure, key, shard), (data, version) in self.pending.items() if data is not None
        ]  # fmt: skip
        if rows:
            self.session.execute(insert(slices), rows)
        self.pending.clear()


def _at(places: list[tuple[str, int]]) -> Any:
    """Keys by shard, which the primary key answers from."""
    by_shard: dict[int, list[str]] = {}
    for key, shard in places:
        by_shard.setdefault(shard, []).append(key)
    return or_(*(and_(slices.c.shard == shard, slices.c.key.in_(keys)) for shard, keys in by_shard.items()))


def _at3(places: list[tuple[str, str, int]]) -> Any:
    by_measure: dict[str, list[tuple[str, int]]] = {}
    for measure, key, shard in places:
        by_measure.setdefault(measure, []).append((key, shard))
    return or_(*(and_(slices.c.measure == measure, _at(part)) for measure, part in by_measure.items()))
