"""What the pages of people need besides the API's reads: each in a fixed number of statements."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from sqlalchemy import and_, func, or_, select

from app.cdp.models import (
    ConsentRecord,
    ConsentState,
    ConsentValue,
    EventName,
    Identity,
    Profile,
    ProfileEvent,
    ProfileMerge,
    Segment,
    SegmentMember,
)
from app.cdp.queries import profiles
from app.cdp.queries.lists import ids_in, of_people
from app.cdp.queries.titles import subtitle_of, title_of
from app.core.db import db
from app.core.tenancy import current_tenant_id

EXPORT_STEP = 1000
MOST_MERGES = 200


def consented_channels(profile_ids: Iterable[int]) -> dict[int, list[str]]:
    """The channels each person agreed to."""
    table: Any = ConsentState.__table__
    granted = table.c.state == ConsentValue.GRANTED
    statement = select(table.c.profile_id, table.c.channel).where(of_people(table, profile_ids), granted)
    found: dict[int, list[str]] = {}
    for profile_id, channel in db.session.execute(statement):
        found.setdefault(profile_id, []).append(channel)
    return found


@dataclass(frozen=True)
class Found:
    """A person as a search over everything shows one."""

    id: int
    title: str
    detail: str


def search_people(text: str, limit: int) -> list[Found]:
    """Whose identity or name begins with the text, best match first."""
    people = profiles.list_profiles(text, limit=limit).items
    return [Found(row.id, title_of(row), subtitle_of(row)) for row in people]


def has_people() -> bool:
    """Whether anybody is known at all."""
    return db.session.scalar(select(Profile.id).where(Profile.merged_into_id.is_(None)).limit(1)) is not None


def list_segments() -> list[tuple[int, str]]:
    """Id and name of each segment, by name."""
    rows = db.session.execute(select(Segment.id, Segment.name).order_by(Segment.name, Segment.id).limit(500))
    return [(segment_id, name) for segment_id, name in rows]


def segments_of(profile_id: int) -> list[Any]:
    """The segments the person was in at their last refresh: id, name, entered_at."""
    statement = select(Segment.id, Segment.name, SegmentMember.entered_at).join(
        SegmentMember, SegmentMember.segment_id == Segment.id
    )
    return list(db.session.execute(statement.where(SegmentMember.profile_id == profile_id).order_by(Segment.name)))


def list_timeline(
    profile_id: int, before: tuple[datetime, int] | None, name_id: int | None, limit: int
) -> list[tuple[ProfileEvent, str]]:
    """The person's events with their names, newest first, from `before` (moment and id of the last one seen) on."""
    statement = (
        select(ProfileEvent, EventName.name)
        .join(EventName, EventName.id == ProfileEvent.name_id)
        .where(ProfileEvent.profile_id == profile_id)
    )
    if before is not None:
        at, event_id = before
        statement = statement.where(
            ProfileEvent.at <= at, or_(ProfileEvent.at < at, and_(ProfileEvent.at == at, ProfileEvent.id < event_id))
        )
    if name_id is not None:
        statement = statement.where(ProfileEvent.name_id + 0 == name_id)  # by the person's index, not the name's
    rows = db.session.execute(statement.order_by(ProfileEvent.at.desc(), ProfileEvent.id.desc()).limit(limit))
    return [(event, name) for event, name in rows]


def event_counts(profile_id: int) -> list[Any]:
    """How often the person did what: id, name, n, most often first."""
    table: Any = ProfileEvent.__table__
    theirs = (table.c.profile_id == profile_id, table.c.tenant_id + 0 == current_tenant_id())  # by the person's index
    counted = select(table.c.name_id, func.count().label("n")).where(*theirs).group_by(table.c.name_id).subquery()
    statement = select(EventName.id, EventName.name, counted.c.n).join(counted, counted.c.name_id == EventName.id)
    return list(db.session.execute(statement.order_by(counted.c.n.desc(), EventName.name)))


def list_merges(profile_id: int) -> list[tuple[ProfileMerge, Profile]]:
    """The merges behind this profile that stand, near and far, newest first, with who was merged."""
    found: list[tuple[ProfileMerge, Profile]] = []
    layer = [profile_id]
    while layer and len(found) < MOST_MERGES:
        statement = select(ProfileMerge, Profile).join(Profile, Profile.id == ProfileMerge.loser_id)
        statement = statement.where(ProfileMerge.winner_id.in_(ids_in(layer)), ProfileMerge.undone_at.is_(None))
        rows = db.session.execute(statement.order_by(ProfileMerge.id.desc()).limit(MOST_MERGES)).all()
        found += [(row, loser) for row, loser in rows]
        layer = [loser.id for _, loser in rows]
    return sorted(found, key=lambda pair: -pair[0].id)[:MOST_MERGES]


@dataclass(frozen=True)
class Extent:
    """How much is known of a person, for the page that asks before it goes."""

    events: int
    identities: int
    consent_records: int
    segments: int
    merged: int


def extent_of(profile_id: int) -> Extent:
    """How many rows stand behind the person."""

    def count(column: Any) -> int:
        return db.session.scalar(select(func.count()).where(column == profile_id)) or 0

    return Extent(
        events=count(ProfileEvent.profile_id),
        identities=count(Identity.profile_id),
        consent_records=count(ConsentRecord.profile_id),
        segments=count(SegmentMember.profile_id),
        merged=len(list_merges(profile_id)),
    )


def each_profile(lifecycle: str, segment_id: int | None, most: int) -> Iterator[list[Profile]]:
    """Living profiles by id, in steps of 1,000, at most `most` in all."""
    after, left = 0, most
    while left > 0:
        ids = _next_ids(after, lifecycle, segment_id, min(left, EXPORT_STEP))
        if not ids:
            return
        rows = db.session.scalars(select(Profile).where(Profile.id.in_(ids_in(ids))).order_by(Profile.id))
        yield list(rows)
        after, left = ids[-1], left - len(ids)
        db.session.expunge_all()


def _next_ids(after: int, lifecycle: str, segment_id: int | None, limit: int) -> list[int]:
    """By the order of the key itself, or of the index over stages: nothing is sorted."""
    table: Any = Profile.__table__
    statement = select(table.c.id).where(table.c.merged_into_id.is_(None), table.c.id > after)
    if lifecycle:
        statement = statement.where(table.c.tenant_id == current_tenant_id(), table.c.lifecycle == lifecycle)
    else:
        statement = statement.where(table.c.tenant_id + 0 == current_tenant_id())
    if segment_id is not None:
        members = select(SegmentMember.profile_id).where(SegmentMember.segment_id == segment_id)
        statement = statement.where(table.c.id.in_(members))
    return list(db.session.scalars(statement.order_by(table.c.id).limit(limit)))
