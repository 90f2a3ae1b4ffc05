"""What is known of each person under one name, as sorted columns: a large base, and what changed since beside it."""

from __future__ import annotations

from collections.abc import Callable, Hashable, Iterator
from typing import Any

import numpy as np
from pyroaring import BitMap

from app.cdp.services.engine.idset import IdSet, bitmap_of, ids_of, ranges
from app.cdp.services.engine.packing import Arrays, pack, unpack
from app.cdp.services.engine.store import Head, SliceStore
from app.cdp.services.engine.values import Values, joined

BASE, CHANGES = "base", "changes"
_SMALLEST_CHANGES = 4096
_KEPT_ANSWERS = 32
FEW = 8  # fewer than one in so many: looked up one by one
Mask = Callable[["Part"], np.ndarray]


class Part:
    """Rows of one shard, sorted by id; a person may have several. A row of kind 0 says: nothing (any more)."""

    def __init__(self, data: bytes) -> None:
        self.arrays = unpack(data) if data else {}
        self.ids: np.ndarray = self.arrays.get("ids", np.empty(0, dtype=np.uint32))
        self._all: BitMap | None = None
        self._answers: dict[Hashable, BitMap] = {}
        self._values: Values | None = None

    @property
    def values(self) -> Values:
        if self._values is None:
            self._values = Values(self.arrays)
        return self._values

    def _about(self, asked: BitMap) -> Part:
        wanted = ids_of(asked)
        first, last = np.searchsorted(self.ids, wanted), np.searchsorted(self.ids, wanted, side="right")
        return _Chosen(self, ranges(first, last))

    @property
    def all_ids(self) -> BitMap:
        if self._all is None:
            self._all = bitmap_of(_distinct(self.ids))
        return self._all

    def where(self, question: Hashable, mask: Mask, asked: BitMap | None) -> BitMap:
        """Ids of the rows the mask chooses; the answer to a question is kept with the part. When a few are asked about
        and there is no answer yet, only their rows are looked at."""
        found = self._answers.get(question)
        if found is None and asked is not None and len(asked) * FEW < len(self.ids):
            return self._about(asked).where(question, mask, None)
        if found is None:
            found = bitmap_of(_distinct(self.ids[mask(self)])) if len(self.ids) else BitMap()
            if len(self._answers) >= _KEPT_ANSWERS:
                self._answers.pop(next(iter(self._answers)))
            self._answers[question] = found
        return found


class _Chosen(Part):
    """Some rows of a part. Nothing of it is kept: the next question is about others."""

    def __init__(self, part: Part, rows: np.ndarray) -> None:
        super().__init__(b"")
        self.arrays = {name: array[rows] for name, array in part.arrays.items() if name != "words"}
        self.ids = self.arrays["ids"]
        if "words" in part.arrays:
            self._values = part.values.chosen(rows)


def _distinct(ids: np.ndarray) -> np.ndarray:
    """Sorted ids, each once."""
    return ids[np.concatenate(([True], ids[1:] != ids[:-1]))] if len(ids) else ids


class Column:
    """A measure's column over all shards. With `only`, answers are about these; others may be among them or not."""

    def __init__(self, store: SliceStore, measure: str, only: IdSet | None = None) -> None:
        self.measure = measure
        self.only = only
        heads = store.heads(measure)
        self.parts: dict[int, dict[str, Part]] = {}
        for head, part in zip(heads, store.load(measure, heads, Part), strict=True):
            self.parts.setdefault(head.shard, {})[head.key] = part

    def where(self, question: Hashable, mask: Mask) -> IdSet:
        """People with a row that the mask chooses. What changed since the base overrides it person by person."""
        found = {}
        for shard, parts in self.parts.items():
            asked = None if self.only is None else self.only.shards.get(shard, BitMap())
            found[shard] = _overridden(parts, question, mask, asked)
        return IdSet(found)

    def present(self) -> IdSet:
        """People about whom the column says anything."""
        return self.where("present", lambda part: part.arrays["kinds"] != 0)

    def newest(self, *names: str) -> Iterator[tuple[int, Arrays]]:
        """Per shard, the named arrays (and `ids`) of the rows in force, sorted by id."""
        for shard, parts in sorted(self.parts.items()):
            yield shard, _in_force(parts, ("ids", *names))


def _overridden(parts: dict[str, Part], question: Hashable, mask: Mask, asked: BitMap | None) -> BitMap:
    found = parts[BASE].where(question, mask, asked) if BASE in parts else BitMap()
    changes = parts.get(CHANGES)
    return found if changes is None else (found - changes.all_ids) | changes.where(question, mask, asked)


def _in_force(parts: dict[str, Part], names: tuple[str, ...]) -> Arrays:
    base, changes = parts.get(BASE), parts.get(CHANGES)
    if base is None or changes is None:
        only = base or changes
        return {name: only.arrays[name] for name in names} if only else {}
    kept = ~np.isin(base.ids, changes.ids)
    both = {name: np.concatenate([base.arrays[name][kept], changes.arrays[name]]) for name in names}
    order = np.argsort(both["ids"], kind="stable")
    return {name: array[order] for name, array in both.items()}


def write_rows(store: SliceStore, measure: str, shard: int, rows: Arrays, version: int) -> None:
    """Put new rows of some people in place of what was known of them. `rows` holds `ids`, sorted, and columns."""
    parts = {head.key: (head, part) for head, part in _of_shard(store, measure, shard)}
    changes = _replaced(parts[CHANGES][1].arrays, rows) if CHANGES in parts else rows
    base = parts[BASE][1] if BASE in parts else None
    if base is not None and len(changes["ids"]) <= max(_SMALLEST_CHANGES, len(base.ids) // 8):
        store.put(measure, CHANGES, shard, pack(changes), version)
        return
    whole = _without_nothing(_replaced(base.arrays, changes) if base is not None else changes)
    if CHANGES in parts:
        store.remove(measure, CHANGES, shard)
    if len(whole["ids"]):
        store.put(measure, BASE, shard, pack(whole), version)
    elif base is not None:
        store.remove(measure, BASE, shard)


def _of_shard(store: SliceStore, measure: str, shard: int) -> list[tuple[Head, Any]]:
    heads = [head for head in store.heads(measure) if head.shard == shard]
    return list(zip(heads, store.load(measure, heads, Part), strict=True))


def _replaced(old: Arrays, new: Arrays) -> Arrays:
    kept = ~np.isin(old["ids"], new["ids"])
    both = joined([old, new], [kept, np.ones(len(new["ids"]), dtype=bool)])
    order = np.argsort(both["ids"], kind="stable")
    return {name: array if name == "words" else array[order] for name, array in both.items()}


def _without_nothing(rows: Arrays) -> Arrays:
    """The rows that say something; what removes what was known is not needed in a base."""
    return joined([rows], [rows["kinds"] != 0])


def purge(store: SliceStore, measure: str, shard: int, ids: np.ndarray, version: int) -> None:
    """Wipe what a base holds of these people, the words that were only theirs among it; what changed overrides it."""
    for head, part in _of_shard(store, measure, shard):
        rows = np.isin(part.ids, ids)
        if head.key == BASE and rows.any():
            store.put(measure, BASE, shard, pack(_wiped(part.arrays, rows)), version)


def _wiped(arrays: Arrays, rows: np.ndarray) -> Arrays:
    out = {name: array.copy() for name, array in arrays.items()}
    out["kinds"][rows] = 0
    for name in out.keys() - {"ids", "kinds", "codes", "words"}:
        out[name][rows] = np.nan
    if "codes" in out:
        theirs = np.setdiff1d(out["codes"][rows], out["codes"][~rows])
        out["codes"][rows] = -1
        bounds = np.flatnonzero(out["words"] == 0)
        for code in theirs[theirs >= 0].tolist():
            out["words"][bounds[code] + 1 : bounds[code + 1]] = 1
    return out
