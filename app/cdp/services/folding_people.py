"""Profiles into columns: what is known of those who changed is put in place of what was known of them."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Iterator
from typing import Any

import numpy as np
from sqlalchemy import select

from app.cdp.models import Channel, Lifecycle
from app.cdp.services.conditions.people import IDENTIFIERS, LIFECYCLE, consent_measure, consents, identities
from app.cdp.services.conditions.traits import TEXT_FIELDS, field_measure, left_out_measure, trait_measure
from app.cdp.services.engine.columns import Column, purge, write_rows
from app.cdp.services.engine.context import PEOPLE, profiles
from app.cdp.services.engine.idset import LOW_MASK, SHARD_BITS, IdSet, ids_of
from app.cdp.services.engine.json_sql import in_ids, of_tenant
from app.cdp.services.engine.packing import Arrays
from app.cdp.services.engine.rows import as_bitmap
from app.cdp.services.engine.values import encode_elements
from app.cdp.services.folding_work import FoldWork

TRAITS = "n:traits"
MOST_TRAITS = 300
LONGEST_TRAIT = 200
_AT_ONCE = 5000
Known = dict[str, dict[int, Any]]  # measure, profile, value


def fixed_measures() -> list[str]:
    """Columns every tenant has."""
    fields = [field_measure(name) for name in TEXT_FIELDS]
    return [*fields, LIFECYCLE, IDENTIFIERS, *(consent_measure(channel) for channel in Channel)]


def fold_people(work: FoldWork, profile_ids: Iterable[int], erased: Iterable[int] = ()) -> None:
    """Write what is known of these people now; of those who are gone, nothing. No trace is left of the erased."""
    ids = sorted(set(profile_ids))
    if not ids:
        return
    alive, known = read_people(work, ids)
    touched = IdSet.of(ids)
    _fold_living(work, touched, alive)
    work.touched["people"].update(ids)
    work.touched["moments"].update(ids)
    for measure in [*fixed_measures(), *_trait_measures(work, known)]:
        values = known.get(measure, {})
        before = Column(work.store, measure).present() & touched
        changed = {**dict.fromkeys(before), **values}
        if changed:
            write_values(work, measure, changed)
            work.touched[measure].update(changed)
    for shard, bitmap in IdSet.of(erased).shards.items():
        for measure in [*fixed_measures(), *_trait_measures(work, known)]:
            purge(work.store, measure, shard, ids_of(bitmap), work.version)


def _trait_measures(work: FoldWork, known: Known) -> list[str]:
    """Columns of traits, those of new ones among them."""
    kept = work.listed(TRAITS)
    trait_room(work, known, kept := list(kept))
    work.list_more(TRAITS, kept)
    return [trait_measure(name) for name in kept]


def trait_room(work: FoldWork, known: Known, kept: list[str]) -> list[str]:
    """Measures of `known` that are kept. New traits are added to `kept` while there is room; one that finds none is
    marked, and asked from the database."""
    there = set(kept)
    for name in [measure[2:] for measure in known if measure.startswith("t:")]:
        if name in there:
            continue
        if len(kept) < MOST_TRAITS:
            kept.append(name)
            there.add(name)
        elif not work.store.heads(left_out_measure(name)):
            work.store.put(left_out_measure(name), "all", 0, b"", work.version)
    return [measure for measure in known if not measure.startswith("t:") or measure[2:] in there]


def _fold_living(work: FoldWork, touched: IdSet, alive: IdSet) -> None:
    heads = {head.shard: head for head in work.store.heads(PEOPLE)}
    for shard, bitmap in touched.shards.items():
        old = work.store.load(PEOPLE, [heads[shard]], as_bitmap)[0] if shard in heads else as_bitmap(b"")
        new = (old - bitmap) | alive.shards.get(shard, as_bitmap(b""))
        if new != old:
            work.store.put(PEOPLE, "all", shard, new.serialize(), work.version)


def read_people(work: FoldWork, ids: list[int]) -> tuple[IdSet, Known]:
    """Who of them is alive, and what is known of those, by measure."""
    alive: list[int] = []
    known: Known = defaultdict(dict)
    for start in range(0, len(ids), _AT_ONCE):
        part = ids[start : start + _AT_ONCE]
        found = _read_profiles(work, part, known)
        alive += found
        _read_consent(work, found, known)
        _read_identities(work, found, known)
    return IdSet.of(alive), known


def _read_profiles(work: FoldWork, ids: list[int], known: Known) -> list[int]:
    fields = [profiles.c[name] for name in TEXT_FIELDS]
    rows = work.session.execute(
        select(profiles.c.id, profiles.c.lifecycle, profiles.c.traits, *fields).where(
            of_tenant(profiles, work.tenant_id),
            profiles.c.merged_into_id.is_(None),
            in_ids(profiles.c.id, ids, work.dialect),
        )
    ).all()
    for profile_id, lifecycle, traits, *texts in rows:
        known[LIFECYCLE][profile_id] = str(lifecycle or Lifecycle.ANONYMOUS)
        for name, text in zip(TEXT_FIELDS, texts, strict=True):
            if text:
                known[field_measure(name)][profile_id] = text
        for name, value in traits.items():
            if value is not None and value != "" and len(name) <= LONGEST_TRAIT:
                known[trait_measure(name)][profile_id] = value
    return [row[0] for row in rows]


def _read_consent(work: FoldWork, ids: list[int], known: Known) -> None:
    rows = work.session.execute(
        select(consents.c.profile_id, consents.c.channel, consents.c.state).where(
            of_tenant(consents, work.tenant_id), in_ids(consents.c.profile_id, ids, work.dialect)
        )
    )
    for profile_id, channel, state in rows:
        known[consent_measure(channel)][profile_id] = str(state)


def _read_identities(work: FoldWork, ids: list[int], known: Known) -> None:
    rows = work.session.execute(
        select(identities.c.profile_id, identities.c.kind)
        .where(of_tenant(identities, work.tenant_id), in_ids(identities.c.profile_id, ids, work.dialect))
        .distinct()
    )
    for profile_id, kind in rows:
        known[IDENTIFIERS].setdefault(profile_id, []).append(kind)


def write_values(work: FoldWork, measure: str, values: dict[int, Any]) -> None:
    """Put the values in place of what the column held of these people; None is no value."""
    for shard, rows in column_rows(values):
        write_rows(work.store, measure, shard, rows, work.version)


def column_rows(values: dict[int, Any]) -> Iterator[tuple[int, Arrays]]:
    """Rows of a column by shard, sorted by person."""
    by_shard: dict[int, list[int]] = defaultdict(list)
    for profile_id in sorted(values):
        by_shard[profile_id >> SHARD_BITS].append(profile_id)
    for shard, ids in by_shard.items():
        owners, rows = encode_elements([values[one] for one in ids])
        low = np.array([one & LOW_MASK for one in ids], dtype=np.uint32)
        yield shard, {"ids": low[owners]} | rows
