"""Taking a merge back, and parting some identities from a person."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

from sqlalchemy import func, select, update

from app.accounts.services import audit
from app.cdp.models import Identity, Profile, ProfileEvent, ProfileMerge
from app.cdp.queries.lists import ids_in
from app.cdp.services import consent, fold_queue, lifecycle, merges, profiles, traits
from app.core.clock import utc_now
from app.core.db import db, get_required
from app.core.errors import Conflict, NotFound, ValidationFailed
from app.core.tenancy import current_tenant_id

SHOWN = ("user_id", "email", "phone")


def undo(merge_id: int) -> Profile:
    """Make the loser a profile of its own again, with what was its own; refused when that was done before."""
    row = get_required(ProfileMerge, merge_id, for_update=True, label="Merge")
    loser = get_required(Profile, row.loser_id, for_update=True, label="Profile")
    if row.undone_at is not None or loser.merged_into_id is None:
        raise Conflict("This merge was taken back already.")
    holder = profiles.get_profile(row.winner_id, for_update=True)
    loser.merged_into_id = None
    row.undone_at = utc_now()
    db.session.flush()
    _give_back(holder, loser, row, merges.with_merged(loser.id))
    audit.record("profile.merge_undone", loser, label=f"Profile {loser.id}", after={"parted_from": holder.id})
    return loser


def split(profile_id: int, identity_ids: list[int]) -> Profile:
    """A new profile with these identities. Events that came to those it was merged from, by nothing else, go along.

    Refused for an identity that is not the profile's, and for all of them at once.
    """
    holder = profiles.get_profile(profile_id, for_update=True)
    chosen = _own_identities(holder.id, identity_ids)
    now = utc_now()
    parted = Profile(traits={}, first_seen_at=min(row.first_seen_at for row in chosen), last_seen_at=now)
    db.session.add(parted)
    db.session.flush()
    moved_merges = _merges_within(holder.id, {row.id for row in chosen})
    for row in chosen:
        row.profile_id = parted.id
    for merge in moved_merges:
        loser = get_required(Profile, merge.loser_id)
        parted.traits = {**loser.traits, **parted.traits}
        if loser.merged_into_id == merge.winner_id:
            loser.merged_into_id = parted.id
        merge.winner_id = parted.id
        _take_traits_back(holder, loser, merge.moved)
        consent.part(holder.id, parted.id, merge.moved)
    db.session.flush()
    sources = merges.with_merged(parted.id)
    for row in chosen:
        row.origin_profile_id = row.origin_profile_id if row.origin_profile_id in sources else None
    _finish(holder, parted, sources)
    consent.copy_denials(holder.id, parted.id)
    audit.record("profile.split", parted, label=f"Profile {parted.id}", after={"parted_from": holder.id})
    return parted


def list_merges(profile_id: int) -> list[ProfileMerge]:
    """Merges this profile won or lost, newest first."""
    of_it = (ProfileMerge.winner_id == profile_id) | (ProfileMerge.loser_id == profile_id)
    return list(db.session.scalars(select(ProfileMerge).where(of_it).order_by(ProfileMerge.id.desc())))


def _own_identities(profile_id: int, identity_ids: list[int]) -> list[Identity]:
    rows = list(db.session.scalars(select(Identity).where(Identity.profile_id == profile_id).with_for_update()))
    wanted = set(identity_ids)
    chosen = [row for row in rows if row.id in wanted]
    if len(chosen) < len(wanted):
        raise NotFound("This profile has no such identity.")
    if len(chosen) == len(rows):
        raise ValidationFailed("identity_ids: one identity must stay.", field="identity_ids")
    return chosen


def _merges_within(holder_id: int, identity_ids: set[int]) -> list[ProfileMerge]:
    """The merges whose losers brought nothing but these identities."""
    ids = merges.with_merged(holder_id)
    rows = db.session.scalars(
        select(ProfileMerge).where(ProfileMerge.winner_id.in_(ids_in(ids)), ProfileMerge.undone_at.is_(None))
    )
    return [row for row in rows if row.moved.get("identities") and set(row.moved["identities"]) <= identity_ids]


def _give_back(holder: Profile, loser: Profile, row: ProfileMerge, sources: list[int]) -> None:
    identities: Any = Identity.__table__
    db.session.execute(
        update(identities)
        .where(identities.c.tenant_id == current_tenant_id(), identities.c.profile_id == holder.id,
               identities.c.id.in_(ids_in(row.moved.get("identities", []))))
        .values(profile_id=loser.id, origin_profile_id=_unless_own(identities.c.origin_profile_id, loser.id))
    )  # fmt: skip
    _take_traits_back(holder, loser, row.moved)
    consent.part(holder.id, loser.id, row.moved)
    _finish(holder, loser, sources)


def _unless_own(origin: Any, profile_id: int) -> Any:
    """Who had the identity before, but for the profile that has it again."""
    return func.nullif(origin, profile_id)


def _take_traits_back(holder: Profile, loser: Profile, moved: dict[str, Any]) -> None:
    """What the loser filled in goes, unless it was changed since."""
    before = moved.get("winner_before", {})
    filled = {key for key in loser.traits if key not in before.get("traits", {})}
    holder.traits = {
        key: value for key, value in holder.traits.items() if key not in filled or value != loser.traits[key]
    }
    if not before.get("name") and holder.name == loser.name:
        holder.name = holder.name_key = holder.surname_key = ""


def _finish(holder: Profile, parted: Profile, sources: Iterable[int]) -> None:
    events: Any = ProfileEvent.__table__
    db.session.execute(
        update(events)
        .where(events.c.tenant_id == current_tenant_id(), events.c.profile_id == holder.id,
               events.c.source_profile_id.in_(ids_in(sources)))
        .values(profile_id=parted.id)
    )  # fmt: skip
    for profile in (holder, parted):
        _show_newest(profile)
    name = "" if parted.name else traits.full_name(parted.traits)
    if name:
        for column, value in traits.name_columns(name).items():
            setattr(parted, column, value)
    db.session.flush()
    lifecycle.evaluate([holder.id, parted.id])
    db.session.expire(holder)
    db.session.expire(parted)
    fold_queue.note_moved(holder.id, parted.id)
    fold_queue.note_profiles([holder.id, parted.id])


def _show_newest(profile: Profile) -> None:
    """The columns that lists show repeat the newest identity of their kind."""
    rows = db.session.execute(
        select(Identity.kind, Identity.value)
        .where(Identity.profile_id == profile.id, Identity.kind.in_(SHOWN))
        .order_by(Identity.last_seen_at, Identity.id)
    )
    newest = dict(rows.all())
    for kind in SHOWN:
        setattr(profile, kind, newest.get(kind, ""))
