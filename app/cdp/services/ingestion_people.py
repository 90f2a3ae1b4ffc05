"""What a batch of events says of the people it is about: when seen, traits, stage of life."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from sqlalchemy import Select, select

from app.cdp.models import Lifecycle, Profile
from app.cdp.services import lifecycle, traits
from app.cdp.services.bulk import insert_rows, update_rows
from app.cdp.services.days import day_of, today
from app.cdp.services.identity import Clash, Resolved
from app.cdp.services.ingestion_rows import EventRow
from app.cdp.services.ingestion_rules import IngestRules
from app.cdp.services.lifecycle_rules import Facts, StageRules
from app.cdp.services.prepared import TENANT, Lists, fetch
from app.core.tenancy import current_tenant_id

_profiles = Profile.__table__
NEW = ("id", "tenant_id", "lifecycle", "traits", "name", "name_key", "surname_key", "email", "phone", "user_id",
       "first_seen_at", "last_seen_at", "created_at", "updated_at")  # fmt: skip
BLANK: dict[str, Any] = dict.fromkeys(("name", "name_key", "surname_key", "email", "phone", "user_id"), "")


@dataclass
class Person:
    """One profile of the batch: its rows in the order of time, what they change, and how it was (None: it is new)."""

    rows: list[EventRow]
    change: traits.Change
    before: Any = None

    @property
    def first_seen_at(self) -> datetime:
        return min(self.rows[0].at, self.before.first_seen_at) if self.before else self.rows[0].at

    @property
    def last_seen_at(self) -> datetime:
        return max(self.rows[-1].at, self.before.last_seen_at) if self.before else self.rows[-1].at


def gather(rows: Sequence[EventRow], owners: Sequence[int], resolved: Resolved) -> dict[int, Person]:
    """The batch by person; those who are known are locked. Raises Clash when one is gone meanwhile."""
    by_person: dict[int, list[EventRow]] = {}
    for row, owner in sorted(zip(rows, owners, strict=True), key=lambda one: one[0].at):
        by_person.setdefault(owner, []).append(row)
    known = _lock([owner for owner in by_person if owner not in resolved.created])
    return {
        owner: Person(theirs, _change(owner, theirs, resolved), known.get(owner))
        for owner, theirs in sorted(by_person.items())
    }


def insert_new(people: dict[int, Person], settings: IngestRules, now: datetime) -> None:
    """Write the new profiles as this batch leaves them."""
    rules, zone = settings.stages, settings.zone
    since, tenant_id = today(zone) - rules.active_days + 1, current_tenant_id()
    values = []
    for profile_id, person in people.items():
        if person.before is None:
            recent = sum(row.name in rules.active and day_of(row.at, zone) >= since for row in person.rows)
            stage = rules.stage(_facts(person, Lifecycle.ANONYMOUS, recent, rules, now))
            columns = traits.merged(BLANK | {"traits": {}}, person.change)
            shown = [columns[name] for name in NEW[3:10]]
            seen = (person.first_seen_at, person.last_seen_at)
            values.append((profile_id, tenant_id, stage.value, *shown, *seen, now, now))
    insert_rows(_profiles, NEW, values)


def update_known(people: dict[int, Person], rules: StageRules, now: datetime) -> set[int]:
    """Write what changed of those who were known, once their events stand; returns those the index must look at."""
    known = {profile_id: person for profile_id, person in people.items() if person.before is not None}
    seen = [
        (person.first_seen_at, person.last_seen_at, profile_id)
        for profile_id, person in known.items()
        if (person.first_seen_at, person.last_seen_at) != (person.before.first_seen_at, person.before.last_seen_at)
    ]
    update_rows(_profiles, ("first_seen_at", "last_seen_at"), seen)
    changes = {one: person.change for one, person in known.items() if person.change.traits or person.change.shown}
    return {*traits.apply(changes), *_promote(known, rules, now)}


def _promote(known: dict[int, Person], rules: StageRules, now: datetime) -> list[int]:
    """Move those forward whom these events say to be further; going back is the daily job's."""
    counted = [one for one, person in known.items() if any(row.name in rules.active for row in person.rows)]
    recent = lifecycle.count_recent(counted, rules) if counted else {}
    stages = {}
    for profile_id, person in known.items():
        was = person.before.lifecycle
        count = rules.active_times if was == Lifecycle.ACTIVE else recent.get(profile_id, 0)
        stage = rules.stage(_facts(person, was, count, rules, now))
        if stage != was:
            stages[profile_id] = stage
    return lifecycle.move(stages)


def _facts(person: Person, was: str, recent: int, rules: StageRules, now: datetime) -> Facts:
    names = {row.name for row in person.rows}
    return Facts(
        is_known=was != Lifecycle.ANONYMOUS or any(row.identities[0][0] != "anonymous_id" for row in person.rows),
        did_lead=was == Lifecycle.LEAD or not rules.lead.isdisjoint(names),
        did_customer=was in lifecycle.PAST_LEAD or not rules.customer.isdisjoint(names),
        recent=recent,
        days_unseen=(now - person.last_seen_at).total_seconds() / 86400,
    )


def _change(profile_id: int, rows: list[EventRow], resolved: Resolved) -> traits.Change:
    change = traits.Change()
    is_touched = profile_id in resolved.created or profile_id in resolved.joined
    for row in rows:
        change.traits.update(row.traits)
        if is_touched:
            mine = [one for one in row.identities if resolved.owners.get(one) == profile_id]
            change.shown.update({kind: value for kind, value in mine if kind in traits.SHOWN})
    return change


def _lock(profile_ids: list[int]) -> dict[int, Any]:
    """The profiles as they are, kept from being merged or erased until the commit."""
    if not profile_ids:
        return {}
    found = {row.id: row for row in fetch(_locked, ids=profile_ids) if row.merged_into_id is None}
    if len(found) < len(profile_ids):
        raise Clash
    return found


def _locked(lists: Lists) -> Select[tuple]:
    columns = ("id", "merged_into_id", "lifecycle", "first_seen_at", "last_seen_at")
    return (
        select(*(_profiles.c[name] for name in columns))
        .where(_profiles.c.tenant_id == TENANT, _profiles.c.id.in_(lists.ids("ids")))
        .order_by(_profiles.c.id + 0)  # a sum: SQLite would walk the whole table for the order
        .with_for_update()
    )
