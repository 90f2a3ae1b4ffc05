"""Sets of profile ids: a roaring bitmap per shard, and set algebra over them."""

from __future__ import annotations

import struct
from collections.abc import Callable, Iterable, Iterator
from typing import Any

import numpy as np
from pyroaring import BitMap

SHARD_BITS = 20
SHARD_SIZE = 1 << SHARD_BITS
LOW_MASK = SHARD_SIZE - 1
_CONTAINER = 1 << 16
_ARRAY_LIMIT = 4096  # a container of more ids is stored as bits
_COOKIE = 12346


def bitmap_of(ids: np.ndarray) -> BitMap:
    """A bitmap of sorted, distinct ids of one shard. Large ones are written in roaring's own format at once."""
    if len(ids) < _ARRAY_LIMIT:
        return BitMap(ids.tolist())
    bounds = np.searchsorted(ids, np.arange(0, SHARD_SIZE + 1, _CONTAINER))
    containers = [(n, ids[bounds[n] : bounds[n + 1]]) for n in range(len(bounds) - 1) if bounds[n] < bounds[n + 1]]
    bodies = [_container(part & (_CONTAINER - 1)) for _, part in containers]
    keys = b"".join(struct.pack("<HH", number, len(part) - 1) for number, part in containers)
    start = 8 + len(keys) + 4 * len(containers)
    offsets = start + np.concatenate(([0], np.cumsum([len(body) for body in bodies])[:-1]))
    header = struct.pack("<II", _COOKIE, len(containers)) + keys + offsets.astype("<u4").tobytes()
    return BitMap.deserialize(header + b"".join(bodies))


def _container(low: np.ndarray) -> bytes:
    if len(low) <= _ARRAY_LIMIT:
        return low.astype("<u2").tobytes()
    bits = np.zeros(_CONTAINER, dtype=np.uint8)
    bits[low] = 1
    return np.packbits(bits, bitorder="little").tobytes()


def ids_of(bitmap: BitMap) -> np.ndarray:
    """The ids of one shard, sorted."""
    return np.frombuffer(bitmap.to_array(), dtype=np.uint32)


def ranges(first: np.ndarray, last: np.ndarray) -> np.ndarray:
    """The places from each `first` up to its `last`, all in a row."""
    counts = last - first
    before = np.cumsum(counts) - counts
    return np.repeat(first - before, counts) + np.arange(counts.sum())


class IdSet:
    """Profile ids, as {shard: bitmap}. Never changed once made: operations give new sets."""

    __slots__ = ("shards",)

    def __init__(self, shards: dict[int, BitMap] | None = None) -> None:
        self.shards = {shard: bitmap for shard, bitmap in (shards or {}).items() if bitmap}

    @classmethod
    def of(cls, ids: Iterable[int]) -> IdSet:
        """From profile ids in any order."""
        by_shard: dict[int, list[int]] = {}
        for one in ids:
            by_shard.setdefault(one >> SHARD_BITS, []).append(one & LOW_MASK)
        return cls({shard: BitMap(low) for shard, low in by_shard.items()})

    @classmethod
    def of_array(cls, ids: np.ndarray) -> IdSet:
        """From an array of profile ids in any order."""
        ids = np.unique(np.asarray(ids, dtype=np.int64))
        shards = ids >> SHARD_BITS
        return cls(
            {int(shard): bitmap_of((ids[shards == shard] & LOW_MASK).astype(np.uint32)) for shard in np.unique(shards)}
        )

    @classmethod
    def union_of(cls, sets: Iterable[IdSet]) -> IdSet:
        by_shard: dict[int, list[BitMap]] = {}
        for one in sets:
            for shard, bitmap in one.shards.items():
                by_shard.setdefault(shard, []).append(bitmap)
        return cls({shard: parts[0] if len(parts) == 1 else BitMap.union(*parts) for shard, parts in by_shard.items()})

    def __and__(self, other: IdSet) -> IdSet:
        both = self.shards.keys() & other.shards.keys()
        return IdSet({shard: self.shards[shard] & other.shards[shard] for shard in both})

    def __or__(self, other: IdSet) -> IdSet:
        return self._joined(other, lambda left, right: left | right)

    def __xor__(self, other: IdSet) -> IdSet:
        return self._joined(other, lambda left, right: left ^ right)

    def __sub__(self, other: IdSet) -> IdSet:
        left = {
            shard: bitmap - other.shards[shard] if shard in other.shards else bitmap
            for shard, bitmap in self.shards.items()
        }
        return IdSet(left)

    def _joined(self, other: IdSet, operate: Callable[[Any, Any], Any]) -> IdSet:
        joined = dict(self.shards)
        for shard, bitmap in other.shards.items():
            joined[shard] = operate(joined[shard], bitmap) if shard in joined else bitmap
        return IdSet(joined)

    def __len__(self) -> int:
        return sum(len(bitmap) for bitmap in self.shards.values())

    def __bool__(self) -> bool:
        return bool(self.shards)

    def __eq__(self, other: object) -> bool:
        return isinstance(other, IdSet) and self.shards == other.shards

    def __hash__(self) -> int:
        return hash(tuple(sorted((shard, len(bitmap)) for shard, bitmap in self.shards.items())))

    def __contains__(self, profile_id: int) -> bool:
        bitmap = self.shards.get(profile_id >> SHARD_BITS)
        return bitmap is not None and (profile_id & LOW_MASK) in bitmap

    def __iter__(self) -> Iterator[int]:
        return iter(self.to_array().tolist())

    def to_array(self) -> np.ndarray:
        """All ids, sorted, as int64."""
        parts = [ids_of(self.shards[shard]).astype(np.int64) + (shard << SHARD_BITS) for shard in sorted(self.shards)]
        return np.concatenate(parts) if parts else np.empty(0, dtype=np.int64)

    def page(self, start: int, count: int) -> list[int]:
        """`count` ids from the `start`th on, in order, without unfolding the rest."""
        found: list[int] = []
        for shard in sorted(self.shards):
            bitmap = self.shards[shard]
            if start >= len(bitmap):
                start -= len(bitmap)
                continue
            part = bitmap[start : start + count - len(found)]
            found += [(shard << SHARD_BITS) + low for low in part]
            start = 0
            if len(found) >= count:
                break
        return found

    @property
    def size_bytes(self) -> int:
        return sum(64 + len(bitmap) // 4 for bitmap in self.shards.values())
