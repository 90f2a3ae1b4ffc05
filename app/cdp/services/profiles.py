"""One profile: found, changed by hand, erased."""

from __future__ import annotations

from typing import Any

from sqlalchemy import delete

from app.accounts.services import audit
from app.cdp.events import ProfilesErased
from app.cdp.models import (
    Computed,
    ConsentRecord,
    ConsentState,
    Identity,
    IdentityRefusal,
    Profile,
    ProfileEvent,
    ProfileMerge,
    SegmentChange,
    SegmentMember,
)
from app.cdp.queries import contacts
from app.cdp.queries.lists import ids_in, of_people
from app.cdp.services import fold_queue, merges, traits
from app.cdp.services.ingestion_rows import RowRefused, check_object
from app.core.db import db, find_row, get_required
from app.core.errors import NotFound, ValidationFailed
from app.core.events import emit
from app.core.tenancy import current_tenant_id

OF_A_PERSON = (
    ProfileEvent, Identity, ConsentRecord, ConsentState, Computed, SegmentMember, SegmentChange, IdentityRefusal,
)  # fmt: skip


def get_profile(profile_id: int, *, for_update: bool = False) -> Profile:
    """The profile, or the one it was merged into."""
    row = find_row(Profile, profile_id, for_update=for_update)
    if row is not None and row.merged_into_id is None:
        return row
    current = merges.current_id(profile_id) if row is not None else None
    if current is None:
        raise NotFound("Profile not found.")
    return get_required(Profile, current, for_update=for_update, label="Profile")


def change_traits(profile_id: int, values: dict[str, Any]) -> Profile:
    """Set traits, remove those that are null; refuses names and values that events may not have either."""
    try:
        check_object(values, "traits")
    except RowRefused as error:
        raise ValidationFailed(f"{error.field}: {error.message}", field=error.field) from None
    profile = get_profile(profile_id, for_update=True)
    before, after = traits.change_one(profile, values)
    if before != after:
        audit.record("profile.changed", profile, before=before, after=after, label=f"Profile {profile.id}")
        fold_queue.note_profiles([profile.id])
    db.session.flush()
    return profile


def erase(profile_id: int) -> list[int]:
    """Remove the person and all that is known of them, with those merged into them; returns the ids that are gone.

    The audit log keeps that it was done and by whom, not of whom.
    """
    profile = get_profile(profile_id, for_update=True)
    ids = merges.with_merged(profile.id)
    days = fold_queue.days_of(ids)
    refused = contacts.refused_numbers(ids)
    db.session.expunge(profile)
    for model in OF_A_PERSON:
        table: Any = model.__table__
        db.session.execute(delete(table).where(of_people(table, ids)))
    records: Any = ProfileMerge.__table__
    for column in (records.c.winner_id, records.c.loser_id):
        of_them = (records.c.tenant_id == current_tenant_id()) & column.in_(ids_in(ids))
        db.session.execute(delete(records).where(of_them))
    people: Any = Profile.__table__
    db.session.execute(delete(people).where(people.c.tenant_id == current_tenant_id(), people.c.id.in_(ids_in(ids))))
    fold_queue.note_erased(ids, days)
    emit(ProfilesErased(current_tenant_id(), ids, refused))
    audit.record("profile.erased", label=f"Profile {profile.id}", after={"profiles": len(ids)})
    return ids
