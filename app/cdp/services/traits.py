"""What is known of a person: traits, and the name, address and number that lists show."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any

from sqlalchemy import select

from app.cdp.models import Profile
from app.cdp.queries.lists import ids_in
from app.cdp.services.bulk import update_rows
from app.core.clock import utc_now
from app.core.db import db
from app.core.errors import ValidationFailed
from app.core.tenancy import current_tenant_id

_profiles = Profile.__table__
SHOWN = {"email": 320, "phone": 20, "user_id": 200}
COLUMNS = ("name", "name_key", "surname_key", "email", "phone", "user_id", "traits")
MAX_TRAITS = 500


@dataclass
class Change:
    """What a batch says of one profile: traits in the order of time, and its newest identities by kind."""

    traits: dict[str, Any] = field(default_factory=dict)
    shown: dict[str, str] = field(default_factory=dict)


def apply(changes: dict[int, Change]) -> list[int]:
    """Write what differs, in two statements; returns the profiles that changed. A trait that is null goes."""
    if not changes:
        return []
    rows = db.session.execute(
        select(_profiles.c.id, *(_profiles.c[name] for name in COLUMNS))
        .where(_profiles.c.tenant_id == current_tenant_id(), _profiles.c.id.in_(ids_in(sorted(changes))))
        .order_by(_profiles.c.id + 0)  # a sum: SQLite would walk the whole table for the order
    )
    now, values = utc_now(), []
    for row in rows:
        before = {name: getattr(row, name) for name in COLUMNS}
        after = merged(before, changes[row.id])
        if after != before:
            values.append((*(after[name] for name in COLUMNS), now, row.id))
    update_rows(_profiles, (*COLUMNS, "updated_at"), values)
    return [row[-1] for row in values]


def merged(before: dict[str, Any], change: Change) -> dict[str, Any]:
    """The columns after the change."""
    traits = before["traits"]
    if change.traits:
        traits = {key: value for key, value in (traits | change.traits).items() if value is not None}
        if len(traits) > MAX_TRAITS:  # what is there stays, new names wait
            traits = {key: traits[key] for key in list(traits)[:MAX_TRAITS]}
    after = before | {"traits": traits} | {kind: value[: SHOWN[kind]] for kind, value in change.shown.items()}
    name = full_name(change.traits)
    return after | name_columns(name) if name else after


def full_name(traits: dict[str, Any]) -> str:
    """The name these traits give, or an empty text."""
    whole = _text(traits, "name", "full_name")
    if whole:
        return whole
    parts = (_text(traits, "first_name", "firstName"), _text(traits, "last_name", "lastName"))
    return " ".join(part for part in parts if part)


def name_columns(name: str) -> dict[str, str]:
    """The name and its two keys: as written, and with the last word first, so that either begins a search."""
    name = " ".join(name.split())[:200]
    words = name.lower().split(" ")
    surname_first = " ".join([words[-1], *words[:-1]])
    return {"name": name, "name_key": " ".join(words)[:200], "surname_key": surname_first[:200]}


def _text(traits: dict[str, Any], *keys: str) -> str:
    found = next((traits[key] for key in keys if isinstance(traits.get(key), str)), "")
    return " ".join(found.split())


def change_one(profile: Profile, values: dict[str, Any]) -> tuple[dict[str, Any], dict[str, Any]]:
    """Set and remove (null) traits of one profile; returns those that differ, before and after. Refuses too many."""
    if len({**profile.traits, **values}) > MAX_TRAITS:
        raise ValidationFailed(f"traits: a profile has at most {MAX_TRAITS}.", field="traits")
    before = {key: profile.traits.get(key) for key in values}
    columns = merged({name: getattr(profile, name) for name in COLUMNS}, Change(traits=values))
    for name, value in columns.items():
        setattr(profile, name, value)
    return before, {key: profile.traits.get(key) for key in values}
