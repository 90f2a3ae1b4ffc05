"""Whose events these are: found, joined or new, for a whole batch in a handful of statements."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import Any

from sqlalchemy import Integer, Select, bindparam, delete, func, select, type_coerce
from sqlalchemy.dialects import postgresql, sqlite

from app.cdp.models import Identity, IdentityRefusal, Profile
from app.cdp.queries.lists import ids_in, is_sqlite, of_people
from app.cdp.services import merges
from app.cdp.services.bulk import insert_rows, lock_people, run, take_ids, update_rows
from app.cdp.services.identity_graph import Group, Partition, Refusal
from app.cdp.services.identity_rules import Ident, Rules
from app.cdp.services.prepared import TENANT, Lists, fetch
from app.core.db import db
from app.core.tenancy import current_tenant_id

SEEN_EVERY = timedelta(hours=1)  # how often an identity's last_seen_at is written
_identities, _profiles = Identity.__table__, Profile.__table__


class Clash(RuntimeError):
    """Another transaction changed the same people: do the whole batch again."""


@dataclass
class Resolved:
    """The profile of each set of identities, and what had to be done for it."""

    owners: dict[Ident, int]
    created: set[int] = field(default_factory=set)
    joined: set[int] = field(default_factory=set)  # got an identity, or somebody merged into them
    fresh: dict[Ident, int] = field(default_factory=dict)  # identities nobody had
    refusals: list[Refusal] = field(default_factory=list)
    merged: dict[int, int] = field(default_factory=dict)  # who is gone: into whom
    origins: dict[Ident, int] = field(default_factory=dict)  # of identities that a merge brought: who had them

    def profile_of(self, identities: tuple[Ident, ...]) -> int:
        return self.owners[identities[0]]

    def source_of(self, identities: tuple[Ident, ...]) -> int:
        """Whose the event would be without any merge: it goes back to them when theirs is undone."""
        return self.origins.get(identities[0]) or self.owners[identities[0]]


@dataclass(frozen=True)
class Known:
    """A stored identity."""

    id: int
    profile_id: int
    was_seen_lately: bool
    origin_id: int | None


def resolve(sets: Iterable[tuple[Ident, ...]], rules: Rules, now: datetime) -> Resolved:
    """Find the profile of each set of identities, merging those that turn out to be one.

    A new one has its id and is not written yet: the caller writes the profile, then `keep_new` its identities.
    """
    wanted = set(sets)
    identities = {identity for one in wanted for identity in one}
    known = find_known(identities, now)
    if _open_sets(wanted, known):
        lock_people()
        known = find_known(identities, now)  # somebody may have made them while this one waited
    resolved = Resolved({identity: row.profile_id for identity, row in known.items()})
    resolved.origins = {identity: row.origin_id for identity, row in known.items() if row.origin_id is not None}
    open_sets = _open_sets(wanted, known)
    if open_sets:
        _join(open_sets, rules, resolved)
    _touch(known.values(), now)
    return resolved


def _open_sets(sets: set[tuple[Ident, ...]], known: dict[Ident, Known]) -> list[tuple[Ident, ...]]:
    """Those with an identity nobody has, or with identities of several people."""
    return [
        one
        for one in sets
        if one[0] not in known or len({known[each].profile_id if each in known else 0 for each in one}) > 1
    ]


def find_known(identities: Iterable[Ident], now: datetime) -> dict[Ident, Known]:
    """Those of these identities that belong to somebody. One statement for each kind."""
    by_kind: dict[str, list[str]] = {}
    for kind, value in sorted(identities):
        by_kind.setdefault(kind, []).append(value)
    since = now - SEEN_EVERY
    rows = (row for kind, values in by_kind.items() for row in fetch(_of_kind, kind=kind, values=values, since=since))
    return {
        (kind, value): Known(row_id, owner, bool(lately), origin) for kind, value, row_id, owner, origin, lately in rows
    }


def _of_kind(lists: Lists) -> Select[tuple]:
    lately = _identities.c.last_seen_at >= bindparam("since", type_=_identities.c.last_seen_at.type)
    columns = [_identities.c[name] for name in ("kind", "value", "id", "profile_id", "origin_profile_id")]
    return select(*columns, type_coerce(lately, Integer)).where(
        _identities.c.tenant_id == TENANT, _identities.c.kind == bindparam("kind"),
        _identities.c.value.in_(lists.texts("values")),
    )  # fmt: skip


def count_kinds(profile_ids: Iterable[int]) -> dict[int, Counter[str]]:
    """How many identities of each kind these profiles have."""
    counts: dict[int, Counter[str]] = {profile_id: Counter() for profile_id in profile_ids}
    rows = db.session.execute(
        select(_identities.c.profile_id, _identities.c.kind, func.count())
        .where(of_people(_identities, counts))
        .group_by(_identities.c.profile_id, _identities.c.kind)
    )
    for profile_id, kind, count in rows:
        counts[profile_id][kind] = count
    return counts


def keep_new(resolved: Resolved, now: datetime, source: str) -> None:
    """Write the identities that are new; their profiles stand by now."""
    tenant_id = current_tenant_id()
    names = ("tenant_id", "kind", "value", "profile_id", "source", "first_seen_at", "last_seen_at")
    rows = [
        (tenant_id, kind, value, owner, source, now, now) for (kind, value), owner in sorted(resolved.fresh.items())
    ]
    insert_rows(_identities, names, rows)
    _keep_refusals(resolved, now)


def _join(sets: list[tuple[Ident, ...]], rules: Rules, resolved: Resolved) -> None:
    owners = {identity: resolved.owners[identity] for one in sets for identity in one if identity in resolved.owners}
    counts = count_kinds(set(owners.values())) if owners else {}
    partition = Partition(rules, owners, counts)
    partition.join_all(sets)
    people = partition.people()
    newcomers = [group for group in people if not group.profiles]
    new_ids = take_ids(_profiles, len(newcomers))  # type: ignore[arg-type]
    resolved.created.update(new_ids)
    places = {id(group): new_id for group, new_id in zip(newcomers, new_ids, strict=True)}
    place = {id(group): places.get(id(group)) or partition.winner(group) for group in people}
    resolved.fresh = {identity: place[id(group)] for group in people for identity in group.fresh}
    resolved.joined.update(resolved.fresh.values())
    _merge(people, place, resolved)
    for identity in {identity for one in sets for identity in one}:
        group = partition.group_of(identity)
        if id(group) in place:
            resolved.owners[identity] = place[id(group)]
    resolved.refusals = partition.refusals


def _merge(people: list[Group], place: dict[int, int], resolved: Resolved) -> None:
    together = [(place[id(group)], other) for group in people for other in group.profiles if other != place[id(group)]]
    if not together:
        return
    merges.merge_many(sorted(together), reason="the same identities")
    resolved.merged = {loser: winner for winner, loser in together}
    resolved.joined.update(resolved.merged.values())
    for identity, profile_id in resolved.owners.items():
        resolved.owners[identity] = resolved.merged.get(profile_id, profile_id)


def _keep_refusals(resolved: Resolved, now: datetime) -> None:
    """Remember who might have been joined under other rules; once for each."""
    owners = resolved.owners
    rows = {
        (owners[one.anchor], *one.identity)
        for one in resolved.refusals
        if owners.get(one.identity) != owners[one.anchor]
    }
    build: Any = sqlite.insert if is_sqlite() else postgresql.insert
    values = [
        {"tenant_id": current_tenant_id(), "profile_id": profile_id, "kind": kind, "value": value, "at": now}
        for profile_id, kind, value in sorted(rows)
    ]
    run(build(IdentityRefusal.__table__).on_conflict_do_nothing(), values)


def _touch(known: Iterable[Known], now: datetime) -> None:
    old = sorted(row.id for row in known if not row.was_seen_lately)
    update_rows(_identities, ("last_seen_at",), ((now, row_id) for row_id in old))


def forget(identity_ids: Iterable[int]) -> None:
    """Remove identities: nobody is known by them any more."""
    db.session.execute(
        delete(_identities).where(  # type: ignore[arg-type]
            _identities.c.tenant_id == current_tenant_id(), _identities.c.id.in_(ids_in(identity_ids))
        )
    )
