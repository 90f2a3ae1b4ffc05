"""Two profiles that are one person become one, so that it can be taken back."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import Any

from sqlalchemy import bindparam, delete, func, select, update

from app.accounts.services import audit
from app.cdp.models import Identity, IdentityRefusal, Profile, ProfileEvent, ProfileMerge
from app.cdp.queries.lists import ids_in
from app.cdp.services import consent, fold_queue, lifecycle
from app.cdp.services.bulk import lock_people, run
from app.core.clock import utc_now
from app.core.db import db
from app.core.errors import Conflict, ValidationFailed
from app.core.tenancy import current_tenant_id

DEEPEST = 20  # merges into merges that are followed for many at once
KEPT = ("name", "name_key", "surname_key", "email", "phone", "user_id")  # columns a loser fills where they are empty


def merge_by_hand(winner_id: int, loser_id: int, reason: str, user_id: int | None) -> ProfileMerge:
    """Make the loser part of the winner because a person says so: limits do not count. Refused for one and the same."""
    if winner_id == loser_id:
        raise ValidationFailed("profile_id: is the same profile.", field="profile_id")
    row = merge_many([(winner_id, loser_id)], reason, user_id)[0]
    audit.record("profile.merged", row, label=f"Profile {winner_id}", after={"merged": loser_id, "reason": reason})
    return row


def merge_many(together: Sequence[tuple[int, int]], reason: str, user_id: int | None = None) -> list[ProfileMerge]:
    """Winner and loser of each merge. Raises Conflict when one of them is gone or was merged meanwhile.

    The winner's values stay and the loser's fill its gaps; identities, events and statements of consent move.
    """
    people = _lock({one for pair in together for one in pair})
    identity_ids = _identity_ids([loser for _, loser in together])
    merges = []
    for winner_id, loser_id in together:
        winner, loser = people[winner_id], people[loser_id]
        moved = {"identities": identity_ids.get(loser_id, []), "winner_before": _values(winner)}
        moved |= consent.join(winner_id, loser_id)
        _fill(winner, loser)
        loser.merged_into_id = winner_id
        row = ProfileMerge(winner_id=winner_id, loser_id=loser_id, reason=reason, moved=moved, user_id=user_id)
        merges.append(row)
    db.session.add_all(merges)
    db.session.flush()
    _move_rows(together)
    winners = {winner for winner, _ in together}
    lifecycle.evaluate(winners)
    fold_queue.note_all_moved((loser, winner) for winner, loser in together)
    fold_queue.note_profiles(winners)
    return merges


def current_id(profile_id: int) -> int | None:
    """Who this profile is by now: itself, the one it was merged into, or None when it is gone."""
    seen: set[int] = set()
    while profile_id not in seen:
        seen.add(profile_id)
        row = db.session.execute(select(Profile.merged_into_id).where(Profile.id == profile_id)).one_or_none()
        if row is None:
            return None
        if row[0] is None:
            return profile_id
        profile_id = row[0]
    return None


def current_ids(profile_ids: Iterable[int]) -> dict[int, int]:
    """`current_id` of many, without those who are gone: a statement for each step of merges into merges, and one."""
    now = {one: one for one in profile_ids}
    for _ in range(DEEPEST):
        asked = select(Profile.id, Profile.merged_into_id).where(Profile.id.in_(ids_in(set(now.values()))))
        onward = {row.id: row.merged_into_id for row in db.session.execute(asked)}
        now = {one: onward[at] or at for one, at in now.items() if at in onward}
        if not any(onward.values()):
            break
    return now


def owners_of(profile_ids: Iterable[int]) -> dict[int, int]:
    """Each of these people, and every profile that was merged into them, with the one of these people it is now. A
    statement for each step of merges into merges, and one."""
    owners = {one: one for one in profile_ids}
    layer = set(owners)
    for _ in range(DEEPEST):
        into = select(Profile.id, Profile.merged_into_id).where(Profile.merged_into_id.in_(ids_in(layer)))
        rows = [row for row in db.session.execute(into) if row.id not in owners]
        owners |= {row.id: owners[row.merged_into_id] for row in rows}
        layer = {row.id for row in rows}
        if not layer:
            break
    return owners


def with_merged(profile_id: int) -> list[int]:
    """The profile and everyone who was merged into it, near or far."""
    found, layer = [profile_id], [profile_id]
    while layer:
        layer = list(db.session.scalars(select(Profile.id).where(Profile.merged_into_id.in_(ids_in(layer)))))
        found += layer
    return found


def _lock(ids: set[int]) -> dict[int, Profile]:
    lock_people()
    statement = select(Profile).where(Profile.id.in_(ids_in(sorted(ids)))).order_by(Profile.id + 0).with_for_update()
    rows = db.session.scalars(statement.execution_options(populate_existing=True))
    people = {row.id: row for row in rows if row.merged_into_id is None}
    if len(people) < len(ids):
        raise Conflict("One of these profiles is gone or was merged already.", code="profile_gone")
    return people


def _identity_ids(profile_ids: list[int]) -> dict[int, list[int]]:
    rows = db.session.execute(
        select(Identity.profile_id, Identity.id)
        .where(Identity.profile_id.in_(ids_in(profile_ids)))
        .order_by(Identity.id)
    )
    found: dict[int, list[int]] = {}
    for profile_id, identity_id in rows:
        found.setdefault(profile_id, []).append(identity_id)
    return found


def _values(profile: Profile) -> dict[str, Any]:
    return {"traits": dict(profile.traits)} | {name: getattr(profile, name) for name in KEPT}


def _fill(winner: Profile, loser: Profile) -> None:
    winner.traits = {**loser.traits, **winner.traits}
    if not winner.name:
        winner.name, winner.name_key, winner.surname_key = loser.name, loser.name_key, loser.surname_key
    for name in ("email", "phone", "user_id"):
        setattr(winner, name, getattr(winner, name) or getattr(loser, name))
    winner.first_seen_at = min(winner.first_seen_at, loser.first_seen_at)
    winner.last_seen_at = max(winner.last_seen_at, loser.last_seen_at)
    winner.updated_at = utc_now()


def _move_rows(together: Sequence[tuple[int, int]]) -> None:
    tenant_id = current_tenant_id()
    rows = [{"loser": loser, "winner": winner} for winner, loser in together]
    for model in (Identity, ProfileEvent):
        table: Any = model.__table__
        theirs = (table.c.tenant_id == tenant_id) & (table.c.profile_id == bindparam("loser"))
        moved: dict[str, Any] = {"profile_id": bindparam("winner")}
        if model is Identity:
            moved["origin_profile_id"] = func.coalesce(table.c.origin_profile_id, bindparam("loser"))
        run(update(table).where(theirs).values(moved), rows)
    refusals: Any = IdentityRefusal.__table__
    db.session.execute(delete(refusals).where(refusals.c.profile_id.in_(ids_in(loser for _, loser in together))))
