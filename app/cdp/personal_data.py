"""What customer data holds of one person: handed out, and removed."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from sqlalchemy import or_, select

from app.cdp.models import (
    Computed,
    EventName,
    IdentityRefusal,
    Measure,
    Profile,
    ProfileEvent,
    ProfileMerge,
    SegmentChange,
)
from app.cdp.queries import profiles as queries
from app.cdp.queries.lists import ids_in
from app.cdp.services import computed_traits, consent, merges, profiles
from app.core.clock import iso
from app.core.db import db
from app.webhooks import personal_data as told_outside

Part = Callable[[int], dict[str, Any]]
_parts: list[Part] = []


def also_export(part: Part) -> Part:
    """Let a feature above this one add what it holds of a person; `part` takes the profile's id."""
    if part not in _parts:
        _parts.append(part)
    return part


def export(profile_id: int) -> dict[str, Any]:
    """Everything stored of the person, in every feature, as plain values; NotFound when there is nobody."""
    profile = profiles.get_profile(profile_id)
    ids = merges.with_merged(profile.id)
    own = {
        "profile": _plain(profile),
        "merged_profiles": [_plain(row) for row in _rows(Profile, Profile.id, ids) if row.id != profile.id],
        "identities": [_plain(row) for row in queries.list_identities(profile.id)],
        "refused_identities": [_plain(row) for row in _rows(IdentityRefusal, IdentityRefusal.profile_id, ids)],
        "events": _events(profile.id),
        "consent": consent.states_of(profile.id),
        "consent_records": [_plain(row) for row in consent.list_records(profile.id)],
        "computed_traits": computed_traits.values_of(profile.id),
        "measures": _measures(profile.id),
        "segments": queries.list_segment_ids(profile.id),
        "segment_changes": [_plain(row) for row in _rows(SegmentChange, SegmentChange.profile_id, ids)],
        "merges": [_plain(row) for row in _merges(ids)],
        **told_outside.export(ids),
    }
    return own | {name: rows for part in _parts for name, rows in part(profile.id).items()}


def erase(profile_id: int) -> None:
    """Remove everything stored of the person; the index and the messages of webhooks follow within moments."""
    for erased_id in profiles.erase(profile_id):
        told_outside.erase(erased_id)


def _rows(model: Any, column: Any, ids: list[int]) -> list[Any]:
    return list(db.session.scalars(select(model).where(column.in_(ids_in(ids))).order_by(model.id)))


def _events(profile_id: int) -> list[dict[str, Any]]:
    statement = select(ProfileEvent, EventName.name).join(EventName, EventName.id == ProfileEvent.name_id)
    rows = db.session.execute(statement.where(ProfileEvent.profile_id == profile_id).order_by(ProfileEvent.at))
    return [_plain(event) | {"event_name": name} for event, name in rows]


def _measures(profile_id: int) -> list[dict[str, Any]]:
    statement = select(Computed, Measure).join(Measure, Measure.id == Computed.measure_id)
    rows = db.session.execute(statement.where(Computed.profile_id == profile_id))
    return [_plain(found) | {"event": measure.event, "property": measure.property} for found, measure in rows]


def _merges(ids: list[int]) -> list[ProfileMerge]:
    of_them = or_(ProfileMerge.winner_id.in_(ids_in(ids)), ProfileMerge.loser_id.in_(ids_in(ids)))
    return list(db.session.scalars(select(ProfileMerge).where(of_them).order_by(ProfileMerge.id)))


def _plain(row: Any) -> dict[str, Any]:
    values = {column.key: getattr(row, column.key) for column in row.__table__.columns}
    return {name: iso(value) if hasattr(value, "isoformat") else value for name, value in values.items()}
