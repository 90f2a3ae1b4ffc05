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
from app.cdp.queries.lists import ids_in
from app.cdp.queries.titles import subtitle_of, title_of
from app.core.db import db

EXPORT_STEP = 1000


def consented_channels(profile_ids: Iterable[int]) -> dict[int, list[str]]:
    """The channels each person agreed to."""
    statement = select(ConsentState.profile_id, ConsentState.channel).where(
        ConsentState.profile_id.in_(ids_in(profile_ids)), ConsentState.state == ConsentValue.GRANTED
    )
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
        statement = statement.where(ProfileEvent.name_id == name_id)
    rows = db.session.execute(statement.order_by(ProfileEvent.at.desc(), ProfileEvent.id.desc()).limit(limit))
    return [(event, name) for event, name in rows]


def event_counts(profile_id: int) -> list[Any]:
    """How often the person did what: id, name, n, most often first."""
    counted = func.count().label("n")
    statement = (
        select(EventName.id, EventName.name, counted)
        .join(ProfileEvent, ProfileEvent.name_id == EventName.id)
        .where(ProfileEvent.profile_id == profile_id)
        .group_by(EventName.id, EventName.name)
        .order_by(counted.desc(), EventName.name)
    )
    return list(db.session.execute(statement))


def list_merges(profile_ids: Iterable[int]) -> list[tuple[ProfileMerge, Profile]]:
    """The merges into these profiles that stand, newest first, with who was merged."""
    statement = select(ProfileMerge, Profile).join(Profile, Profile.id == ProfileMerge.loser_id)
    statement = statement.where(ProfileMerge.winner_id.in_(ids_in(profile_ids)), ProfileMerge.undone_at.is_(None))
    return [(row, loser) for row, loser in db.session.execute(statement.order_by(ProfileMerge.id.desc()).limit(50))]


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
        merged=count(Profile.merged_into_id),
    )


def each_profile(lifecycle: str, segment_id: int | None, most: int) -> Iterator[list[Profile]]:
    """Living profiles by id, in steps of 1,000, at most `most` in all."""
    after, left = 0, most
    while left > 0:
        statement = select(Profile).where(Profile.merged_into_id.is_(None), Profile.id > after)
        if lifecycle:
            statement = statement.where(Profile.lifecycle == lifecycle)
        if segment_id is not None:
            members = select(SegmentMember.profile_id).where(SegmentMember.segment_id == segment_id)
            statement = statement.where(Profile.id.in_(members))
        rows = list(db.session.scalars(statement.order_by(Profile.id).limit(min(left, EXPORT_STEP))))
        if not rows:
            return
        yield rows
        after, left = rows[-1].id, left - len(rows)
        db.session.expunge_all()
